#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "protocol/engine/allowance.hpp"
#include "protocol/engine/peers.hpp"
#include "protocol/limits.hpp"
#include "protocol/messages.hpp"

namespace unlearn::protocol {

/// One connection with a peer.
struct Session {
    NodeId peer;  ///< known from the start when we dialled, otherwise from Hello on
    CurvePublicKey key;
    bool dialled = false;
    bool established = false;
    bool suspect = false;
    bool state_heard = false;                      ///< the peer has stated its state in this session
    bool restored = false;                         ///< the peer's state is an old copy, as it says
    std::uint8_t version = kOldestVersion;         ///< of the wire format: the newest that both sides speak
    std::array<std::uint64_t, kLanes> last_out{};  ///< the last sequence number sent in each lane
    std::array<std::uint64_t, kLanes> last_in{};   ///< the last sequence number received in each lane
    SteadyTime last_heard{};
    SteadyTime last_sent{};
};

/// How much one peer may still send over all of its connections.
struct Allowances {
    Allowance frames{kFrameBurst, kFramesPerSecond};
    Allowance bytes{kByteBurst, kBytesPerSecond};
    Allowance hellos{kHelloBurst, kHellosPerSecond};
    Allowance chunk_requests{kChunkRequestBurst, kChunkRequestsPerSecond};
    Allowance introductions{kMaxIntroductionsPerDay, kMaxIntroductionsPerDay / 86'400.0};
    // These count ranges and notices in queries about exits.
    Allowance exit_questions{kExitQuestionBurst, kExitQuestionsPerSecond};  ///< ours to the peer
    Allowance exit_searches{kExitSearchBurst, kExitSearchesPerSecond};      ///< ours that bring nothing new
    Allowance exit_answers{kExitAnswerBurst, kExitAnswersPerSecond};        ///< the peer's to us
    /// The bytes of ids and notices that a comparison of version 1 sends to the peer.
    Allowance delta_bytes{kDeltaByteBurst, kDeltaBytesPerSecond};
};

/// Owns the connections: the peer behind each one, the order of messages within a lane, silence, blocked
/// keys, and the peers to dial next. Each peer has at most one established session, the newest.
class Sessions {
  public:
    Sessions(EngineContext& context, const Peers& peers) : context_(context), peers_(peers) {}

    /// Begins a session on a connection that we dialled.
    void on(const LinkUp& link);
    /// Forgets a session whose connection has already ended.
    void remove(SessionId id);
    /// Ends the connection and forgets the session.
    void close(SessionId id);
    void close_all(const NodeId& peer);
    void say_bye_to_all();
    /// Ends a session on the peer's Bye. If we dialled the peer, we dial it again after kHelloRetry.
    void take_bye(SessionId id);
    /// Ends the session of a peer that broke the protocol, and blocks its key for a while. Each further block
    /// lasts longer. `key` is passed by value because it usually lives in the session that ends here.
    void drop(SessionId id, CurvePublicKey key, const Error& why);

    /// Why a Hello is refused. `nack` is the reason that the sender is told, if any.
    struct Refusal {
        std::optional<NackReason> nack;
        Error why;
    };
    /// Refuses a `hello` that is not from the owner of `key`, or is for another network or version.
    [[nodiscard]] std::optional<Refusal> refusal_of(const Hello& hello, const CurvePublicKey& key) const;
    /// Takes the `hello` of a neighbour and answers it.
    /// @return the session, ready to be established, or nullptr when the hello was refused
    [[nodiscard]] Session* meet(SessionId id, const CurvePublicKey& key, std::uint64_t sequence,
                                const Hello& hello);
    /// Makes `session` the one established session of its peer, and ends an older one.
    void establish(SessionId id, Session& session);
    /// Makes all checks of a message other than Hello that do not depend on its kind.
    /// @return its session, or nullptr when the message must not be handled
    [[nodiscard]] Session* receive(const Received& received, const Envelope& envelope);
    /// The other side does not know the session: a side that dialled says Hello again.
    void take_hello_first(SessionId id, Session& session);

    /// Sends a message with the next sequence number of its lane.
    void send(SessionId id, Session& session, Message message);
    /// Sends a message unless the session speaks an older version than the message came with.
    void send_if_known(SessionId id, Session& session, Message message);
    /// Says Hello again: the other side answers with all that it has for us.
    void say_hello(SessionId id, Session& session) { send_hello(id, session, false); }
    /// Sends a message outside of a session, with sequence number 0.
    void send_once(SessionId id, Message message);
    /// Sends a message if the peer has an established session.
    void send_to(const NodeId& peer, const Message& message);

    void tick();
    /// Dials the peer when it is our turn.
    void dial(const NodeId& peer);
    void dial_all();
    void forget_redial(const NodeId& peer) { redial_at_.erase(peer); }
    void unblock(const CurvePublicKey& key) { blocked_.erase(key); }
    [[nodiscard]] bool is_blocked(const CurvePublicKey& key) const;

    /// @return the established session of the peer, or nullptr
    [[nodiscard]] Session* established(const NodeId& peer);
    /// The peer must have an established session.
    [[nodiscard]] SessionId id_of(const NodeId& peer) const { return session_of_.at(peer); }
    /// The established sessions, by peer.
    [[nodiscard]] const std::map<NodeId, SessionId>& all_established() const { return session_of_; }
    [[nodiscard]] const std::map<SessionId, Session>& all() const { return sessions_; }
    [[nodiscard]] Session& at(SessionId id) { return sessions_.at(id); }
    [[nodiscard]] Session* find(SessionId id);
    /// True when the peer has a session, established or not.
    [[nodiscard]] bool has_session(const NodeId& peer) const;
    [[nodiscard]] Allowances& allowances_of(const NodeId& peer) { return allowances_[peer]; }
    /// The sessions that ended since the last call, for the parts that keep something for each session.
    [[nodiscard]] std::vector<SessionId> take_ended() { return std::exchange(ended_, {}); }
    [[nodiscard]] std::size_t blocked_keys() const { return blocked_.size(); }

  private:
    /// The live connections of one peer that ended because the peer connected again.
    struct Replacements {
        std::uint32_t count = 0;
        SteadyTime since{};
        std::optional<SteadyTime> told_at;
    };
    struct Blocked {
        SteadyTime until{};
        std::chrono::milliseconds last_period{};
    };

    void send_hello(SessionId id, Session& session, bool answer);
    /// Counts an arriving message.
    /// @return out_of_order when its sequence number is not above the last one of its lane
    [[nodiscard]] static Result<void> count_in(Session& session, Lane lane, std::uint64_t sequence);
    void count_replacement(const NodeId& peer, const Session& replaced);
    void dial_who_is_missing();

    EngineContext& context_;
    const Peers& peers_;
    std::map<SessionId, Session> sessions_;
    std::map<NodeId, SessionId> session_of_;  ///< the established session of each peer
    std::map<NodeId, Replacements> replacements_;
    std::map<CurvePublicKey, Blocked> blocked_;
    std::map<NodeId, SteadyTime> redial_at_;
    std::set<NodeId> missing_;              ///< peers that had no session at the last check
    std::set<NodeId> dialled_out_of_turn_;  ///< peers that we dialled although it was their turn
    SteadyTime next_dial_check_{};
    std::map<NodeId, Allowances> allowances_;
    std::uint64_t next_ping_ = 1;
    std::vector<SessionId> ended_;
};

}  // namespace unlearn::protocol
