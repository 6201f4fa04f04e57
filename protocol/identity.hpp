#pragma once

#include <array>
#include <string>
#include <string_view>

#include "protocol/bytes.hpp"
#include "protocol/digest.hpp"

namespace unlearn::protocol {

/// An X25519 public key, which CURVE authenticates.
using CurvePublicKey = FixedBytes<32, struct CurvePublicKeyTag>;
/// An Ed25519 signature (RFC 8032).
using Signature = FixedBytes<64, struct SignatureTag>;

/// The id of a node: an Ed25519 public key whose sign bit is 0. Its text form is 56 lower-case base32
/// characters for the 32 bytes of the key and a checksum of 3 bytes.
///
/// A key and its negative share one X25519 key, so an identity that has left could come back as its negative.
/// Therefore only keys with sign bit 0 are ids: generation searches for one, and decoding refuses the others.
class NodeId {
  public:
    static constexpr std::size_t kSize = 32;
    /// The all-zero id, which no node has.
    NodeId() = default;

    /// @return bad_identity unless there are 32 bytes: an Ed25519 point of prime order with sign bit 0
    [[nodiscard]] static Result<NodeId> from_bytes(ByteView bytes);
    /// The same for bytes that were an id before, as those of a statement that was verified and then stored.
    /// It does not check again whether they are a point, which costs a tenth of a millisecond.
    [[nodiscard]] static Result<NodeId> from_checked_bytes(ByteView bytes);
    /// Parses the text form. @return bad_identity for a wrong length, character, checksum or key
    [[nodiscard]] static Result<NodeId> from_text(std::string_view text);

    [[nodiscard]] ByteView view() const { return {value_.data(), value_.size()}; }
    [[nodiscard]] const std::array<std::uint8_t, 32>& bytes() const { return value_; }
    [[nodiscard]] std::string text() const;
    /// The first ten characters of the text form, for logs and tables.
    [[nodiscard]] std::string short_text() const { return text().substr(0, 10); }
    /// The X25519 key that a peer with this id must hold.
    [[nodiscard]] CurvePublicKey curve_key() const;

    auto operator<=>(const NodeId&) const = default;

  private:
    friend class Identity;
    std::array<std::uint8_t, 32> value_{};
};

/// What a signature is for. A signature made for one purpose is never valid for another.
enum class SigningPurpose : std::uint8_t {
    seed_record = 1,
    exit_notice = 2,
    receipt = 3,
    lease = 4,
    membership = 5,
    holder_list = 6,
    state = 7,
    receipt_2 = 8,
    term_membership = 9,
    revocation = 10,
    succession = 11,
};

/// A node's own key pair. It is move-only, and its destructor wipes the secret.
class Identity {
  public:
    static constexpr std::size_t kSeedSize = 32;
    using SecretSeed = std::array<std::uint8_t, kSeedSize>;

    /// Makes a new identity from the operating system's random numbers.
    [[nodiscard]] static Identity generate();
    /// Derives the identity from `seed`. While the resulting key has the sign bit set, the seed is hashed
    /// again, so every seed gives exactly one identity.
    [[nodiscard]] static Identity from_seed(const SecretSeed& seed);

    Identity(Identity&& other) noexcept;
    Identity& operator=(Identity&& other) noexcept;
    Identity(const Identity&) = delete;
    Identity& operator=(const Identity&) = delete;
    ~Identity();

    [[nodiscard]] const NodeId& id() const { return id_; }
    /// The 32 secret bytes to keep in a key file.
    [[nodiscard]] SecretSeed secret_seed() const;
    /// The X25519 secret key for CURVE.
    [[nodiscard]] std::array<std::uint8_t, 32> curve_secret_key() const;

    /// Signs `bytes` for one purpose in one network.
    [[nodiscard]] Signature sign(SigningPurpose purpose, const NetworkId& network, ByteView bytes) const;

  private:
    Identity() = default;
    NodeId id_;
    std::array<std::uint8_t, 64> secret_{};
};

/// Returns the bytes that a signature covers. Purpose and network come first, with a fixed length, so that
/// two different triples (purpose, network, bytes) never give the same message.
[[nodiscard]] Bytes message_to_sign(SigningPurpose purpose, const NetworkId& network, ByteView bytes);

/// Returns true when `signer` made `signature` over exactly these bytes, for this purpose and network.
[[nodiscard]] bool verify(const NodeId& signer, SigningPurpose purpose, const NetworkId& network,
                          ByteView bytes, const Signature& signature);

/// A peer's id and endpoint. The text form is `NODE-ID@tcp://host:port`.
struct PeerAddress {
    NodeId id;
    std::string endpoint;  ///< `tcp://host:port`

    /// @return malformed or bad_identity when the text is no such address
    [[nodiscard]] static Result<PeerAddress> from_text(std::string_view text);
    [[nodiscard]] std::string text() const { return id.text() + "@" + endpoint; }
};

}  // namespace unlearn::protocol
