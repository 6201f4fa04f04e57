#pragma once

#include <algorithm>
#include <functional>
#include <set>
#include <vector>

#include "protocol/engine/comparison/exit_set.hpp"
#include "protocol/engine/own_exit.hpp"

namespace unlearn::protocol {

/// Owns the set of exits that this node tells its neighbours of: those of others that are durable, and its
/// own once it is announced. The exits themselves belong to PeerExits and OwnExit.
class KnownExits {
  public:
    KnownExits(EngineContext& context, Sessions& sessions, PeerExits& others, OwnExit& own_exit)
        : context_(context), sessions_(sessions), others_(others), own_exit_(own_exit) {}

    using MaySend = std::function<bool(Kind kind, std::size_t bytes)>;

    /// The ids of the owners whose exits it tells of.
    [[nodiscard]] const ExitSet& set();
    /// True when the exit is known here, durable or not.
    [[nodiscard]] bool contains(const ExitedId& owner) const;
    /// How many exits of strangers can be taken from the peer now. With a network key, notices show by
    /// themselves whether they may be taken, and there is no limit.
    [[nodiscard]] std::size_t room_for_strangers(const NodeId& peer) const;
    /// Sends the notices of those of `owners` whose exits it tells of, in this order, each with the lists of
    /// holders that belong to it. `may_send` is asked before each message; it ends at the first notice, and
    /// leaves out each list, for which that returns false.
    void send_notices(SessionId id, Session& session, const std::vector<ExitedId>& owners,
                      const MaySend& may_send);

  private:
    EngineContext& context_;
    Sessions& sessions_;
    PeerExits& others_;
    OwnExit& own_exit_;
    ExitSet set_;
};

/// Calls `send(part, last)` with `ids` in parts of at most kMaxDeltaIds, and once when there are none.
template <typename Id, typename Send>
void in_parts(const std::vector<Id>& ids, Send send) {
    std::size_t at = 0;
    do {
        const std::size_t end = std::min(at + kMaxDeltaIds, ids.size());
        send(std::vector<Id>(ids.begin() + static_cast<std::ptrdiff_t>(at),
                             ids.begin() + static_cast<std::ptrdiff_t>(end)),
             end == ids.size());
        at = end;
    } while (at < ids.size());
}

/// What a comparison with a neighbour has shown. We began it, so the answers cannot be a replay.
struct Compared {
    NodeId peer;
    /// Owners whose seeds from disk must stay out of use: their exit is known there and unknown here, or it
    /// is not certain.
    std::set<ExitedId> in_doubt;
    bool knows_nothing_else = false;  ///< it knows of no exit at all that is unknown here
};

/// What a comparison needs to know of the rest of the node, and what follows from it.
struct ComparisonContext {
    KnownExits& exits;
    std::function<std::set<ExitedId>()> known_owners;
    std::function<void(const Compared&)> conclude;
};

}  // namespace unlearn::protocol
