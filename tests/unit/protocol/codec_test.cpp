#include <bit>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "protocol/messages.hpp"
#include "protocol/records.hpp"

using namespace unlearn::protocol;

namespace {

const Identity& alice() {
    static const Identity identity = Identity::from_seed({1});
    return identity;
}

Bytes random_bytes(std::size_t most) {
    return *rc::gen::resize(static_cast<int>(most), rc::gen::arbitrary<Bytes>());
}

Message random_message() {
    SignedBytes some{random_bytes(300), {}};
    some.signature.value[3] = *rc::gen::arbitrary<std::uint8_t>();
    const auto number = *rc::gen::arbitrary<std::uint64_t>();
    switch (*rc::gen::inRange(0, 18)) {
        case 0: {
            Hello hello;
            hello.sender = alice().id();
            hello.answer = number % 2 == 0;
            if (number % 3 == 0) hello.membership = SignedBytes{Bytes{1, 2, 3}, {}};
            return hello;
        }
        case 1:
            return Bye{};
        case 2:
            return Ping{number};
        case 3:
            return Pong{number};
        case 4:
            return Have{some, some};
        case 5:
            return Get{SeedVersion{number >> 1}, *rc::gen::inRange(0U, 128U), *rc::gen::inRange(1U, 128U)};
        case 6: {
            Bytes payload = random_bytes(500);
            payload.push_back(1);
            return Chunk{SeedVersion{number >> 1}, *rc::gen::inRange(0U, 256U), payload};
        }
        case 7:
            return Nack{NackReason::no_such_version, number};
        case 8:
            return Exit{some};
        case 9:
            return ReceiptMessage{some};
        case 12: {
            const SignedBytes statement{random_bytes(kMaxStatement), {}};
            return StateMessage{
                statement, number % 2 == 0,
                number % 3 == 0 ? std::optional(SignedBytes{Bytes{1, 2, 3}, {}}) : std::nullopt};
        }
        case 13:
            return Holders{some};
        case 16:
            return NetworkStatement{
                number % 2 == 0 ? NetworkStatementKind::succession : NetworkStatementKind::revocation,
                SignedBytes{random_bytes(kMaxNetworkStatement), {}}};
        case 17: {
            NetworkDigest digest;
            digest.part = number % 2 == 0 ? NetworkDigestPart::summary : NetworkDigestPart::known;
            digest.last = number % 2 == 0 || number % 3 == 0;
            digest.summary.value[1] = static_cast<std::uint8_t>(number);
            if (number % 2 != 0) digest.ids.resize(number % (kMaxDeltaIds + 1));
            return digest;
        }
        case 10: {
            DigestMessage digest;
            digest.exits.occupied = number;
            digest.exits.hashes.resize(static_cast<std::size_t>(std::popcount(number)));
            return digest;
        }
        case 14: {
            ExitQuery query;
            query.number = number;
            const auto digits = static_cast<std::uint8_t>(1 + number % kIdDigits);
            for (std::uint8_t i = 0; i < number % 16; ++i)
                query.ranges.push_back(
                    IdRange::around(ExitedId{{static_cast<std::uint8_t>(i << 4)}}, digits));
            query.wanted.resize(number % (kMaxNoticesAsked + 1));
            return query;
        }
        case 15: {
            ExitAnswer answer{number, number / 2, {}, {}};
            for (std::uint8_t i = 0; i < number % 16; ++i) {
                RangeAnswer& range = answer.ranges.emplace_back();
                if (i % 2 == 0) {
                    range.occupied = static_cast<std::uint16_t>(number | 1U);
                    range.parts.resize(static_cast<std::size_t>(std::popcount(range.occupied)));
                }
                for (std::uint8_t id = 0; i % 2 == 1 && id < i / 2; ++id)
                    range.ids.push_back(ExitedId{{id}});
            }
            return answer;
        }
        default: {
            Delta delta;
            delta.part = number % 2 == 0 ? DeltaPart::known : DeltaPart::wanted;
            delta.last = number % 3 == 0;
            delta.buckets = number;
            delta.ids.resize(number % (kMaxDeltaIds + 1));
            return delta;
        }
    }
}

void check(const std::string& name, bool ok) {
    INFO(name);
    CHECK(ok);
}

}  // namespace

TEST_CASE("every message survives its encoding") {
    check("round trip", rc::check([] {
              const Envelope envelope{*rc::gen::arbitrary<std::uint64_t>(), random_message()};
              const Frames frames = encode(envelope);
              const auto decoded = decode(frames);
              RC_ASSERT(decoded.has_value());
              RC_ASSERT(decoded->sequence == envelope.sequence);
              RC_ASSERT(decoded->message.index() == envelope.message.index());
              RC_ASSERT(encode(*decoded) == frames);
          }));
}

