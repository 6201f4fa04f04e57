#include <doctest/doctest.h>

#include "protocol/limits.hpp"
#include "protocol/messages.hpp"
#include "protocol/records.hpp"

using namespace unlearn::protocol;

namespace {

Identity statement_signer(std::uint8_t number) {
    return Identity::from_seed({number});
}

}  // namespace

TEST_CASE("a seed record of no bytes at all is refused") {
    const Identity owner = statement_signer(1);
    SeedRecord record{owner.id(), SeedVersion{1}, "mlp:32", 0, kMinChunk, {}, {}};
    const auto empty = verify_record(owner.id(), {}, sign_record(owner, {}, record));
    REQUIRE_FALSE(empty);
    CHECK(empty.error().code == ErrorCode::malformed);
    // One byte needs one chunk, and is enough.
    record.payload_bytes = 1;
    record.chunk_digests = {Digest{}};
    CHECK(verify_record(owner.id(), {}, sign_record(owner, {}, record)));
}

TEST_CASE("nobody signs a record or a lease of somebody else's seed") {
    const Identity owner = statement_signer(1);
    const Identity other = statement_signer(2);
    const auto record = *describe_seed(owner.id(), SeedVersion{1}, "mlp:32", Bytes(100), {});
    const Lease lease{owner.id(), SeedVersion{1}, 1, {}};
    CHECK(verify_record(owner.id(), {}, sign_record(owner, {}, record)));
    CHECK(verify_lease(owner.id(), {}, sign_lease(owner, {}, lease)));
    // The signature is genuine, and the statement speaks of another node.
    CHECK(verify_record(other.id(), {}, sign_record(other, {}, record)).error().code == ErrorCode::malformed);
    CHECK(verify_lease(other.id(), {}, sign_lease(other, {}, lease)).error().code == ErrorCode::malformed);
}

TEST_CASE("a hello that is too long is refused for its length alone") {
    Hello hello;
    hello.sender = statement_signer(1).id();
    Frames frames = encode(Envelope{1, hello});
    REQUIRE(decode(frames));
    frames[1].resize(kMaxHelloBody);
    CHECK(decode(frames).error().code == ErrorCode::malformed);
    frames[1].push_back(0);
    CHECK(decode(frames).error().code == ErrorCode::too_large);
}

TEST_CASE("bytes that are no key are refused, however much they resemble a key that was checked") {
    const NodeId known = statement_signer(1).id();
    REQUIRE(NodeId::from_bytes(known.bytes()));
    // About every other one is a point of the curve, and one of eight of those has prime order.
    std::size_t refused = 0;
    for (std::uint8_t last = 0; last < 64; ++last) {
        auto bytes = known.bytes();
        bytes[31] = last;
        refused += NodeId::from_bytes(bytes) ? 0 : 1;
    }
    CHECK(refused > 32);
    CHECK(NodeId::from_bytes(known.bytes()));
}
