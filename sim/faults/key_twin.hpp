#pragma once

#include <array>

#include "protocol/digest.hpp"
#include "protocol/identity.hpp"

namespace unlearn::sim::faults {

/// The second identity that comes with every key: who can sign for the point A can sign for -A too, whose
/// bytes differ in the sign bit alone, and which has the same key on a connection. To Ed25519 its signatures
/// are as good as any; only the rule that the sign bit of a node id is 0 tells it from a stranger.
class KeyTwin {
  public:
    using Id = std::array<std::uint8_t, protocol::NodeId::kSize>;

    explicit KeyTwin(const protocol::Identity& identity);

    [[nodiscard]] const Id& id() const { return id_; }
    /// What `protocol::verify` would accept if there were a NodeId of the twin.
    [[nodiscard]] protocol::Signature sign(protocol::SigningPurpose purpose,
                                           const protocol::NetworkId& network,
                                           protocol::ByteView bytes) const;
    /// `bytes` with the twin's id in the place of the identity's.
    [[nodiscard]] protocol::Bytes renamed(protocol::Bytes bytes) const;

  private:
    Id original_;
    Id id_;
    std::array<std::uint8_t, 32> scalar_{};  ///< the secret of -A
};

}  // namespace unlearn::sim::faults
