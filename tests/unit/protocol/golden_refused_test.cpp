#include <doctest/doctest.h>

#include "tests/unit/protocol/refused_cases.hpp"

/// The vectors of tests/golden/refused.json: messages, statements and ids that every implementation must
/// refuse. Statements are signed by whom they should be, unless the signature is what is wrong.

namespace {

using unlearn::testing::check_golden;
using unlearn::testing::golden_vectors;
using unlearn::testing::to_hex;
using namespace unlearn::testing::refused;

json hello_body() {
    return {1, 1, bin(network().view()), bin(owner().id().view()), false, bin(Plain{}), bin(Plain{})};
}
json hello_with(std::size_t field, json value) {
    auto body = hello_body();
    body[field] = std::move(value);
    return body;
}

std::vector<Case> taken_messages() {
    return {message("Hello without a membership", Kind::hello, hello_body()),
            {"Ping with a wide integer", {header(3), {0x91, 0xcf, 0, 0, 0, 0, 0, 0, 0, 1}}},
            message("Get for the last chunk", Kind::get, {1, 255, 1}),
            message("Get for all chunks", Kind::get, {1, 0, 256}),
            message("Get with the highest version", Kind::get, {kBeyondVersions - 1, 0, 1}),
            {"Chunk of one byte", {header(7), packed({1, 0}), {7}}},
            message("Nack with the highest reason", Kind::nack, {5, 0}),
            message("Have", Kind::have, {zeros(1), zeros(64), zeros(1), zeros(64)}),
            message("Exit", Kind::exit, {zeros(1), zeros(64)}),
            message("Digest of nothing", Kind::digest, {zeros(16), 0, bin(Plain{})}),
            message("Digest of two buckets", Kind::digest, {zeros(16), 5, zeros(32)}),
            message("Delta without ids", Kind::delta, {zeros(16), 1, true, 0, bin(Plain{})})};
}

std::vector<Case> refused_frames() {
    const Plain ping = packed(json::array({1}));
    Plain short_header = header(3);
    short_header.pop_back();
    Plain other_magic = header(3);
    other_magic[1] = 'X';
    Plain version_0 = header(3);
    version_0[2] = 0;
    Plain version_255 = header(3);
    version_255[2] = 255;
    Plain longer = ping;
    longer.push_back(0xc0);
    return {{"a header alone", {header(3)}},
            {"four frames", {header(7), packed({1, 0}), {7}, {7}}},
            {"a header of 11 bytes", {short_header, ping}},
            {"other magic bytes", {other_magic, ping}},
            {"version 0", {version_0, ping}},
            {"version 255", {version_255, ping}},
            {"kind 0", {header(0), packed(json::array())}},
            {"kind 255", {header(255), packed(json::array())}},
            {"a payload behind a Ping", {header(3), ping, {7}}},
            {"a Chunk without a payload", {header(7), packed({1, 0})}},
            {"a Chunk with an empty payload", {header(7), packed({1, 0}), {}}},
            {"an empty body", {header(3), {}}},
            {"a byte behind the array", {header(3), longer}},
            {"an array that ends early", {header(3), {0x91}}},
            {"an array that announces 2^32 - 1 fields", {header(3), {0xdd, 0xff, 0xff, 0xff, 0xff}}},
            {"a map", {header(3), packed({{"token", 1}})}},
            {"no array", {header(3), {1}}}};
}

std::vector<Case> refused_bodies() {
    return {
        message("Ping without a token", Kind::ping, json::array()),
        message("Ping with two tokens", Kind::ping, {1, 2}),
        message("Ping with a negative token", Kind::ping, json::array({-1})),
        message("Ping with a fraction", Kind::ping, json::array({1.0})),
        message("Ping with a boolean", Kind::ping, json::array({true})),
        message("Ping with nothing for a token", Kind::ping, json::array({nullptr})),
        message("Bye with a field", Kind::bye, json::array({1})),
        message("Hello with version 256", Kind::hello, hello_with(1, 256)),
        message("Hello with 31 bytes of network id", Kind::hello, hello_with(2, zeros(31))),
        message("Hello with str for the network id", Kind::hello, hello_with(2, std::string(32, 'n'))),
        message("Hello with a NodeId whose highest bit is set", Kind::hello,
                hello_with(3, bin(with_sign_bit(owner().id())))),
        message("Hello with a NodeId of zeros", Kind::hello, hello_with(3, zeros(32))),
        message("Hello with a number for answer", Kind::hello, hello_with(4, 1)),
        message("Hello with a membership without a signature", Kind::hello, hello_with(5, zeros(1))),
        message("Hello with a signature without a membership", Kind::hello, hello_with(6, zeros(64))),
        message("Hello with eight fields", Kind::hello,
                [] {
                    auto body = hello_body();
                    body.push_back(0);
                    return body;
                }()),
        message("Hello with a membership of 257 bytes", Kind::hello,
                [] {
                    auto body = hello_with(5, zeros(257));
                    body[6] = zeros(64);
                    return body;
                }()),
        message("Have with a signature of 63 bytes", Kind::have, {zeros(1), zeros(63), zeros(1), zeros(64)}),
        message("Have without a lease", Kind::have, {zeros(1), zeros(64)}),
        message("Get with version 2^63", Kind::get, {kBeyondVersions, 0, 1}),
        message("Get for no chunk", Kind::get, {1, 0, 0}),
        message("Get from chunk 256", Kind::get, {1, 256, 1}),
        message("Get for 257 chunks", Kind::get, {1, 0, 257}),
        message("Get beyond chunk 255", Kind::get, {1, 255, 2}),
        {"Chunk with version 2^63", {header(7), packed({kBeyondVersions, 0}), {7}}},
        {"Chunk with index 256", {header(7), packed({1, 256}), {7}}},
        message("Nack with reason 0", Kind::nack, {0, 0}),
        message("Nack with reason 255", Kind::nack, {255, 0}),
        message("Exit with str for the notice", Kind::exit, {"notice", zeros(64)}),
        message("Receipt with a signature of 65 bytes", Kind::receipt, {zeros(1), zeros(65)}),
        message("Digest with a salt of 15 bytes", Kind::digest, {zeros(15), 0, bin(Plain{})}),
        message("Digest with a hash too few", Kind::digest, {zeros(16), 5, zeros(16)}),
        message("Digest with a hash too many", Kind::digest, {zeros(16), 1, zeros(32)}),
        message("Digest with half a hash", Kind::digest, {zeros(16), 1, zeros(8)}),
        message("Delta of part 0", Kind::delta, {zeros(16), 0, true, 0, bin(Plain{})}),
        message("Delta of part 255", Kind::delta, {zeros(16), 255, true, 0, bin(Plain{})}),
        message("Delta with a number for last", Kind::delta, {zeros(16), 1, 1, 0, bin(Plain{})}),
        message("Delta with half an id", Kind::delta, {zeros(16), 1, true, 0, zeros(16)}),
    };
}

// ---- Statements

/// A record of 20,000 bytes with one field changed.
json record_with(std::size_t field, json value) {
    json fields{id_of(owner()), 3, "mlp:32", 20'000, 16'384, zeros(64), kTime};
    fields[field] = std::move(value);
    return fields;
}

void add_records(json& out) {
    const auto add = [&](std::string what, const json& fields) {
        out.push_back(
            statement("seed_record", std::move(what), fields, {owner(), SigningPurpose::seed_record}));
    };
    add("version 0", record_with(1, 0));
    add("version 2^63", record_with(1, kBeyondVersions));
    add("an architecture of 65 bytes", record_with(2, std::string(65, 'm')));
    add("an architecture that is not ASCII", record_with(2, "ml\xc3\xbc:32"));
    add("an architecture in bin", record_with(2, zeros(6)));
    add("a payload of 0 bytes", record_with(3, 0));
    add("a payload of more than 16 MiB", record_with(3, (1U << 24U) + 1));
    add("chunks larger than need be", [] {
        auto fields = record_with(4, 32'768);
        fields[5] = zeros(32);
        return fields;
    }());
    add("chunks of another size", record_with(4, 20'000));
    add("a hash too few", record_with(5, zeros(32)));
    add("a hash too many", record_with(5, zeros(96)));
    add("half a hash", record_with(5, zeros(80)));
    add("a time beyond 2^40", record_with(6, kBeyondTimes));
    add("an owner whose highest bit is set", record_with(0, bin(with_sign_bit(owner().id()))));
    auto longer = record_with(1, 3);
    longer.push_back(0);
    add("a field too many", longer);
}

void add_leases_and_notices(json& out) {
    const auto lease = [&](std::string what, const json& fields) {
        out.push_back(statement("lease", std::move(what), fields, {owner(), SigningPurpose::lease}));
    };
    lease("number 0", {id_of(owner()), 3, 0, kTime});
    lease("number 2^63", {id_of(owner()), 3, kBeyondVersions, kTime});
    lease("version 2^63", {id_of(owner()), kBeyondVersions, 1, kTime});
    lease("a time beyond 2^40", {id_of(owner()), 3, 1, kBeyondTimes});
    lease("a field too few", {id_of(owner()), 3, 1});
    const auto notice = [&](std::string what, const json& fields) {
        out.push_back(
            statement("exit_notice", std::move(what), fields, {owner(), SigningPurpose::exit_notice}));
    };
    notice("a membership without a signature", {id_of(owner()), kTime, zeros(35), bin(Plain{})});
    notice("a signature without a membership", {id_of(owner()), kTime, bin(Plain{}), zeros(64)});
    notice("a membership of 257 bytes", {id_of(owner()), kTime, zeros(257), zeros(64)});
    notice("a negative time", {id_of(owner()), -1, bin(Plain{}), bin(Plain{})});
    notice("a field too few", {id_of(owner()), kTime});
    const auto membership = [&](std::string what, const json& fields) {
        out.push_back(
            statement("membership", std::move(what), fields, {holder(), SigningPurpose::membership}));
    };
    membership("31 bytes of NodeId", json::array({zeros(31)}));
    membership("a field too many", {id_of(owner()), 1});
}

void add_receipts(json& out) {
    const auto add = [&](std::string what, const json& fields) {
        out.push_back(statement("receipt", std::move(what), fields, {holder(), SigningPurpose::receipt}));
    };
    add("its owner is its holder", {id_of(holder()), id_of(holder()), 1, 3, kTime});
    add("reason 0", {id_of(owner()), id_of(holder()), 0, 3, kTime});
    add("reason 3", {id_of(owner()), id_of(holder()), 3, 3, kTime});
    add("erased version 2^63", {id_of(owner()), id_of(holder()), 1, kBeyondVersions, kTime});
    add("a fraction for the reason", {id_of(owner()), id_of(holder()), 1.0, 3, kTime});
}

void add_wrong_signatures(json& out) {
    const json receipt{id_of(owner()), id_of(holder()), 1, 3, kTime};
    const json notice{id_of(owner()), kTime, bin(Plain{}), bin(Plain{})};
    const NetworkId other{digest_of(Bytes{7}).value};
    out.push_back(
        statement("receipt", "signed by another node", receipt, {owner(), SigningPurpose::receipt}));
    out.push_back(
        statement("receipt", "signed for another purpose", receipt, {holder(), SigningPurpose::lease}));
    out.push_back(statement("receipt", "signed in another network", receipt,
                            {holder(), SigningPurpose::receipt, other}));
    out.push_back(
        statement("exit_notice", "signed by another node", notice, {holder(), SigningPurpose::exit_notice}));
    out.push_back(statement("membership", "signed by the member", json::array({id_of(owner())}),
                            {owner(), SigningPurpose::membership}));
    auto zero =
        statement("exit_notice", "a signature of zeros", notice, {owner(), SigningPurpose::exit_notice});
    zero["signature"] = to_hex(Plain(64));
    out.push_back(zero);
}

/// Whether the statement is what its kind must be. Signers are as the vectors say: the owner, the holder, and
/// the holder's key as that of the network.
bool is_taken(const json& stated) {
    const SignedBytes signed_bytes = signed_bytes_of(stated);
    const std::string kind = stated["statement"];
    if (kind == "seed_record") return verify_record(owner().id(), network(), signed_bytes).has_value();
    if (kind == "lease") return verify_lease(owner().id(), network(), signed_bytes).has_value();
    if (kind == "exit_notice") return verify_notice(network(), signed_bytes).has_value();
    if (kind == "receipt") return verify_receipt(holder().id(), network(), signed_bytes).has_value();
    REQUIRE(kind == "membership");
    return verify_membership(holder().id(), network(), signed_bytes).has_value();
}

/// What the refused statements are without what is wrong with them.
std::vector<json> right_statements() {
    return {
        statement("seed_record", "", record_with(1, 3), {owner(), SigningPurpose::seed_record}),
        statement("lease", "", {id_of(owner()), 3, 1, kTime}, {owner(), SigningPurpose::lease}),
        statement("exit_notice", "", {id_of(owner()), kTime, bin(Plain{}), bin(Plain{})},
                  {owner(), SigningPurpose::exit_notice}),
        statement("receipt", "", {id_of(owner()), id_of(holder()), 1, 3, kTime},
                  {holder(), SigningPurpose::receipt}),
        statement("membership", "", json::array({id_of(owner())}), {holder(), SigningPurpose::membership})};
}

// ---- Ids

/// The text of any 32 bytes with the right checksum.
std::string text_of(const Plain& id) {
    Plain text(id);
    const std::string prefix = "unlearnd id";
    Bytes input(prefix.begin(), prefix.end());
    input.insert(input.end(), id.begin(), id.end());
    const auto digest = digest_of(input);
    text.insert(text.end(), digest.value.begin(), digest.value.begin() + 3);
    std::string out;
    for (std::size_t bit = 0; bit < 8 * text.size(); bit += 5) {
        unsigned value = 0;
        for (std::size_t i = bit; i < bit + 5; ++i)
            value = value * 2 + (text[i / 8] >> (7 - i % 8) & 1U);
        out += "abcdefghijklmnopqrstuvwxyz234567"[value];
    }
    return out;
}

json refused_ids() {
    const std::string good = owner().id().text();
    CHECK(text_of(Plain(owner().id().view().begin(), owner().id().view().end())) == good);
    std::string mistyped = good;
    mistyped[7] = mistyped[7] == 'a' ? 'b' : 'a';
    std::string upper = good;
    upper[0] = static_cast<char>(upper[0] - 'a' + 'A');
    Plain two(32);
    two[0] = 2;  // not on the curve
    return {{{"what", "a letter is another"}, {"text", mistyped}},
            {{"what", "an upper-case letter"}, {"text", upper}},
            {{"what", "a letter is missing"}, {"text", good.substr(1)}},
            {{"what", "padding"}, {"text", good + "="}},
            {{"what", "empty"}, {"text", ""}},
            {{"what", "the highest bit is set"}, {"text", text_of(with_sign_bit(owner().id()))}},
            {{"what", "a point of order 4"}, {"text", text_of(Plain(32))}},
            {{"what", "no point"}, {"text", text_of(two)}}};
}

json make_refused_vectors() {
    json out;
    out["network_id"] = to_hex(network().view());
    out["network_key"] = to_hex(holder().id().view());
    out["taken_messages"] = frames_to_json(taken_messages());
    auto cases = refused_frames();
    for (auto& one : refused_bodies())
        cases.push_back(std::move(one));
    out["messages"] = frames_to_json(cases);
    out["statements"] = json::array();
    add_records(out["statements"]);
    add_leases_and_notices(out["statements"]);
    add_receipts(out["statements"]);
    add_wrong_signatures(out["statements"]);
    out["node_ids"] = refused_ids();
    return out;
}

TEST_CASE("what every implementation must refuse is what tests/golden/refused.json says") {
    check_golden("refused.json", make_refused_vectors());
}

TEST_CASE("what tests/golden/refused.json calls refused is refused, and without its fault it is taken") {
    const auto golden = golden_vectors("refused.json");
    for (const auto& stated : golden["taken_messages"])
        CHECK_MESSAGE(decodes(stated), stated["what"]);
    for (const auto& stated : golden["messages"])
        CHECK_MESSAGE(!decodes(stated), stated["what"]);
    for (const auto& stated : right_statements())
        CHECK_MESSAGE(is_taken(stated), stated["statement"]);
    for (const auto& stated : golden["statements"])
        CHECK_MESSAGE(!is_taken(stated), stated["statement"], ": ", stated["what"]);
    for (const auto& stated : golden["node_ids"])
        CHECK_MESSAGE(!NodeId::from_text(stated["text"].get<std::string>()), stated["what"]);
}

}  // namespace
