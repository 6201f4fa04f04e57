#include <doctest/doctest.h>

#include "node/ctl/network_ledger.hpp"
#include "protocol/network_statements.hpp"
#include "support.hpp"

namespace {

using namespace unlearn;
using namespace unlearn::ctl;
using protocol::Identity;
using protocol::NetworkId;
using runtime::NetworkFileKind;
using runtime::NetworkFileStatement;

NetworkFileStatement file_statement(NetworkFileKind kind, const Identity& key,
                                    const protocol::NodeId& about) {
    const protocol::WallTime time{std::chrono::seconds{1'700'000'000}};
    const NetworkId network{};
    if (kind == NetworkFileKind::membership)
        return {kind, sign_term_membership(key, network, {key.id(), about, 1, time, time})};
    if (kind == NetworkFileKind::revocation)
        return {kind, sign_revocation(key, network, {key.id(), about, 1, time})};
    return {kind, sign_succession(key, network, {key.id(), about, 1, time, time})};
}

TEST_CASE("a file of network statements is refused when one signature in it is wrong, whatever its kind") {
    const Identity key = Identity::from_seed({1});
    const protocol::NodeId about = Identity::from_seed({2}).id();
    for (const auto kind :
         {NetworkFileKind::membership, NetworkFileKind::revocation, NetworkFileKind::succession}) {
        CAPTURE(runtime::name_of(kind));
        const auto genuine = file_statement(kind, key, about);
        CHECK(runtime::read_network_file(runtime::make_network_file({NetworkId{}, {genuine}})));
        auto forged = genuine;
        forged.statement.signature.value[5] ^= 1U;
        const auto read =
            runtime::read_network_file(runtime::make_network_file({NetworkId{}, {genuine, forged}}));
        REQUIRE_FALSE(read);
        CHECK(read.error().code == protocol::ErrorCode::bad_signature);
        CHECK(read.error().text().find("statement 2") != std::string::npos);
    }
}

TEST_CASE("only whom the ledger's own key expelled counts as expelled by it") {
    const TemporaryFolder folder;
    const std::string file = folder / "fleet.key";
    REQUIRE(call({"network", "key", file}).code == 0);
    const auto before = Identity::from_seed({1});  // the key that this one replaced
    const auto member = Identity::from_seed({2}).id();
    const auto other = Identity::from_seed({3}).id();
    auto ledger = NetworkLedger::open(file);
    REQUIRE(ledger);
    REQUIRE(ledger->use_network(NetworkId{}));
    ledger->add(file_statement(NetworkFileKind::revocation, before, member));
    ledger->add(file_statement(NetworkFileKind::revocation, ledger->key(), other));
    CHECK(ledger->expelled() == std::set{other});
}

}  // namespace
