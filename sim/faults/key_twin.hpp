#pragma once

#include <array>

#include "protocol/digest.hpp"
#include "protocol/identity.hpp"

namespace unlearn::sim::faults {

/// The second identity that comes with every key. Anyone who can sign for the point A can also sign for -A,
/// whose bytes differ only in the sign bit, and which has the same key on a connection. Ed25519 accepts its
/// signatures like any others. Only the rule that the sign bit of a NodeId is 0 keeps the twin from counting
/// as another node.
class KeyTwin {
  public:
    using Id = std::array<std::uint8_t, protocol::NodeId::kSize>;

    explicit KeyTwin(const protocol::Identity& identity);

    [[nodiscard]] const Id& id() const { return id_; }
    /// Returns a signature that `protocol::verify` would accept if the twin had a NodeId.
    [[nodiscard]] protocol::Signature sign(protocol::SigningPurpose purpose,
                                           const protocol::NetworkId& network,
                                           protocol::ByteView bytes) const;
    /// Returns `bytes` with the identity's id replaced by the twin's.
    [[nodiscard]] protocol::Bytes renamed(protocol::Bytes bytes) const;

  private:
    Id original_;
    Id id_;
    std::array<std::uint8_t, 32> scalar_{};  ///< the secret of -A
};

}  // namespace unlearn::sim::faults
