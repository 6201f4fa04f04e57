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
    NodeId peer;  ///< known from the start when dialled, from Hello otherwise
    CurvePublicKey key;
    bool dialled = false;
    bool established = false;
    bool suspect = false;
    std::array<std::uint64_t, kLanes> last_out{};  ///< sequence numbers, for each lane
    std::array<std::uint64_t, kLanes> last_in{};
    SteadyTime last_heard{};
    SteadyTime last_sent{};
};

/// What one peer may still send, over all of its connections.
struct Allowances {
    Allowance frames{kFrameBurst, kFramesPerSecond};
    Allowance bytes{kByteBurst, kBytesPerSecond};
    Allowance chunk_requests{kChunkRequestBurst, kChunkRequestsPerSecond};
    Allowance new_seeds{kNewSeedBurst, kNewSeedsPerSecond};
    Allowance introductions{kMaxIntroductionsPerDay, kMaxIntroductionsPerDay / 86'400.0};
};

/// Owns the connections: the peer behind each, the order of messages in a lane, silence, blocked keys, and
/// the peers to dial next. There is at most one established session for each peer, the newest.
class Sessions {
  public:
    Sessions(EngineContext& context, const Peers& peers) : context_(context), peers_(peers) {}

    void on(const LinkUp& link);
    /// The session is over, and nobody needs to be told.
    void remove(SessionId id);
    void close(SessionId id);
    void close_all(const NodeId& peer);
    void say_bye_to_all();
    /// The other side ends this session and will be back.
    void take_bye(SessionId id);
    /// The peer broke the protocol: its session ends, and its key is blocked for a while, the longer the more
    /// often. `key` by value: it usually lives in the session that ends here.
    void drop(SessionId id, CurvePublicKey key, const Error& why);

    /// Why `hello` cannot be from the owner of `key`, or is of another network or version; `nack`: what the
    /// sender is told.
    struct Refusal {
        std::optional<NackReason> nack;
        Error why;
    };
    [[nodiscard]] std::optional<Refusal> refusal_of(const Hello& hello, const CurvePublicKey& key) const;
    /// The session in which a neighbour said `hello`, answered and ready to be established; nothing when it
    /// was refused.
    [[nodiscard]] Session* meet(SessionId id, const CurvePublicKey& key, std::uint64_t sequence,
                                const Hello& hello);
    /// Makes it the peer's one session. An older one ends.
    void establish(SessionId id, Session& session);
    /// The session in which a message that is no Hello came, after all checks that do not depend on its kind;
    /// nothing when the message is to be ignored.
    [[nodiscard]] Session* receive(const Received& received, const Envelope& envelope);
    /// The other side does not know the session.
    void take_hello_first(SessionId id, Session& session);

    void send(SessionId id, Session& session, Message message);
    /// Outside of a session.
    void send_once(SessionId id, Message message);
    /// Nothing happens when the peer has no established session.
    void send_to(const NodeId& peer, const Message& message);

    void tick();
    void dial(const NodeId& peer);
    void dial_all();
    void forget_redial(const NodeId& peer) { redial_at_.erase(peer); }
    void unblock(const CurvePublicKey& key) { blocked_.erase(key); }
    [[nodiscard]] bool is_blocked(const CurvePublicKey& key) const;

    [[nodiscard]] Session* established(const NodeId& peer);
    [[nodiscard]] SessionId id_of(const NodeId& peer) const { return session_of_.at(peer); }
    /// Established ones, by peer.
    [[nodiscard]] const std::map<NodeId, SessionId>& all_established() const { return session_of_; }
    [[nodiscard]] const std::map<SessionId, Session>& all() const { return sessions_; }
    [[nodiscard]] Session& at(SessionId id) { return sessions_.at(id); }
    [[nodiscard]] Session* find(SessionId id);
    /// Established or not.
    [[nodiscard]] bool has_session(const NodeId& peer) const;
    [[nodiscard]] Allowances& allowances_of(const NodeId& peer) { return allowances_[peer]; }
    /// Sessions that are over since the last call, for the parts that keep something for each.
    [[nodiscard]] std::vector<SessionId> take_ended() { return std::exchange(ended_, {}); }
    [[nodiscard]] std::size_t blocked_keys() const { return blocked_.size(); }

  private:
    /// Live connections of one peer that a newer one of the same peer ended.
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
    /// Notes the number of an arriving message. @return out_of_order when it is not above the last one of its
    /// lane.
    [[nodiscard]] static Result<void> count_in(Session& session, Lane lane, std::uint64_t sequence);
    void count_replacement(const NodeId& peer, const Session& replaced);
    void dial_who_is_missing();

    EngineContext& context_;
    const Peers& peers_;
    std::map<SessionId, Session> sessions_;
    std::map<NodeId, SessionId> session_of_;
    std::map<NodeId, Replacements> replacements_;
    std::map<CurvePublicKey, Blocked> blocked_;
    std::map<NodeId, SteadyTime> redial_at_;
    std::set<NodeId> missing_;  ///< had no session at the last check
    std::set<NodeId> dialled_out_of_turn_;
    SteadyTime next_dial_check_{};
    std::map<NodeId, Allowances> allowances_;
    std::uint64_t next_ping_ = 1;
    std::vector<SessionId> ended_;
};

}  // namespace unlearn::protocol
