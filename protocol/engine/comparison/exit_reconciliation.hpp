#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "protocol/engine/comparison/exit_walk.hpp"
#include "protocol/engine/comparison/known_exits.hpp"

namespace unlearn::protocol {

/// Owns the comparisons of exits with neighbours that speak version 2. Each side looks for what it lacks
/// itself, one query at a time, and asks only for notices that it can take. What it found out is kept while
/// the neighbour's exits and the known owners stay the same.
class ExitReconciliation {
  public:
    ExitReconciliation(EngineContext& context, Sessions& sessions, ComparisonContext about)
        : context_(context), sessions_(sessions), about_(std::move(about)) {}

    /// Begins a comparison, unless one is under way.
    void begin(SessionId id, Session& session);
    /// Begins one that relies on nothing that was found out before.
    void begin_anew(SessionId id, Session& session);
    /// Answers a query, and begins a comparison of our own when the peer's exits differ from ours. A peer
    /// that asks more than kExitAnswersPerSecond in the long run is not answered.
    void take_query(SessionId id, Session& session, const ExitQuery& query);
    /// @return an error when the answer breaks the protocol
    [[nodiscard]] Result<void> take_answer(SessionId id, Session& session, const ExitAnswer& answer);
    /// Sends queries that had to wait.
    void tick();
    /// Forgets a session that is over. What was found out about its peer is kept.
    void forget(SessionId id) { asking_.erase(id); }

  private:
    /// What a comparison that ended has found out.
    struct Settled {
        RangeFingerprint root;  ///< of all exits that the peer knew when it began
        Digest owners;          ///< of the known owners that it was about
        bool owners_known = false;
        bool complete = false;
        std::vector<ExitedId> strangers;
    };
    /// What we ask in one session.
    struct Asking {
        enum class State { idle, to_be_sent, sent };
        ExitQuery query;
        State state = State::idle;
        std::optional<ExitWalk> walk;  ///< nothing while only the set as a whole is compared
        bool concluded = false;        ///< what was found out about known owners has been told
        SteadyTime begun_at{};
        SteadyTime moved_at{};
        RangeFingerprint root;
        Digest owners;
    };
    /// What is kept of a peer over all of its sessions.
    struct Memory {
        DigestSalt salt;
        std::optional<Settled> settled;
        ExitedId cursor;
    };

    [[nodiscard]] Memory& memory_of(const NodeId& peer);
    [[nodiscard]] DigestSalt draw_salt(const NodeId& peer) const;
    void send(SessionId id, Session& session, Asking& asking);
    void compare_roots(SessionId id, Session& session, Asking& asking, const ExitAnswer& answer);
    void go_on(SessionId id, Session& session, Asking& asking);
    void finish(Session& session, Asking& asking);
    void conclude_about_owners(const Session& session, const ExitWalk& walk) const;
    [[nodiscard]] std::set<ExitedId> in_doubt(const ExitWalk& walk) const;
    void send_notices(SessionId id, Session& session, const std::vector<ExitedId>& wanted);
    [[nodiscard]] bool may_look_for_strangers(const Session& session) const;
    [[nodiscard]] bool can_find_more(const Session& session, const Settled& before) const;
    [[nodiscard]] bool all_known(const std::vector<ExitedId>& owners) const;

    EngineContext& context_;
    Sessions& sessions_;
    ComparisonContext about_;
    std::map<SessionId, Asking> asking_;
    std::map<NodeId, Memory> memory_;
};

}  // namespace unlearn::protocol
