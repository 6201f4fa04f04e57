#pragma once

#include <map>
#include <optional>
#include <set>

#include "protocol/engine/allowance.hpp"
#include "protocol/engine/sessions.hpp"
#include "protocol/engine/writes.hpp"

namespace unlearn::protocol {

/// How many statements of one peer are written. What exceeds it waits; the newest one follows.
inline constexpr double kStateWriteBurst = 64;
inline constexpr double kStateWritesPerSecond = 1.0 / 60;

/// Owns the statement of our own state, and the newest statements of others. Our number rises at every start
/// and with every exit that we learn of. Neighbours keep the newest statement and show it to us again. So we
/// find out that our state is an old copy, or that a second copy of this node runs.
class OwnState {
  public:
    /// What others have seen of this node.
    enum class Finding {
        nothing_new,
        old_copy,     ///< a state that is newer than ours: ours was restored from a copy
        second_copy,  ///< a start that came after ours while we run
    };

    OwnState(EngineContext& context, Writes& writes, Sessions& sessions)
        : context_(context), writes_(writes), sessions_(sessions) {}

    void load(const LoadedState& state);
    /// Begins a start of its own, whose statement is sent once it is durable.
    void start();
    /// Returns the next number, to be stored with what it counts: an exit, or the list of our holders.
    [[nodiscard]] PutStart next();
    /// Both: this number is durable, so everybody is sent its statement.
    void on(const after_write::StateStored& stored) { stored_with(stored.state); }
    void stored_with(const PutStart& state);
    void on(const after_write::PeerStateStored& stored);
    /// Forgets the peer's statement, which can never be stored. The next one is stored again.
    void give_up(const after_write::PeerStateStored& never, const std::string& reason);
    /// Stores the newest statements of peers. Every exit makes all nodes state a new number, and a second
    /// later the receipts for it are mostly sent.
    void tick();
    /// Sends our statement, if it is durable, and the newest one of the peer.
    void send_to(SessionId id, Session& session);
    /// Keeps the peer's statement, and judges what the peer has seen of ours.
    /// @return an error when a statement is not signed by whom it names
    [[nodiscard]] Result<Finding> take(SessionId id, Session& session, const StateMessage& message);

    /// The state comes from a backup, which lacks what came after it.
    void set_restored();
    /// Others have told us all that came after our state.
    void clear_restored();
    /// The operator says that no other copy of this node runs: it goes on above what others have seen.
    void claim();

    /// True when nothing was stored before this start: no seed was ever held, and no receipt ever signed.
    [[nodiscard]] bool is_first_start() const { return first_start_; }
    /// True while our state is an old copy and others have not told us yet what came after it.
    [[nodiscard]] bool is_restored() const { return restored_; }
    /// True when our state was an old copy at some time, so that its records may lack something.
    [[nodiscard]] bool was_restored() const { return ever_restored_ || copied_; }
    /// True from the time at which a second copy was met until the operator decides.
    [[nodiscard]] bool is_copied() const { return copied_; }
    /// True when a neighbour keeps the statement of this start, and none has seen a newer one.
    [[nodiscard]] bool is_confirmed() const { return !confirmed_by_.empty() && !restored_ && !copied_; }

  private:
    /// The newest statement of a peer.
    struct PeerState {
        std::uint64_t number = 0;
        SignedBytes statement;
        bool being_stored = false;
        bool waits = false;  ///< it is to be stored at a tick
        Allowance writes{kStateWriteBurst, kStateWritesPerSecond};
    };

    [[nodiscard]] Result<void> take_theirs(SessionId id, Session& session, const SignedBytes& statement);
    [[nodiscard]] Result<Finding> judge(const NodeId& peer, const SignedBytes& ours);
    void begin_start(StartId start, StartId previous, std::uint64_t number);
    void go_on_above(const StateStatement& seen);
    [[nodiscard]] StartId derived_start() const;
    [[nodiscard]] PutStart current() const { return {start_, previous_, number_, false}; }

    EngineContext& context_;
    Writes& writes_;
    Sessions& sessions_;
    std::map<StartId, std::uint64_t> starts_;  ///< all known starts, with the highest number of each
    StartId start_;                            ///< ours
    StartId previous_;
    std::uint64_t number_ = 0;           ///< the highest that was asked to be stored
    std::uint64_t durable_ = 0;          ///< the highest that is durable
    std::optional<SignedBytes> signed_;  ///< the statement of the durable number
    StateStatement newest_seen_;         ///< of this node, by others
    std::set<NodeId> confirmed_by_;      ///< neighbours that keep a statement of this start
    std::map<NodeId, PeerState> peers_;
    bool first_start_ = true;
    bool restored_ = false;
    bool ever_restored_ = false;
    bool copied_ = false;
};

}  // namespace unlearn::protocol
