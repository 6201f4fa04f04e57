#include "protocol/identity.hpp"

#include <doctest/doctest.h>

using namespace unlearn::protocol;

namespace {

Identity identity_number(std::uint8_t number) {
    Identity::SecretSeed seed{};
    seed[0] = number;
    return Identity::from_seed(seed);
}

}  // namespace

TEST_CASE("a node id survives its text form, and a mistyped one is refused") {
    for (std::uint8_t number = 0; number < 32; ++number) {
        const Identity identity = identity_number(number);
        const std::string text = identity.id().text();
        CHECK(text.size() == 56);
        REQUIRE(NodeId::from_text(text).has_value());
        CHECK(*NodeId::from_text(text) == identity.id());

        std::string mistyped = text;
        mistyped[number] = mistyped[number] == 'a' ? 'b' : 'a';
        CHECK_FALSE(NodeId::from_text(mistyped).has_value());
        std::string swapped = text;
        std::swap(swapped[10], swapped[11]);
        if (swapped != text) CHECK_FALSE(NodeId::from_text(swapped).has_value());
    }
    CHECK_FALSE(NodeId::from_text("").has_value());
    CHECK_FALSE(NodeId::from_text(std::string(56, '!')).has_value());
}

TEST_CASE("the negative twin of a key cannot be a node id") {
    for (std::uint8_t number = 0; number < 64; ++number) {
        const Identity identity = identity_number(number);
        auto twin = identity.id().bytes();
        CHECK((twin[31] & 0x80) == 0);
        twin[31] ^= 0x80;
        const auto decoded = NodeId::from_bytes(twin);
        REQUIRE_FALSE(decoded.has_value());
        CHECK(decoded.error().code == ErrorCode::bad_identity);
    }
}

TEST_CASE("bytes that are no curve point are no node id") {
    std::array<std::uint8_t, 32> zero{};
    CHECK_FALSE(NodeId::from_bytes(zero).has_value());
    CHECK_FALSE(NodeId::from_bytes(ByteView(zero).first(31)).has_value());
}

TEST_CASE("a signature fits one signer, one purpose, one network and the exact bytes") {
    const Identity signer = identity_number(1);
    const Identity other = identity_number(2);
    NetworkId network{};
    NetworkId other_network{};
    other_network.value[0] = 1;
    Bytes bytes{1, 2, 3};
    const Signature signature = signer.sign(SigningPurpose::receipt, network, bytes);
    CHECK(verify(signer.id(), SigningPurpose::receipt, network, bytes, signature));
    CHECK_FALSE(verify(other.id(), SigningPurpose::receipt, network, bytes, signature));
    CHECK_FALSE(verify(signer.id(), SigningPurpose::exit_notice, network, bytes, signature));
    CHECK_FALSE(verify(signer.id(), SigningPurpose::receipt, other_network, bytes, signature));
    bytes.push_back(4);
    CHECK_FALSE(verify(signer.id(), SigningPurpose::receipt, network, bytes, signature));
}

TEST_CASE("the identity of a seed is always the same, and its secret seed gives it back") {
    const Identity a = identity_number(9);
    const Identity b = identity_number(9);
    CHECK(a.id() == b.id());
    const Identity c = Identity::from_seed(a.secret_seed());
    CHECK(c.id() == a.id());
    CHECK(Identity::generate().id() != Identity::generate().id());
}

TEST_CASE("peer addresses") {
    const std::string id = identity_number(3).id().text();
    const auto address = PeerAddress::from_text(id + "@tcp://host.example:4711");
    REQUIRE(address.has_value());
    CHECK(address->endpoint == "tcp://host.example:4711");
    CHECK(address->text() == id + "@tcp://host.example:4711");
    for (const char* bad : {"", "@", "@tcp://h:1"})
        CHECK_FALSE(PeerAddress::from_text(bad).has_value());
    for (const char* end :
         {"", "@", "@udp://h:1", "@tcp://:1", "@tcp://h", "@tcp://h:0", "@tcp://h:65536", "@tcp://h:1x"})
        CHECK_FALSE(PeerAddress::from_text(id + end).has_value());
}

TEST_CASE("networks that differ in anything have different ids") {
    const NetworkDescription base{"net", {1, 28, 28}, {"a", "b"}, "scale", {}};
    auto changed = base;
    CHECK(network_id_of(base) == network_id_of(changed));
    changed.classes = {"b", "a"};
    CHECK(network_id_of(base) != network_id_of(changed));
    changed = base;
    changed.classes = {"ab"};
    CHECK(network_id_of(base) != network_id_of(changed));
    changed = base;
    changed.reference_set.value[5] = 1;
    CHECK(network_id_of(base) != network_id_of(changed));
    changed = base;
    changed.input_shape = {3, 28, 28};
    CHECK(network_id_of(base) != network_id_of(changed));
    // Names of columns and their order.
    changed = base;
    changed.columns = {"x", "y"};
    const auto named = network_id_of(changed);
    CHECK(named != network_id_of(base));
    changed.columns = {"y", "x"};
    CHECK(named != network_id_of(changed));
    changed.columns = {"x", "y", ""};
    CHECK(named != network_id_of(changed));
    changed.columns = {"xy"};
    CHECK(named != network_id_of(changed));
    // The feature map: its recipe and what it was learned to be.
    changed = base;
    changed.feature_recipe = "fourier:64";
    const auto with_features = network_id_of(changed);
    CHECK(with_features != network_id_of(base));
    changed.feature_map.value[31] = 1;
    CHECK(with_features != network_id_of(changed));
    changed.feature_map = {};
    changed.feature_recipe = "fourier:65";
    CHECK(with_features != network_id_of(changed));
    changed.feature_recipe = "fourier:64";
    changed.columns = {"x", "y"};
    CHECK(with_features != network_id_of(changed));
    CHECK(named != network_id_of(changed));
    // A digest without a recipe means nothing.
    changed = base;
    changed.feature_map.value[0] = 1;
    CHECK(network_id_of(changed) == network_id_of(base));
}
