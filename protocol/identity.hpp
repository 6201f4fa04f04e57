#pragma once

#include <array>
#include <string>
#include <string_view>

#include "protocol/bytes.hpp"
#include "protocol/digest.hpp"

namespace unlearn::protocol {

/// X25519 public key, what CURVE authenticates.
using CurvePublicKey = FixedBytes<32, struct CurvePublicKeyTag>;
/// Ed25519 signature (RFC 8032).
using Signature = FixedBytes<64, struct SignatureTag>;

/// Who a node is: an Ed25519 public key whose sign bit is 0. Text form: 56 lower-case base32 characters, of
/// which the last three bytes' worth are a checksum.
///
/// A key and its negative share one X25519 key, so a burnt identity could come back as its twin. Only the
/// half with sign bit 0 exists for us: generation looks for it and decoding refuses the other.
class NodeId {
  public:
    static constexpr std::size_t kSize = 32;
    /// The all-zero id: no node has it.
    NodeId() = default;

    /// @return bad_identity when the bytes are no Ed25519 point of prime order or have the sign bit set.
    [[nodiscard]] static Result<NodeId> from_bytes(ByteView bytes);
    /// Parses the text form. @return bad_identity on a wrong length, alphabet or checksum.
    [[nodiscard]] static Result<NodeId> from_text(std::string_view text);

    [[nodiscard]] ByteView view() const { return {value_.data(), value_.size()}; }
    [[nodiscard]] const std::array<std::uint8_t, 32>& bytes() const { return value_; }
    [[nodiscard]] std::string text() const;
    /// First ten characters of the text form, for logs and tables.
    [[nodiscard]] std::string short_text() const { return text().substr(0, 10); }
    /// The X25519 key that a peer with this id must hold.
    [[nodiscard]] CurvePublicKey curve_key() const;

    auto operator<=>(const NodeId&) const = default;

  private:
    friend class Identity;
    std::array<std::uint8_t, 32> value_{};
};

/// What a signature is for; a signature for one purpose never fits another.
enum class SigningPurpose : std::uint8_t {
    seed_record = 1,
    exit_notice = 2,
    receipt = 3,
    lease = 4,
    membership = 5,
};

/// A node's own keys. Move-only; the secret is wiped on destruction.
class Identity {
  public:
    static constexpr std::size_t kSeedSize = 32;
    using SecretSeed = std::array<std::uint8_t, kSeedSize>;

    /// A new identity from the operating system's random numbers.
    [[nodiscard]] static Identity generate();
    /// The identity that `seed` stands for. Seeds whose key has the sign bit set are hashed again until one
    /// has not, so every seed gives exactly one identity.
    [[nodiscard]] static Identity from_seed(const SecretSeed& seed);

    Identity(Identity&& other) noexcept;
    Identity& operator=(Identity&& other) noexcept;
    Identity(const Identity&) = delete;
    Identity& operator=(const Identity&) = delete;
    ~Identity();

    [[nodiscard]] const NodeId& id() const { return id_; }
    /// The 32 bytes to keep in a key file. Secret.
    [[nodiscard]] SecretSeed secret_seed() const;
    /// The X25519 secret key for CURVE. Secret.
    [[nodiscard]] std::array<std::uint8_t, 32> curve_secret_key() const;

    /// Signs `bytes` for one purpose in one network.
    [[nodiscard]] Signature sign(SigningPurpose purpose, const NetworkId& network, ByteView bytes) const;

  private:
    Identity() = default;
    NodeId id_;
    std::array<std::uint8_t, 64> secret_{};
};

/// What is really signed. Purpose and network come first, with a fixed length, so that no two (purpose,
/// network, bytes) share one message.
[[nodiscard]] Bytes message_to_sign(SigningPurpose purpose, const NetworkId& network, ByteView bytes);

/// True when `signature` was made by `signer` over exactly these bytes, purpose and network.
[[nodiscard]] bool verify(const NodeId& signer, SigningPurpose purpose, const NetworkId& network,
                          ByteView bytes, const Signature& signature);

/// Where to reach a peer safely: `NodeId@tcp://host:port`.
struct PeerAddress {
    NodeId id;
    std::string endpoint;  ///< `tcp://host:port`

    [[nodiscard]] static Result<PeerAddress> from_text(std::string_view text);
    [[nodiscard]] std::string text() const { return id.text() + "@" + endpoint; }
};

}  // namespace unlearn::protocol
