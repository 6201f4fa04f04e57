#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "protocol/engine/exit_digest.hpp"
#include "protocol/engine/own_exit.hpp"

namespace unlearn::protocol {

/// Owns the comparisons of known exits with neighbours. In a state restored from a backup it also owns which
/// neighbours vouch that no exit was missed. The exits themselves belong to PeerExits and OwnExit.
class ExitComparison {
  public:
    ExitComparison(EngineContext& context, Writes& writes, Peers& peers, Sessions& sessions,
                   Erasures& erasures, OwnSeed& own_seed, HeldSeeds& held, PeerExits& others,
                   OwnExit& own_exit)
        : context_(context),
          writes_(writes),
          peers_(peers),
          sessions_(sessions),
          erasures_(erasures),
          own_seed_(own_seed),
          held_(held),
          others_(others),
          own_exit_(own_exit),
          random_state_(context.config.random_seed) {}

    void load(const LoadedState& state) { restored_ = state.restored; }
    void start() { started_at_ = context_.now.steady; }
    /// The state comes from a backup, so exits that came after it may be unknown here.
    void set_restored() { restored_ = true; }

    /// Begins a comparison with the peer of a session.
    void begin(SessionId id, Session& session);
    /// Answers a comparison that a peer began. One that comes within kCompareAtMostEvery is ignored.
    void take_digest(SessionId id, Session& session, const DigestMessage& digest);
    /// Handles either part of a Delta. @return an error when the message breaks the protocol
    [[nodiscard]] Result<void> take_delta(SessionId id, Session& session, const Delta& delta);
    /// Begins a comparison with a random neighbour from time to time.
    void tick();
    /// Forgets the comparisons of a session that is over.
    void forget(SessionId id);
    /// Withdraws all vouching and compares again, because a node that was a stranger is now a peer. Its exit
    /// may be among those that were left out when neighbours vouched.
    void compare_again();

    /// True for a known peer, a recipient of our seed, or the owner of a seed that may be on disk.
    [[nodiscard]] bool is_known_owner(const NodeId& owner) const;
    /// True in a restored state until a neighbour has vouched that the owner has not left.
    [[nodiscard]] bool keeps_out(const NodeId& owner) const { return restored_ && !is_vouched_for(owner); }

  private:
    /// A comparison that we began in a session.
    struct Comparison {
        DigestSalt salt;
        std::vector<BurntId> known_there;  ///< the ids that the peer has named so far
    };
    /// The last comparison that we answered in a session.
    struct Answered {
        std::optional<DigestSalt> salt;  ///< the peer may ask for notices with this salt
        SteadyTime at{};
    };

    void finish(SessionId id, Session& session, std::uint64_t buckets);
    void send_delta(SessionId id, Session& session, const DigestSalt& salt, DeltaPart part,
                    std::uint64_t buckets, const std::vector<BurntId>& ids);
    void send_notices(SessionId id, Session& session, std::vector<BurntId> ids);
    /// Records that `peer` knows of no exit of a known owner that is unknown here. `knows_nothing_else`
    /// says that it knows of no other unknown exit either.
    void note_voucher(const NodeId& peer, bool knows_nothing_else);
    [[nodiscard]] bool is_vouched_for(const NodeId& owner) const;
    [[nodiscard]] bool suffices_alone(const NodeId& peer) const;
    /// The ids of all known owners, see `is_known_owner`. They are raw, because it is expensive to check
    /// whether the ids that a peer names are keys.
    [[nodiscard]] std::set<BurntId> known_owners() const;
    /// The sorted ids of all owners whose exit is durable here, and our own once our exit is announced.
    [[nodiscard]] std::vector<BurntId> burnt_ids() const;
    [[nodiscard]] std::uint64_t draw();

    EngineContext& context_;
    Writes& writes_;
    Peers& peers_;
    Sessions& sessions_;
    Erasures& erasures_;
    OwnSeed& own_seed_;
    HeldSeeds& held_;
    PeerExits& others_;
    OwnExit& own_exit_;
    std::map<SessionId, Comparison> running_;
    std::map<SessionId, Answered> answered_;
    SteadyTime next_comparison_{};
    SteadyTime started_at_{};
    bool restored_ = false;
    /// In a restored state: the neighbours that have vouched, see `note_voucher`. The value is
    /// `knows_nothing_else`.
    std::map<NodeId, bool> vouchers_;
    std::uint64_t random_state_ = 0;
};

}  // namespace unlearn::protocol
