#include "protocol/identity.hpp"

#include <cassert>
#include <cstdlib>
#include <optional>

#include <sodium.h>

#include "protocol/endpoint.hpp"

namespace unlearn::protocol {
namespace {

constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz234567";  // RFC 4648, lower case
constexpr std::size_t kChecksumSize = 3;
constexpr std::size_t kTextSize = (NodeId::kSize + kChecksumSize) * 8 / 5;
static_assert((NodeId::kSize + kChecksumSize) * 8 % 5 == 0, "the text form has no padding");

/// libsodium must be initialised before its first use; the call is cheap and safe to repeat.
void ensure_sodium() {
    static const bool ready = sodium_init() >= 0;
    if (!ready) std::abort();
}

std::array<std::uint8_t, kChecksumSize> checksum(ByteView id) {
    Bytes input{'u', 'n', 'l', 'e', 'a', 'r', 'n', 'd', ' ', 'i', 'd'};
    input.insert(input.end(), id.begin(), id.end());
    const Digest digest = digest_of(input);
    return {digest.value[0], digest.value[1], digest.value[2]};
}

/// A cache of keys that were found to be points of prime order. The check costs about 25 us, and messages and
/// database rows name the same few nodes again and again. Each key has one place in the cache; another key
/// with the same place replaces it.
class CheckedKeys {
  public:
    [[nodiscard]] bool contains(ByteView key) const {
        const auto& there = places_[place_of(key)];
        return there && std::equal(key.begin(), key.end(), there->begin());
    }
    void add(ByteView key) { std::copy(key.begin(), key.end(), places_[place_of(key)].emplace().begin()); }

  private:
    static constexpr std::size_t kPlaces = 2048;
    static std::size_t place_of(ByteView key) { return (key[0] | std::size_t{key[1]} << 8U) % kPlaces; }

    std::array<std::optional<std::array<std::uint8_t, NodeId::kSize>>, kPlaces> places_;
};

bool is_public_key(ByteView key) {
    thread_local CheckedKeys checked;
    if (checked.contains(key)) return true;
    std::array<std::uint8_t, 32> curve{};
    if (crypto_sign_ed25519_pk_to_curve25519(curve.data(), key.data()) != 0) return false;
    checked.add(key);
    return true;
}

}  // namespace

Result<NodeId> NodeId::from_checked_bytes(ByteView bytes) {
    if (bytes.size() != kSize) return fail(ErrorCode::bad_identity, "a node id has 32 bytes");
    if ((bytes[31] & 0x80U) != 0) return fail(ErrorCode::bad_identity, "the sign bit of a node id must be 0");
    NodeId id;
    std::copy(bytes.begin(), bytes.end(), id.value_.begin());
    return id;
}

Result<NodeId> NodeId::from_bytes(ByteView bytes) {
    ensure_sodium();
    auto id = from_checked_bytes(bytes);
    if (id && !is_public_key(bytes)) return fail(ErrorCode::bad_identity, "not an Ed25519 public key");
    return id;
}

Result<NodeId> NodeId::from_text(std::string_view text) {
    if (text.size() != kTextSize)
        return fail(ErrorCode::bad_identity, "a node id has " + std::to_string(kTextSize) + " characters");
    Bytes bytes;
    std::uint32_t buffer = 0;
    int bits = 0;
    for (const char c : text) {
        const auto digit = kAlphabet.find(c);
        if (digit == std::string_view::npos)
            return fail(ErrorCode::bad_identity, c > ' ' && c < '\x7F'
                                                     ? std::string("a node id has no '") + c + "'"
                                                     : "a node id has letters and digits only");
        buffer = (buffer << 5) | static_cast<std::uint32_t>(digit);
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            bytes.push_back(static_cast<std::uint8_t>(buffer >> bits));
        }
    }
    const ByteView id{bytes.data(), kSize};
    const auto expected = checksum(id);
    if (!std::equal(expected.begin(), expected.end(), bytes.begin() + kSize))
        return fail(ErrorCode::bad_identity,
                    "the checksum of the node id does not fit: a character was mistyped");
    return from_bytes(id);
}

