#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "protocol/engine/exit_digest.hpp"
#include "protocol/engine/own_exit.hpp"

namespace unlearn::protocol {

/// Owns what this node and its neighbours have found out about each other's known exits: comparisons under
/// way, and, in a state that was restored from a backup, which neighbours vouch that nothing was missed. The
/// digests and notices themselves are the exits'.
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
    /// The state comes from a backup: exits that came after it may be unknown here.
    void set_restored() { restored_ = true; }

    void begin(SessionId id, Session& session);
    void take_digest(SessionId id, Session& session, const DigestMessage& digest);
    /// @return why the peer breaks the protocol
    [[nodiscard]] Result<void> take_delta(SessionId id, Session& session, const Delta& delta);
    void tick();
    /// The session is over.
    void forget(SessionId id);
    /// A stranger became known. Its exit may be among those that neighbours know and that were left out when
    /// they vouched.
    void compare_again();

    /// A neighbour, a recipient of our seed, or the owner of a seed that may be here.
    [[nodiscard]] bool is_known_owner(const NodeId& owner) const;
    /// In a restored state: nobody has vouched yet that the owner has not left.
    [[nodiscard]] bool keeps_out(const NodeId& owner) const { return restored_ && !is_vouched_for(owner); }

  private:
    /// A comparison that we began.
    struct Comparison {
        DigestSalt salt;
        std::vector<BurntId> known_there;
    };
    /// The comparison of a peer that we answered last.
    struct Answered {
        std::optional<DigestSalt> salt;  ///< it may ask notices for this one
        SteadyTime at{};
    };

    void finish(SessionId id, Session& session, std::uint64_t buckets);
    void send_delta(SessionId id, Session& session, const DigestSalt& salt, DeltaPart part,
                    std::uint64_t buckets, const std::vector<BurntId>& ids);
    void send_notices(SessionId id, Session& session, std::vector<BurntId> ids);
    void note_voucher(const NodeId& peer, bool knows_nothing_else);
    [[nodiscard]] bool is_vouched_for(const NodeId& owner) const;
    [[nodiscard]] bool suffices_alone(const NodeId& peer) const;
    /// All known owners, as raw ids. Ids that a peer names are not validated as keys here, because that is
    /// expensive.
    [[nodiscard]] std::set<BurntId> known_owners() const;
    /// Sorted ids of all owners whose exit is durable here, and our own once it is announced.
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
    /// While restored: neighbours that knew of no exit of anybody we know that was unknown here; whether they
    /// knew of none at all.
    std::map<NodeId, bool> vouchers_;
    std::uint64_t random_state_ = 0;
};

}  // namespace unlearn::protocol