TEST_CASE("damaged messages are refused or are other messages, and never more") {
    check("damage", rc::check([] {
              Frames frames = encode(Envelope{7, random_message()});
              const auto which = *rc::gen::inRange<std::size_t>(0, frames.size());
              switch (*rc::gen::inRange(0, 4)) {
                  case 0:
                      if (!frames[which].empty()) frames[which].pop_back();
                      break;
                  case 1:
                      frames[which].push_back(0);
                      break;
                  case 2:
                      if (!frames[which].empty())
                          frames[which][*rc::gen::inRange<std::size_t>(0, frames[which].size())] ^=
                              static_cast<std::uint8_t>(*rc::gen::inRange(1, 256));
                      break;
                  default:
                      frames.push_back({1});
                      break;
              }
              const auto decoded = decode(frames);
              // What is accepted must be exactly what its own encoding says: nothing hides between the lines.
              // Only integers may be written in more than one width.
              if (decoded) RC_ASSERT(decode(encode(*decoded)).has_value());
          }));
}

TEST_CASE("a header that is not ours, an unknown kind, too many or too long frames are refused by name") {
    const Frames good = encode(Envelope{1, Ping{5}});
    REQUIRE(decode(good).has_value());
    const auto code_of = [](const Frames& frames) { return decode(frames).error().code; };

    Frames bad = good;
    bad[0][0] = 'X';
    CHECK(code_of(bad) == ErrorCode::malformed);
    bad = good;
    bad[0][2] = 2;  // a kind of version 1
    CHECK(code_of(bad) == ErrorCode::wrong_version);
    bad[0][2] = kNewestVersion + 1;
    CHECK(code_of(bad) == ErrorCode::wrong_version);
    bad = good;
    for (const std::uint8_t kind : {0, static_cast<int>(kMessageKinds.back().kind) + 1}) {
        bad[0][3] = kind;
        CHECK(code_of(bad) == ErrorCode::unknown_kind);
    }
    bad = encode(Envelope{1, Holders{{Bytes{1}, {}}}});
    REQUIRE(decode(bad).has_value());
    bad[0][2] = 1;  // a kind of version 2
    CHECK(code_of(bad) == ErrorCode::wrong_version);
    bad = good;
    bad[0].push_back(0);
    CHECK(code_of(bad) == ErrorCode::malformed);
    bad = good;
    bad.push_back({1, 2, 3});
    CHECK(code_of(bad) == ErrorCode::malformed);
    bad = good;
    bad.pop_back();
    CHECK(code_of(bad) == ErrorCode::malformed);
    bad = good;
    bad[1].resize(kMaxBody + 1);
    CHECK(code_of(bad) == ErrorCode::too_large);
    CHECK(code_of({}) == ErrorCode::malformed);

    Frames chunk = encode(Envelope{1, Chunk{SeedVersion{1}, 0, Bytes(100)}});
    REQUIRE(decode(chunk).has_value());
    chunk[2].resize(kMaxPayload + 1);
    CHECK(code_of(chunk) == ErrorCode::too_large);
    chunk[2].clear();
    CHECK(code_of(chunk) == ErrorCode::too_large);
}

