#include <cstdlib>
#include <fstream>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "protocol/engine/comparison/exit_digest.hpp"
#include "protocol/engine/comparison/exit_set.hpp"
#include "protocol/messages.hpp"
#include "protocol/network_statements.hpp"
#include "protocol/records.hpp"

/// The vectors of tests/golden/wire.json, which another implementation can use as well. They pin every byte:
/// a change here is a change of the protocol. UNLEARN_WRITE_GOLDEN=1 writes them anew.

using namespace unlearn::protocol;
using nlohmann::json;

namespace {

const std::string kFile = std::string(UNLEARN_SOURCE_DIR) + "/tests/golden/wire.json";

json frames_to_json(const Frames& frames) {
    json out = json::array();
    for (const auto& frame : frames)
        out.push_back(to_hex(frame));
    return out;
}

/// A description and the id that it has.
json network_vector(const NetworkDescription& description) {
    json out{{"name", description.name},
             {"input_shape", description.input_shape},
             {"classes", description.classes},
             {"preprocessing", description.preprocessing},
             {"reference_set", to_hex(description.reference_set.view())},
             {"id", to_hex(network_id_of(description).view())}};
    if (!description.columns.empty()) out["columns"] = description.columns;
    return out;
}

json make_vectors() {
    const Identity owner = Identity::from_seed({1});
    const Identity holder = Identity::from_seed({2});
    const NetworkDescription images{
        "golden", {1, 28, 28}, {"cat", "dog"}, "scale-1/255", digest_of(Bytes{1, 2, 3})};
    const NetworkDescription table{
        "golden", {1, 1, 2}, {"cat", "dog"}, "standardised-by-reference", digest_of(Bytes{1, 2, 3})};
    NetworkDescription named = table;
    named.columns = {"height", "Größe"};
    const NetworkId network = network_id_of(images);
    const WallTime time{std::chrono::seconds(1'700'000'000)};
    const Bytes payload(20'000, 0xab);
    const auto record = describe_seed(owner.id(), SeedVersion{3}, "mlp:32", payload, time).value();
    const auto signed_record = sign_record(owner, network, record);
    const auto lease = sign_lease(owner, network, Lease{owner.id(), SeedVersion{3}, 5, time});
    const auto membership = sign_membership(holder, network, Membership{owner.id()});
    const auto notice = sign_notice(owner, network, ExitNotice{owner.id(), time, membership});
    const auto receipt = sign_receipt(
        holder, network, Receipt{owner.id(), holder.id(), ReceiptReason::exit, SeedVersion{3}, time});
    const auto receipt_2 = sign_receipt(
        holder, network,
        Receipt{owner.id(), holder.id(), ReceiptReason::exit, SeedVersion{3}, time, SeedVersion{4}});
    const Recipients holders{{holder.id(), {SeedVersion{3}, time}}};
    const auto list = sign_holder_list(
        owner, network,
        HolderList{owner.id(), digest_of(notice.bytes), 1, digest_of_holders(holders), false});
    StartId start;
    start.value.fill(0x11);
    StartId previous;
    previous.value.fill(0x22);
    const auto state = sign_state(owner, network, StateStatement{owner.id(), 7, start, previous});
    Hello hello;
    hello.network = network;
    hello.sender = owner.id();
    hello.membership = membership;
    const auto term_membership = sign_term_membership(
        holder, network, {holder.id(), owner.id(), 4, time, time + std::chrono::hours(24)});
    const auto revocation = sign_revocation(holder, network, {holder.id(), owner.id(), 6, time});
    const auto succession =
        sign_succession(holder, network, {holder.id(), owner.id(), 7, time, time + std::chrono::hours(24)});
    DigestSalt salt;
    salt.value.fill(0x5a);
    const std::vector<ExitedId> exited{ExitedId{owner.id().bytes()}};

    json out;
    out["identity"] = {{"secret_seed", to_hex(owner.secret_seed())},
                       {"node_id", to_hex(owner.id().view())},
                       {"node_id_text", owner.id().text()},
                       {"curve_public_key", to_hex(owner.id().curve_key().view())},
                       {"curve_secret_key", to_hex(owner.curve_secret_key())}};
    out["holder"] = {{"secret_seed", to_hex(holder.secret_seed())}, {"node_id", to_hex(holder.id().view())}};
    out["network_id"] = to_hex(network.view());
    out["networks"] = {network_vector(images), network_vector(table), network_vector(named)};
    const auto statement = [](const SignedBytes& s) {
        return json{{"bytes", to_hex(s.bytes)}, {"signature", to_hex(s.signature.view())}};
    };
    out["statements"] = {{"seed_record", statement(signed_record)},
                         {"lease", statement(lease)},
                         {"membership", statement(membership)},
                         {"exit_notice", statement(notice)},
                         {"receipt", statement(receipt)},
                         {"receipt_2", statement(receipt_2)},
                         {"holder_list", statement(list)},
                         {"state", statement(state)},
                         {"membership_2", statement(term_membership)},
                         {"revocation", statement(revocation)},
                         {"succession", statement(succession)}};
    // Twenty ids, which need not be those of nodes.
    ExitSet exits;
    std::vector<ExitedId> ids;
    for (std::uint8_t i = 0; i < 20; ++i)
        ids.push_back(ExitedId{digest_of(Bytes{i}).value});
    for (const auto& id : ids)
        exits.insert(id);
    ExitedId last;
    last.value.fill(0xff);
    const IdRange few = IdRange::around(ids[0], 1);
    for (const auto& id : exits.ids())
        out["exit_set"]["ids"].push_back(to_hex(id.view()));
    out["exit_set"]["salt"] = to_hex(salt.view());
    out["exit_set"]["digest"] = to_hex(exits.digest().view());
    out["exit_set"]["fingerprint"] = to_hex(fingerprint_of(salt, exits.digest()).view());
    const std::vector<Message> messages{
        hello,
        Bye{},
        Ping{0x0102030405060708},
        Pong{1},
        Have{signed_record, lease},
        Get{SeedVersion{3}, 0, 2},
        Chunk{SeedVersion{3}, 1, Bytes{0xde, 0xad, 0xbe, 0xef}},
        Nack{NackReason::no_such_version, 3},
        Exit{notice},
        ReceiptMessage{receipt},
        DigestMessage{salt, exit_digest(salt, exited)},
        Delta{salt, DeltaPart::known, true, 4, exited},
        StateMessage{state, false, state},
        Holders{list},
        ExitQuery{salt,
                  3,
                  fingerprint_of(salt, exits.digest()),
                  {IdRange::around(ids[0], 1), IdRange::around(last, 64)},
                  exited},
        ExitAnswer{3,
                   exits.size(),
                   fingerprint_of(salt, exits.digest()),
                   {exits.answer(salt, {}), exits.answer(salt, few)}},
        NetworkStatement{NetworkStatementKind::revocation, revocation},
        NetworkDigest{NetworkDigestPart::known, true, {}, {digest_of(revocation.bytes)}}};
    std::uint64_t sequence = 1;
    for (const auto& message : messages)
        out["messages"].push_back({{"kind", name_of(kind_of(message))},
                                   {"sequence", sequence},
                                   {"frames", frames_to_json(encode(Envelope{sequence, message}))}}),
            ++sequence;
    return out;
}

}  // namespace

TEST_CASE("the wire format is what tests/golden/wire.json says, byte for byte") {
    const json made = make_vectors();
    if (std::getenv("UNLEARN_WRITE_GOLDEN") != nullptr) std::ofstream(kFile) << made.dump(1) << '\n';
    std::ifstream in(kFile);
    REQUIRE_MESSAGE(in.good(), "cannot read " << kFile);
    const json expected = json::parse(in);
    for (const auto& item : expected.items()) {
        INFO(item.key());
        CHECK(made.at(item.key()) == item.value());
    }
    CHECK(made.size() == expected.size());
}

TEST_CASE("the golden messages decode, and with one byte changed their statements do not verify") {
    std::ifstream in(kFile);
    const json golden = json::parse(in);
    NetworkId network = *NetworkId::from(*from_hex(golden["network_id"].get<std::string>()));
    REQUIRE(golden["messages"].size() == kMessageKinds.size());
    for (const auto& vector : golden["messages"]) {
        Frames frames;
        for (const auto& frame : vector["frames"])
            frames.push_back(*from_hex(frame.get<std::string>()));
        const auto decoded = decode(frames);
        REQUIRE(decoded.has_value());
        CHECK(decoded->sequence == vector["sequence"].get<std::uint64_t>());
        CHECK(name_of(kind_of(decoded->message)) == vector["kind"].get<std::string>());
        if (const auto* exit = std::get_if<Exit>(&decoded->message)) {
            CHECK(verify_notice(network, exit->notice).has_value());
            auto changed = exit->notice;
            changed.bytes.back() ^= 1;
            CHECK_FALSE(verify_notice(network, changed).has_value());
        }
    }
}