std::string NodeId::text() const {
    Bytes bytes(value_.begin(), value_.end());
    for (const auto byte : checksum(view()))
        bytes.push_back(byte);
    std::string out;
    std::uint32_t buffer = 0;
    int bits = 0;
    for (const auto byte : bytes) {
        buffer = (buffer << 8) | byte;
        bits += 8;
        while (bits >= 5) {
            bits -= 5;
            out.push_back(kAlphabet[(buffer >> bits) & 31U]);
        }
    }
    return out;
}

CurvePublicKey NodeId::curve_key() const {
    ensure_sodium();
    CurvePublicKey key;
    // The key was checked when the id was made. Only the all-zero id can fail, and it names no node.
    if (crypto_sign_ed25519_pk_to_curve25519(key.value.data(), value_.data()) != 0) key = {};
    return key;
}

Identity Identity::generate() {
    ensure_sodium();
    SecretSeed seed;
    randombytes_buf(seed.data(), seed.size());
    Identity identity = from_seed(seed);
    sodium_memzero(seed.data(), seed.size());
    return identity;
}

Identity Identity::from_seed(const SecretSeed& seed) {
    ensure_sodium();
    Identity identity;
    SecretSeed candidate = seed;
    while (true) {
        crypto_sign_seed_keypair(identity.id_.value_.data(), identity.secret_.data(), candidate.data());
        if ((identity.id_.value_[31] & 0x80U) == 0) break;
        const Digest next = digest_of(candidate);
        candidate = next.value;
    }
    sodium_memzero(candidate.data(), candidate.size());
    return identity;
}

Identity::Identity(Identity&& other) noexcept : id_(other.id_), secret_(other.secret_) {
    sodium_memzero(other.secret_.data(), other.secret_.size());
}

Identity& Identity::operator=(Identity&& other) noexcept {
    if (this != &other) {
        id_ = other.id_;
        secret_ = other.secret_;
        sodium_memzero(other.secret_.data(), other.secret_.size());
    }
    return *this;
}

Identity::~Identity() {
    sodium_memzero(secret_.data(), secret_.size());
}

Identity::SecretSeed Identity::secret_seed() const {
    SecretSeed seed;
    crypto_sign_ed25519_sk_to_seed(seed.data(), secret_.data());
    return seed;
}

std::array<std::uint8_t, 32> Identity::curve_secret_key() const {
    std::array<std::uint8_t, 32> out{};
    const int rc = crypto_sign_ed25519_sk_to_curve25519(out.data(), secret_.data());
    assert(rc == 0);
    static_cast<void>(rc);
    return out;
}

Bytes message_to_sign(SigningPurpose purpose, const NetworkId& network, ByteView bytes) {
    constexpr std::string_view domain = "unlearnd v1";
    Bytes out(domain.begin(), domain.end());
    out.push_back(static_cast<std::uint8_t>(purpose));
    out.insert(out.end(), network.value.begin(), network.value.end());
    out.insert(out.end(), bytes.begin(), bytes.end());
    return out;
}

Signature Identity::sign(SigningPurpose purpose, const NetworkId& network, ByteView bytes) const {
    const Bytes message = message_to_sign(purpose, network, bytes);
    Signature signature;
    crypto_sign_detached(signature.value.data(), nullptr, message.data(), message.size(), secret_.data());
    return signature;
}

bool verify(const NodeId& signer, SigningPurpose purpose, const NetworkId& network, ByteView bytes,
            const Signature& signature) {
    ensure_sodium();
    const Bytes message = message_to_sign(purpose, network, bytes);
    return crypto_sign_verify_detached(signature.value.data(), message.data(), message.size(),
                                       signer.view().data()) == 0;
}

Result<PeerAddress> PeerAddress::from_text(std::string_view text) {
    const auto at = text.find('@');
    if (at == std::string_view::npos)
        return fail(ErrorCode::malformed, "a peer address has the form NODE-ID@tcp://HOST:PORT");
    auto id = NodeId::from_text(text.substr(0, at));
    if (!id) return tl::unexpected(id.error());
    const auto endpoint = parse_endpoint(text.substr(at + 1), EndpointUse::dial);
    if (!endpoint) return tl::unexpected(endpoint.error());
    return PeerAddress{*id, endpoint->text()};
}

}  // namespace unlearn::protocol
