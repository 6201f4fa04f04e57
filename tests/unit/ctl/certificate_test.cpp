#include "node/runtime/certificate.hpp"

#include <fstream>

#include <doctest/doctest.h>

#include "node/ctl/node_files.hpp"
#include "node/storage/identity_file.hpp"
#include "node/storage/store.hpp"
#include "support.hpp"

namespace {

using namespace unlearn;
using namespace unlearn::ctl;
using namespace unlearn::protocol;
using nlohmann::json;

/// A stopped node. Its state knows two holders of its seed, of which one has signed a receipt for its exit.
struct Stopped {
    TemporaryFolder folder;
    NetworkId network = network_id_of({"home", {1, 2, 2}, {"a", "b"}, "none", {}});
    NodeId id = make_node({folder / "data", folder / "etc.toml", folder / "sealed", "", network, {}}).value();
    Identity holder = Identity::generate();
    NodeId silent = Identity::generate().id();
    std::string config = folder.write("node.toml", "data_dir = \"" + (folder / "data") +
                                                       "\"\ncontrol_socket = \"" + (folder / "s") + "\"\n");

    void store(const std::vector<StoreOp>& ops) const {
        const auto store = storage::Store::open(folder / "data/state", {id, network}).value();
        REQUIRE(store->apply(ops));
    }
    void leave() const {
        const auto identity = storage::load_identity(folder / "data/identity").value();
        const auto receipt = sign_receipt(
            holder, network, Receipt{id, holder.id(), ReceiptReason::exit, SeedVersion{2}, WallTime{}});
        store({PutRecipient{holder.id(), SeedVersion{2}, WallTime{}},
               PutRecipient{silent, SeedVersion{1}, WallTime{}},
               PutExiting{sign_notice(identity, network, ExitNotice{id, WallTime{}, std::nullopt})},
               PutReceipt{holder.id(), receipt}, PutRetired{"given up"}});
    }
};

}  // namespace

TEST_CASE("a certificate that was never written is made from the state of a node that has left") {
    const Stopped node;
    node.leave();
    for (const char* broken : {"", "{\"complete\": tr", "[]"}) {
        CAPTURE(broken);
        if (*broken != '\0') std::ofstream(node.folder / "data/certificate.json") << broken;
        const auto called = call({"certificate", "--config", node.config, "-o", node.folder / "c.json"});
        REQUIRE_MESSAGE(called.code == 0, called.err);
        std::ifstream in(node.folder / "c.json");
        const auto verdict = runtime::verify_certificate(json::parse(in)).value();
        CHECK(verdict.owner == node.id);
        CHECK(verdict.erased == std::vector{node.holder.id()});
        CHECK(verdict.missing == std::vector{node.silent});
        std::filesystem::remove(node.folder / "c.json");
    }
}

TEST_CASE("a node that has not left has no certificate") {
    const Stopped node;
    node.store({PutRecipient{node.silent, SeedVersion{1}, WallTime{}}});
    const auto called = call({"certificate", "--config", node.config});
    CHECK(called.code == 3);
    CHECK_MESSAGE(called.err.find("knows of no exit") != std::string::npos, called.err);
}
