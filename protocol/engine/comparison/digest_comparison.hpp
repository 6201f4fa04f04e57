#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "protocol/engine/comparison/exit_digest.hpp"
#include "protocol/engine/comparison/known_exits.hpp"

namespace unlearn::protocol {

/// Owns the comparisons of exits with neighbours that speak version 1: Digest, then Delta with all ids of the
/// buckets that differ. What a neighbour is sent has a limit in bytes.
class DigestComparison {
  public:
    DigestComparison(EngineContext& context, Sessions& sessions, ComparisonContext about)
        : context_(context),
          sessions_(sessions),
          about_(std::move(about)),
          random_state_(context.config.random_seed) {}

    /// Begins a comparison, unless the answer to the last one was so large that there must be a pause.
    void begin(SessionId id, Session& session);
    /// Answers a comparison that a peer began. One that comes within kCompareAtMostEvery is ignored, and so
    /// is one whose answer is too large for what the peer may be sent now.
    void take_digest(SessionId id, Session& session, const DigestMessage& digest);
    void take_delta(SessionId id, Session& session, const Delta& delta);
    /// Forgets the comparisons of a session that is over.
    void forget(SessionId id);
    /// A number that need not be secret (splitmix64; Steele, Lea, Flood 2014).
    [[nodiscard]] std::uint64_t draw();

  private:
    /// A comparison that we began in a session.
    struct Comparison {
        DigestSalt salt;
        std::vector<ExitedId> known_there;  ///< the ids that the peer has named so far
    };
    /// The last comparison that we answered in a session.
    struct Answered {
        std::optional<DigestSalt> salt;  ///< the peer may ask for notices with this salt
        SteadyTime at{};
    };

    void finish(SessionId id, Session& session, std::uint64_t buckets);
    void send_delta(SessionId id, Session& session, const DigestSalt& salt, DeltaPart part,
                    std::uint64_t buckets, const std::vector<ExitedId>& ids);
    void send_notices(SessionId id, Session& session, std::vector<ExitedId> ids);

    EngineContext& context_;
    Sessions& sessions_;
    ComparisonContext about_;
    std::map<SessionId, Comparison> running_;
    std::map<SessionId, Answered> answered_;
    std::map<SessionId, SteadyTime> pause_until_;
    std::uint64_t random_state_ = 0;
};

}  // namespace unlearn::protocol
