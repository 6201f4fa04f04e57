#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "node/daemon/http_server.hpp"
#include "node/learning/data/prior.hpp"
#include "protocol/engine_io.hpp"
#include "protocol/identity.hpp"
#include "protocol/result.hpp"

namespace unlearn::daemon {

// What requests to the control API ask for; docs/control-api.md describes them. An error is one line that
// names the key.

struct PredictionRequest {
    std::vector<float> features;  ///< rows of raw numbers, as they stand in data files
    std::size_t rows = 0;
    std::vector<std::string> columns;  ///< which number of a row is which; empty: in the network's order
    learning::Prior prior = learning::Prior::own;
};
[[nodiscard]] protocol::Result<PredictionRequest> read_prediction(const HttpRequest& request);

[[nodiscard]] protocol::Result<protocol::Neighbour> read_new_peer(const HttpRequest& request);

inline constexpr std::string_view kPeerPath = "/v1/peers/";
/// The peer whose path begins with kPeerPath.
[[nodiscard]] protocol::Result<protocol::NodeId> read_peer(const HttpRequest& request);

[[nodiscard]] protocol::Result<bool> read_give_up(const HttpRequest& request);
/// How long an answer may wait for the end of the exit: at most an hour.
[[nodiscard]] protocol::Result<std::chrono::seconds> read_wait(const HttpRequest& request);
/// Whether the answer waits until the new seed is durable.
[[nodiscard]] bool waits_for_seed(const HttpRequest& request);
/// An exit notice that its owner has signed for the network that stands beside it.
[[nodiscard]] protocol::Result<protocol::SignedBytes> read_sealed_exit(const HttpRequest& request);

struct LogRange {
    std::uint64_t after = 0;
    std::uint64_t limit = 1000;  ///< at most 10,000
};
[[nodiscard]] protocol::Result<LogRange> read_log_range(const HttpRequest& request);
/// Refuses names behind the question mark that are not known.
[[nodiscard]] protocol::Result<void> check_query(const HttpRequest& request,
                                                 const std::vector<std::string_view>& known);
/// An absolute path.
[[nodiscard]] protocol::Result<std::string> read_backup_path(const HttpRequest& request);

}  // namespace unlearn::daemon