TEST_CASE("five bytes that announce four billion entries cost nothing") {
    Frames frames = encode(Envelope{1, Ping{5}});
    frames[1] = {0xdd, 0xff, 0x00, 0x00, 0x00};
    CHECK_FALSE(decode(frames).has_value());
    frames[1] = {0xc6, 0xff, 0xff, 0xff, 0xff};
    CHECK_FALSE(decode(frames).has_value());
    // Nesting deeper than any message of ours.
    frames[1] = Bytes(10'000, 0x91);
    CHECK_FALSE(decode(frames).has_value());
}

TEST_CASE("a get must ask for chunks that can exist") {
    const auto refused = [](std::uint32_t first, std::uint32_t count) {
        return !decode(encode(Envelope{1, Get{SeedVersion{1}, first, count}})).has_value();
    };
    CHECK_FALSE(refused(0, 256));
    CHECK_FALSE(refused(255, 1));
    CHECK(refused(255, 2));
    CHECK(refused(0, 0));
    CHECK(refused(256, 1));
}

TEST_CASE("a seed record describes its payload chunk by chunk") {
    for (const std::size_t size : {1UL, kMinChunk - 1, kMinChunk, kMinChunk + 1, 100'000UL,
                                   kMinChunk * kMaxChunks + 1, kMaxSeedBytes}) {
        const Bytes payload(size, 3);
        const auto record = describe_seed(alice().id(), SeedVersion{4}, "mlp:32", payload, {});
        REQUIRE(record.has_value());
        std::size_t total = 0;
        for (std::uint32_t i = 0; i < record->chunk_count(); ++i)
            total += record->chunk_size(i);
        CHECK(total == size);
        CHECK(record->chunk_count() <= kMaxChunks);
        const NetworkId network{};
        const auto signed_record = sign_record(alice(), network, *record);
        CHECK(signed_record.bytes.size() + 100 < kMaxBody);
        const auto verified = verify_record(alice().id(), network, signed_record);
        REQUIRE(verified.has_value());
        CHECK(verified->payload_bytes == size);
        CHECK(verified->chunk_digests == record->chunk_digests);
        CHECK(verified->version == SeedVersion{4});
    }
    CHECK_FALSE(describe_seed(alice().id(), SeedVersion{1}, "mlp:32", {}, {}).has_value());
    CHECK_FALSE(
        describe_seed(alice().id(), SeedVersion{1}, "mlp:32", Bytes(kMaxSeedBytes + 1), {}).has_value());
    CHECK_FALSE(describe_seed(alice().id(), SeedVersion{1}, std::string(65, 'a'), Bytes(10), {}).has_value());
}

TEST_CASE("signed statements of the wrong signer, purpose or network do not verify") {
    const Identity bob = Identity::from_seed({2});
    const NetworkId network{};
    NetworkId elsewhere{};
    elsewhere.value[0] = 9;
    const auto notice = sign_notice(alice(), network, ExitNotice{alice().id(), {}, {}});
    REQUIRE(verify_notice(network, notice).has_value());
    CHECK(verify_notice(network, notice)->owner == alice().id());
    CHECK_FALSE(verify_notice(elsewhere, notice).has_value());

    // Bob signs an exit in Alice's name.
    const auto forged = sign_notice(bob, network, ExitNotice{alice().id(), {}, {}});
    CHECK(verify_notice(network, forged).error().code == ErrorCode::bad_signature);
    // A receipt of Bob does not count as Alice's.
    const auto receipt =
        sign_receipt(bob, network, Receipt{alice().id(), bob.id(), ReceiptReason::exit, SeedVersion{1}, {}});
    CHECK(verify_receipt(bob.id(), network, receipt).has_value());
    CHECK_FALSE(verify_receipt(alice().id(), network, receipt).has_value());
    const auto lie =
        sign_receipt(bob, network, Receipt{bob.id(), alice().id(), ReceiptReason::exit, SeedVersion{1}, {}});
    CHECK_FALSE(verify_receipt(bob.id(), network, lie).has_value());
    // An exit notice presented as a receipt.
    CHECK_FALSE(verify_receipt(alice().id(), network, notice).has_value());
}

TEST_CASE("a receipt says what was asked for only in the statement of version 2") {
    const NetworkId network;
    const Identity holder = Identity::from_seed({2});
    Receipt receipt{alice().id(), holder.id(), ReceiptReason::exit, SeedVersion{3}, WallTime{}};
    const auto old = sign_receipt(holder, network, receipt);
    REQUIRE(verify_receipt(holder.id(), network, old));
    CHECK_FALSE(verify_receipt(holder.id(), network, old)->asked);
    receipt.asked = SeedVersion{4};
    const auto newer = sign_receipt(holder, network, receipt);
    REQUIRE(verify_receipt(holder.id(), network, newer));
    CHECK(verify_receipt(holder.id(), network, newer)->asked == SeedVersion{4});
    // The signature of one statement is not one of the other.
    CHECK_FALSE(verify_receipt(holder.id(), network, {newer.bytes, old.signature}));
    CHECK_FALSE(verify_receipt(holder.id(), network, {old.bytes, newer.signature}));
    receipt.asked = SeedVersion{2};
    CHECK(verify_receipt(holder.id(), network, sign_receipt(holder, network, receipt)).error().code ==
          ErrorCode::malformed);
}

TEST_CASE("a list of holders is checked by its owner's signature, its notice and its holders") {
    const NetworkId network;
    const NodeId holder = Identity::from_seed({2}).id();
    const WallTime time{std::chrono::seconds(1'700'000'000)};
    const Recipients holders{{holder, {SeedVersion{3}, time}}};
    const HolderList list{alice().id(), digest_of(Bytes{1}), 1, digest_of_holders(holders), true};
    const auto signed_list = sign_holder_list(alice(), network, list);
    const auto read = verify_holder_list(network, signed_list);
    REQUIRE(read);
    CHECK(read->owner == alice().id());
    CHECK(read->notice == list.notice);
    CHECK(read->count == 1);
    CHECK(read->holders == list.holders);
    CHECK(read->restored);
    // Each of these would be another list.
    CHECK(digest_of_holders({}) != list.holders);
    CHECK(digest_of_holders({{holder, {SeedVersion{4}, time}}}) != list.holders);
    CHECK(digest_of_holders({{holder, {SeedVersion{3}, time + std::chrono::seconds(1)}}}) != list.holders);
    CHECK(digest_of_holders({{alice().id(), {SeedVersion{3}, time}}}) != list.holders);
    auto forged = signed_list;
    forged.bytes.back() ^= 1;  // "restored" becomes false
    CHECK(verify_holder_list(network, forged).error().code == ErrorCode::bad_signature);
}

TEST_CASE("a statement of a state names two different starts and a number from 1") {
    const NetworkId network;
    StartId first;
    first.value.fill(1);
    StartId second;
    second.value.fill(2);
    const auto verified = [&](std::uint64_t number, const StartId& start, const StartId& previous) {
        return verify_state(alice().id(), network,
                            sign_state(alice(), network, {alice().id(), number, start, previous}));
    };
    const auto good = verified(5, second, first);
    REQUIRE(good);
    CHECK(good->number == 5);
    CHECK(good->start == second);
    CHECK(good->previous == first);
    CHECK(verified(1, first, StartId{}));
    CHECK(verified(0, second, first).error().code == ErrorCode::malformed);
    CHECK(verified(5, StartId{}, first).error().code == ErrorCode::malformed);
    CHECK(verified(5, first, first).error().code == ErrorCode::malformed);
    const auto of_another = sign_state(alice(), network, {Identity::from_seed({2}).id(), 5, second, first});
    CHECK(verify_state(alice().id(), network, of_another).error().code == ErrorCode::malformed);
}

TEST_CASE("a version that no database can keep is refused in every statement and message") {
    const NetworkId network{};
    const SeedVersion highest{kMaxSeedVersion};
    const SeedVersion beyond{kMaxSeedVersion + 1};
    const Identity bob = Identity::from_seed({2});
    const Bytes payload(10, 1);
    const auto accepted = [&](SeedVersion version) {
        const auto record = describe_seed(alice().id(), version, "mlp:32", payload, {}).value();
        const Lease lease{alice().id(), version, 1, {}};
        const Receipt receipt{alice().id(), bob.id(), ReceiptReason::exit, version, {}};
        return std::vector<bool>{
            verify_record(alice().id(), network, sign_record(alice(), network, record)).has_value(),
            verify_lease(alice().id(), network, sign_lease(alice(), network, lease)).has_value(),
            verify_receipt(bob.id(), network, sign_receipt(bob, network, receipt)).has_value(),
            decode(encode(Envelope{1, Get{version, 0, 1}})).has_value(),
            decode(encode(Envelope{1, Chunk{version, 0, Bytes{1}}})).has_value()};
    };
    CHECK(accepted(highest) == std::vector<bool>(5, true));
    CHECK(accepted(beyond) == std::vector<bool>(5, false));
}

TEST_CASE("a seed record must use the smallest chunks that suffice") {
    const NetworkId network{};
    const Bytes payload(kMinChunk * 4, 1);
    auto record = describe_seed(alice().id(), SeedVersion{1}, "mlp:32", payload, {}).value();
    REQUIRE(record.chunk_bytes == kMinChunk);
    REQUIRE(verify_record(alice().id(), network, sign_record(alice(), network, record)).has_value());
    record.chunk_bytes = kMaxPayload;
    record.chunk_digests.resize(1);
    const auto refused = verify_record(alice().id(), network, sign_record(alice(), network, record));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().detail == "seed record: chunk size 65536, expected 16384");
}

TEST_CASE("the owner of an exit is not one of its own holders") {
    const NetworkId network{};
    const Receipt own{alice().id(), alice().id(), ReceiptReason::exit, SeedVersion{1}, {}};
    const auto verified = verify_receipt(alice().id(), network, sign_receipt(alice(), network, own));
    REQUIRE_FALSE(verified.has_value());
    CHECK(verified.error().detail == "receipt: the owner is its own holder");
}
