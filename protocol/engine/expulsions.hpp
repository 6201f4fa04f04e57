#pragma once

#include <map>
#include <optional>
#include <vector>

#include "protocol/engine/network_key.hpp"
#include "protocol/engine/peer_exits.hpp"

namespace unlearn::protocol {

/// Owns the revocations: the members that the network's key has expelled. An expulsion counts from the moment
/// it arrives, durable or not, and is final. It is passed on once it is durable. The seed of an expelled
/// member goes out of use at once and is erased as at an exit. The member's own exit may follow.
class Expulsions {
  public:
    Expulsions(EngineContext& context, Writes& writes, const NetworkKey& network_key, Erasures& erasures,
               HeldSeeds& held, const PeerExits& exits)
        : context_(context),
          writes_(writes),
          network_key_(network_key),
          erasures_(erasures),
          held_(held),
          exits_(exits) {}

    void load(LoadedState& state);
    /// Continues the erasures that a stop interrupted.
    void start();

    /// Takes a revocation. One that the network's key of today did not sign is ignored.
    /// @return whether it expels somebody who was not expelled yet, or an error when it breaks the protocol
    [[nodiscard]] Result<bool> take(const SignedBytes& revocation);
    /// Continues the erasure as far as possible. Nothing happens for a member that is not expelled.
    void advance(const NodeId& member);
    void on(const after_write::RevocationStored& stored);
    void on(const after_write::ExpelledSeedErased& stored);

    [[nodiscard]] bool contains(const NodeId& member) const { return expelled_.contains(member); }
    [[nodiscard]] std::size_t size() const { return expelled_.size(); }
    /// The revocation of a member, once it is durable. @return nullptr for others
    [[nodiscard]] const SignedBytes* revocation_of(const NodeId& member) const;
    /// All durable revocations, in the order of their members.
    [[nodiscard]] std::vector<SignedBytes> durable() const;
    /// The durable revocations that the key of today has signed: others take no other ones.
    [[nodiscard]] std::vector<SignedBytes> signed_by_current_key() const;

  private:
    struct Expelled {
        SignedBytes revocation;
        NodeId signed_by;
        bool durable = false;
        bool erase_asked = false;
        bool erased = false;
    };

    void advance(const NodeId& member, Expelled& expelled);

    EngineContext& context_;
    Writes& writes_;
    const NetworkKey& network_key_;
    Erasures& erasures_;
    HeldSeeds& held_;
    const PeerExits& exits_;
    std::map<NodeId, Expelled> expelled_;
};

}  // namespace unlearn::protocol
