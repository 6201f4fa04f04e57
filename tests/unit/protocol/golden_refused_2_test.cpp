#include <doctest/doctest.h>

#include "protocol/exit_ranges.hpp"
#include "protocol/network_statements.hpp"
#include "tests/unit/protocol/refused_cases.hpp"

/// The vectors of tests/golden/refused_2.json: what came with version 2 of the wire format, and must be
/// refused. The network's key is the holder's.

namespace {

using unlearn::testing::check_golden;
using unlearn::testing::golden_vectors;
using unlearn::testing::to_hex;
using namespace unlearn::testing::refused;

/// A range of no half-bytes is all ids; one of two half-bytes is all that begin with this byte.
Plain all_ids() {
    return {0};
}
Plain beginning_with(std::uint8_t byte) {
    return {2, byte};
}
json ranges(std::initializer_list<Plain> parts) {
    Plain out;
    for (const auto& part : parts)
        out.insert(out.end(), part.begin(), part.end());
    return bin(out);
}

Case query(std::string what, json in_ranges, json wanted) {
    return message(std::move(what), Kind::exit_query,
                   {zeros(16), 1, zeros(16), std::move(in_ranges), std::move(wanted)});
}
Case answer(std::string what, json to_ranges) {
    return message(std::move(what), Kind::exit_answer, {1, 20, zeros(16), std::move(to_ranges)});
}
/// So many ids in rising order, or in falling order.
Plain ids(std::uint8_t count, bool rising = true) {
    Plain out{count};
    for (int i = 0; i < count; ++i) {
        Plain id(32);
        id[0] = static_cast<std::uint8_t>(rising ? i + 1 : count - i);
        out.insert(out.end(), id.begin(), id.end());
    }
    return out;
}

std::vector<Case> taken() {
    const json none = bin(Plain{});
    return {message("State that shows none", Kind::state, {zeros(1), zeros(64), false, none, none}),
            message("Holders", Kind::holders, {zeros(1), zeros(64)}),
            query("ExitQuery without ranges", none, none),
            query("ExitQuery for all", ranges({all_ids()}), zeros(32)),
            query("ExitQuery for two ranges", ranges({beginning_with(1), beginning_with(2)}), none),
            answer("ExitAnswer with eight ids", bin(ids(8))),
            answer("ExitAnswer with one part",
                   [] {
                       Plain parts{255, 1, 0};
                       parts.resize(19);
                       return bin(parts);
                   }()),
            message("NetworkStatement", Kind::network_statement, {2, zeros(1), zeros(64)}),
            message("NetworkDigest, summary", Kind::network_digest, {1, true, zeros(32), none}),
            message("NetworkDigest, known", Kind::network_digest, {2, false, zeros(32), zeros(32)})};
}

std::vector<Case> refused_messages() {
    const json none = bin(Plain{});
    Plain many;
    for (std::uint8_t byte = 0; byte < 61; ++byte)
        for (const std::uint8_t part : beginning_with(byte))
            many.push_back(part);
    Plain part_too_few{255, 3, 0};
    part_too_few.resize(19);
    return {
        message("State of 257 bytes", Kind::state, {zeros(257), zeros(64), false, none, none}),
        message("State that shows one without its signature", Kind::state,
                {zeros(1), zeros(64), false, zeros(1), none}),
        message("State with a number for restored", Kind::state, {zeros(1), zeros(64), 0, none, none}),
        message("Holders with a signature of 63 bytes", Kind::holders, {zeros(1), zeros(63)}),
        query("ExitQuery with 61 ranges", bin(many), none),
        query("ExitQuery with ranges in falling order", ranges({beginning_with(2), beginning_with(1)}), none),
        query("ExitQuery with one range twice", ranges({beginning_with(1), beginning_with(1)}), none),
        query("ExitQuery with a range inside another", ranges({all_ids(), beginning_with(1)}), none),
        query("ExitQuery with a range of 65 half-bytes", ranges({[] {
                  Plain range{65};
                  range.resize(34);
                  return range;
              }()}),
              none),
        query("ExitQuery with other bits behind a half-byte", ranges({{1, 0x1f}}), none),
        query("ExitQuery with half a range", ranges({{2}}), none),
        query("ExitQuery that wants 33 ids", none, zeros(33 * 32)),
        query("ExitQuery that wants half an id", none, zeros(16)),
        answer("ExitAnswer with nine ids", bin(ids(9))),
        answer("ExitAnswer with ids in falling order", bin(ids(2, false))),
        answer("ExitAnswer with an id too few",
               [] {
                   Plain range = ids(2);
                   range[0] = 3;
                   return bin(range);
               }()),
        answer("ExitAnswer with a part too few", bin(part_too_few)),
        message("NetworkStatement of kind 0", Kind::network_statement, {0, zeros(1), zeros(64)}),
        message("NetworkStatement of kind 3", Kind::network_statement, {3, zeros(1), zeros(64)}),
        message("NetworkStatement of 257 bytes", Kind::network_statement, {2, zeros(257), zeros(64)}),
        message("NetworkDigest of part 3", Kind::network_digest, {3, true, zeros(32), none}),
        message("NetworkDigest, summary, with ids", Kind::network_digest, {1, true, zeros(32), zeros(32)}),
        message("NetworkDigest, summary, that is not the last", Kind::network_digest,
                {1, false, zeros(32), none}),
        message("NetworkDigest with 481 ids", Kind::network_digest, {2, true, zeros(32), zeros(481 * 32)}),
        message("NetworkDigest with half an id", Kind::network_digest, {2, true, zeros(32), zeros(16)}),
    };
}

json start(std::uint8_t number) {
    return bin(Plain(16, number));
}

/// One right statement of each kind, and what is wrong with the others.
json statements(bool right) {
    json out = json::array();
    const auto add = [&](bool is_right, const char* kind, const char* what, const json& fields,
                         const Signing& signing) {
        if (is_right == right) out.push_back(statement(kind, what, fields, signing));
    };
    const Signing by_owner{owner(), SigningPurpose::state};
    add(true, "state", "", {id_of(owner()), 1, start(2), start(1)}, by_owner);
    add(false, "state", "number 0", {id_of(owner()), 0, start(2), start(1)}, by_owner);
    add(false, "state", "number 2^63", {id_of(owner()), kBeyondVersions, start(2), start(1)}, by_owner);
    add(false, "state", "a start of zeros", {id_of(owner()), 1, start(0), start(1)}, by_owner);
    add(false, "state", "the start before is the same", {id_of(owner()), 1, start(2), start(2)}, by_owner);
    add(false, "state", "signed by another node", {id_of(owner()), 1, start(2), start(1)},
        {holder(), SigningPurpose::state});
    const Signing by_holder{holder(), SigningPurpose::receipt_2};
    add(true, "receipt_2", "", {id_of(owner()), id_of(holder()), 1, 3, 4, kTime}, by_holder);
    add(false, "receipt_2", "more was erased than asked for",
        {id_of(owner()), id_of(holder()), 1, 3, 2, kTime}, by_holder);
    add(false, "receipt_2", "asked for version 2^63",
        {id_of(owner()), id_of(holder()), 1, 3, kBeyondVersions, kTime}, by_holder);
    add(false, "receipt_2", "its owner is its holder", {id_of(holder()), id_of(holder()), 1, 3, 4, kTime},
        by_holder);
    add(false, "receipt_2", "signed as a receipt of version 1",
        {id_of(owner()), id_of(holder()), 1, 3, 4, kTime}, {holder(), SigningPurpose::receipt});
    const Signing list{owner(), SigningPurpose::holder_list};
    add(true, "holder_list", "", {id_of(owner()), zeros(32), 1, zeros(32), false}, list);
    add(false, "holder_list", "a number for restored", {id_of(owner()), zeros(32), 1, zeros(32), 0}, list);
    add(false, "holder_list", "2^32 holders",
        {id_of(owner()), zeros(32), std::uint64_t{1} << 32U, zeros(32), false}, list);
    add(false, "holder_list", "signed by another node", {id_of(owner()), zeros(32), 1, zeros(32), false},
        {holder(), SigningPurpose::holder_list});
    const Signing term{holder(), SigningPurpose::term_membership};
    const json key = id_of(holder());
    add(true, "membership_2", "", {key, id_of(owner()), 1, kTime, kTime}, term);
    add(false, "membership_2", "number 0", {key, id_of(owner()), 0, kTime, kTime}, term);
    add(false, "membership_2", "ends before it begins", {key, id_of(owner()), 1, kTime, kTime - 1}, term);
    add(false, "membership_2", "signed by the member", {key, id_of(owner()), 1, kTime, kTime},
        {owner(), SigningPurpose::term_membership});
    const Signing revocation{holder(), SigningPurpose::revocation};
    add(true, "revocation", "", {key, id_of(owner()), 1, kTime}, revocation);
    add(false, "revocation", "number 0", {key, id_of(owner()), 0, kTime}, revocation);
    add(false, "revocation", "a time beyond 2^40", {key, id_of(owner()), 1, kBeyondTimes}, revocation);
    add(false, "revocation", "signed by the member", {key, id_of(owner()), 1, kTime},
        {owner(), SigningPurpose::revocation});
    const Signing succession{holder(), SigningPurpose::succession};
    add(true, "succession", "", {key, id_of(owner()), 1, kTime, kTime}, succession);
    add(false, "succession", "the next key is the same", {key, key, 1, kTime, kTime}, succession);
    add(false, "succession", "number 0", {key, id_of(owner()), 0, kTime, kTime}, succession);
    add(false, "succession", "signed by the next key", {key, id_of(owner()), 1, kTime, kTime},
        {owner(), SigningPurpose::succession});
    return out;
}

bool is_taken_2(const json& stated) {
    const auto signed_bytes = signed_bytes_of(stated);
    const std::string kind = stated["statement"];
    if (kind == "state") return verify_state(owner().id(), network(), signed_bytes).has_value();
    if (kind == "receipt_2") return verify_receipt(holder().id(), network(), signed_bytes).has_value();
    if (kind == "holder_list") return verify_holder_list(network(), signed_bytes).has_value();
    if (kind == "membership_2") return verify_term_membership(network(), signed_bytes).has_value();
    if (kind == "revocation") return verify_revocation(network(), signed_bytes).has_value();
    REQUIRE(kind == "succession");
    return verify_succession(network(), signed_bytes).has_value();
}

TEST_CASE("what every implementation of version 2 must refuse is what tests/golden/refused_2.json says") {
    json out;
    out["network_id"] = to_hex(network().view());
    out["network_key"] = to_hex(holder().id().view());
    out["taken_messages"] = frames_to_json(taken());
    out["messages"] = frames_to_json(refused_messages());
    out["taken_statements"] = statements(true);
    out["statements"] = statements(false);
    check_golden("refused_2.json", out);
}

TEST_CASE("what tests/golden/refused_2.json calls refused is refused, and without its fault it is taken") {
    const auto golden = golden_vectors("refused_2.json");
    for (const auto& stated : golden["taken_messages"])
        CHECK_MESSAGE(decodes(stated), stated["what"]);
    for (const auto& stated : golden["messages"])
        CHECK_MESSAGE(!decodes(stated), stated["what"]);
    for (const auto& stated : golden["taken_statements"])
        CHECK_MESSAGE(is_taken_2(stated), stated["statement"]);
    for (const auto& stated : golden["statements"])
        CHECK_MESSAGE(!is_taken_2(stated), stated["statement"], ": ", stated["what"]);
}

}  // namespace
