#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "protocol/engine/comparison/known_exits.hpp"
#include "protocol/engine/expulsions.hpp"
#include "protocol/engine/sessions.hpp"

namespace unlearn::protocol {

/// Passes on what the network's key signed, and compares it with neighbours, after each Hello and from time
/// to time. Successions go before revocations, because the key that signed a revocation may be a new one.
/// The statements themselves belong to NetworkKey and Expulsions.
class NetworkGossip {
  public:
    NetworkGossip(EngineContext& context, Sessions& sessions, const NetworkKey& network_key,
                  const Expulsions& expulsions)
        : context_(context), sessions_(sessions), network_key_(network_key), expulsions_(expulsions) {}

    /// Begins a comparison with the peer of a session.
    void begin(SessionId id, Session& session);
    void begin_with_all();
    /// Handles either part of a comparison. @return an error when the message breaks the protocol
    [[nodiscard]] Result<void> take(SessionId id, Session& session, const NetworkDigest& digest);
    /// Passes a durable statement on to all neighbours that may know it.
    void pass_on(NetworkStatementKind kind, const SignedBytes& statement);
    /// Shows an expelled member its revocation.
    void show_expelled(SessionId id, Session& session);
    /// Compares with one neighbour after the other.
    void tick();
    /// Forgets the comparisons of a session that is over.
    void forget(SessionId id);

  private:
    struct Shared {
        NetworkStatementKind kind{};
        SignedBytes statement;
    };
    using Statements = std::vector<std::pair<Digest, Shared>>;

    /// Everything that the neighbours should know, in the order in which it must arrive.
    [[nodiscard]] Statements statements() const;
    [[nodiscard]] static Digest summary_of(const Statements& statements);
    void send_ids(SessionId id, Session& session, const Statements& statements);

    EngineContext& context_;
    Sessions& sessions_;
    const NetworkKey& network_key_;
    const Expulsions& expulsions_;
    /// The comparisons that we began: the ids that the peer has named so far.
    std::map<SessionId, std::set<Digest>> known_there_;
    std::map<SessionId, SteadyTime> answered_at_;  ///< when we last sent our ids
    std::optional<NodeId> last_compared_;
    SteadyTime next_comparison_{};
};

}  // namespace unlearn::protocol
