#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "protocol/engine/exit_digest.hpp"
#include "protocol/engine/own_exit.hpp"

namespace unlearn::protocol {

/// Owns the comparisons of known exits with neighbours, and which neighbours vouch since our start that no
/// exit was missed. The exits themselves belong to PeerExits and OwnExit.
class ExitComparison {
  public:
    ExitComparison(EngineContext& context, Writes& writes, Peers& peers, Sessions& sessions,
                   Erasures& erasures, OwnSeed& own_seed, HeldSeeds& held, PeerExits& others,
                   OwnExit& own_exit, OwnState& own_state)
        : context_(context),
          writes_(writes),
          peers_(peers),
          sessions_(sessions),
          erasures_(erasures),
          own_seed_(own_seed),
          held_(held),
          others_(others),
          own_exit_(own_exit),
          own_state_(own_state),
          random_state_(context.config.random_seed) {}

    /// From now on neighbours have to vouch, except at the first start of all: then nothing can be missing.
    void start() {
        started_at_ = context_.now.steady;
        settled_ = own_state_.is_first_start();
    }
    /// Our state has turned out to be an old copy, so exits that came after it may be unknown here: all
    /// neighbours are asked anew.
    void doubt();
    /// The operator says that no exit was missed.
    void settle();

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
    /// True from our start until a neighbour other than the owner has vouched that the owner has not left.
    [[nodiscard]] bool keeps_out(const NodeId& owner) const { return !settled_ && !is_vouched_for(owner); }

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
    /// What a neighbour said in its last comparison.
    struct Voucher {
        std::set<BurntId> left;           ///< known owners whose exit it knows and we do not
        bool knows_nothing_else = false;  ///< nor does it know any exit of a stranger that we lack
    };
    /// Records what the peer of a session said, if its word counts.
    void note_voucher(const Session& session, Voucher voucher);
    /// True when a neighbour that would not be believed is believed all the same, after the time of a lease.
    [[nodiscard]] bool waited_long_enough() const;
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
    OwnState& own_state_;
    std::map<SessionId, Comparison> running_;
    std::map<SessionId, Answered> answered_;
    SteadyTime next_comparison_{};
    SteadyTime started_at_{};
    bool settled_ = false;  ///< enough neighbours have vouched since our start
    std::map<NodeId, Voucher> vouchers_;
    std::uint64_t random_state_ = 0;
};

}  // namespace unlearn::protocol
