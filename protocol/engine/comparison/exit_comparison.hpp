#pragma once

#include <map>
#include <set>

#include "protocol/engine/comparison/digest_comparison.hpp"
#include "protocol/engine/comparison/exit_reconciliation.hpp"

namespace unlearn::protocol {

/// Owns when exits are compared with which neighbour, and which neighbours vouch since our start that no exit
/// was missed. DigestComparison compares with neighbours of version 1, ExitReconciliation with others.
class ExitComparison {
  public:
    ExitComparison(EngineContext& context, Peers& peers, Sessions& sessions, Erasures& erasures,
                   OwnSeed& own_seed, HeldSeeds& held, PeerExits& others, OwnExit& own_exit,
                   OwnState& own_state)
        : context_(context),
          peers_(peers),
          sessions_(sessions),
          erasures_(erasures),
          own_seed_(own_seed),
          held_(held),
          others_(others),
          own_state_(own_state),
          known_(context, sessions, others, own_exit),
          version_one_(context, sessions, about()),
          reconciliation_(context, sessions, about()) {}

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
    void take_digest(SessionId id, Session& session, const DigestMessage& digest) {
        version_one_.take_digest(id, session, digest);
    }
    void take_delta(SessionId id, Session& session, const Delta& delta) {
        version_one_.take_delta(id, session, delta);
    }
    void take_query(SessionId id, Session& session, const ExitQuery& query) {
        reconciliation_.take_query(id, session, query);
    }
    /// @return an error when the answer breaks the protocol
    [[nodiscard]] Result<void> take_answer(SessionId id, Session& session, const ExitAnswer& answer) {
        return reconciliation_.take_answer(id, session, answer);
    }
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
    /// The owners whose exits this node tells of.
    [[nodiscard]] const ExitSet& exits() { return known_.set(); }

  private:
    /// What a neighbour said in its last comparison.
    struct Voucher {
        std::set<ExitedId> in_doubt;      ///< owners for which it does not vouch
        bool knows_nothing_else = false;  ///< it knows no exit at all that we lack
    };
    [[nodiscard]] ComparisonContext about();
    void conclude(const Compared& result);
    /// Records what the peer of a session said, if its word counts.
    void note_voucher(const Session& session, Voucher voucher);
    void ask_all_anew();
    /// True when a neighbour that would not be believed is believed all the same, after the time of a lease.
    [[nodiscard]] bool waited_long_enough() const;
    [[nodiscard]] bool is_vouched_for(const NodeId& owner) const;
    [[nodiscard]] bool suffices_alone(const NodeId& peer) const;
    /// The ids of all known owners, see `is_known_owner`. They are raw, because it is expensive to check
    /// whether the ids that a peer names are keys.
    [[nodiscard]] std::set<ExitedId> known_owners() const;

    EngineContext& context_;
    Peers& peers_;
    Sessions& sessions_;
    Erasures& erasures_;
    OwnSeed& own_seed_;
    HeldSeeds& held_;
    PeerExits& others_;
    OwnState& own_state_;
    KnownExits known_;
    DigestComparison version_one_;
    ExitReconciliation reconciliation_;
    SteadyTime next_comparison_{};
    SteadyTime started_at_{};
    bool settled_ = false;  ///< enough neighbours have vouched since our start
    std::map<NodeId, Voucher> vouchers_;
};

}  // namespace unlearn::protocol
