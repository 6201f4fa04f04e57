#pragma once

#include <functional>
#include <set>
#include <vector>

#include "protocol/engine/exit_set.hpp"
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
    [[nodiscard]] bool contains(const BurntId& owner) const;
    /// Sends the notices of those of `owners` whose exits it tells of, in this order, each with the lists of
    /// holders that belong to it. `may_send` is asked before each message; it ends at the first notice, and
    /// leaves out each list, for which that returns false.
    void send_notices(SessionId id, Session& session, const std::vector<BurntId>& owners,
                      const MaySend& may_send);

  private:
    EngineContext& context_;
    Sessions& sessions_;
    PeerExits& others_;
    OwnExit& own_exit_;
    ExitSet set_;
};

/// What a comparison with a neighbour has shown. We began it, so the answers cannot be a replay.
struct Compared {
    NodeId peer;
    /// Owners whose seeds from disk must stay out of use: their exit is known there and unknown here, or it
    /// is not certain.
    std::set<BurntId> in_doubt;
    bool knows_nothing_else = false;  ///< it knows of no exit at all that is unknown here
};

/// What a comparison needs to know of the rest of the node, and what follows from it.
struct ComparisonContext {
    KnownExits& exits;
    std::function<std::set<BurntId>()> known_owners;
    std::function<void(const Compared&)> conclude;
};

}  // namespace unlearn::protocol
