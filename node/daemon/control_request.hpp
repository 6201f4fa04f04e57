#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "node/daemon/http_server.hpp"
#include "node/runtime/network_statements_file.hpp"
#include "protocol/engine_io.hpp"
#include "protocol/identity.hpp"
#include "protocol/result.hpp"

namespace unlearn::daemon {

// Reads requests to the control API; docs/control-api.md describes them. An error is one line that names the
// key.

/// Refuses a name that is not known, so that nothing else is done than was asked for, and says which one was
/// probably meant.
[[nodiscard]] protocol::Result<void> check_name(const std::string& name,
                                                const std::vector<std::string_view>& known);

/// Reads the peer to add: its address, or only its id.
[[nodiscard]] protocol::Result<protocol::Neighbour> read_new_peer(const HttpRequest& request);

inline constexpr std::string_view kPeerPath = "/v1/peers/";
/// Reads the peer from a path that begins with kPeerPath.
[[nodiscard]] protocol::Result<protocol::NodeId> read_peer(const HttpRequest& request);

/// Reads whether the exit should end without the receipts that are missing.
[[nodiscard]] protocol::Result<bool> read_give_up(const HttpRequest& request);
/// Reads how long an answer may wait for the end of the exit: at most an hour.
[[nodiscard]] protocol::Result<std::chrono::seconds> read_wait(const HttpRequest& request);
/// Returns true when the answer waits until the new seed is durable.
[[nodiscard]] bool waits_for_seed(const HttpRequest& request);
/// Reads an exit notice that its owner has signed for the network in the request.
[[nodiscard]] protocol::Result<protocol::SignedBytes> read_sealed_exit(const HttpRequest& request);

/// Reads statements that a network's key has signed, for the network in the request.
[[nodiscard]] protocol::Result<runtime::NetworkFile> read_network_statements(const HttpRequest& request);
/// Reads the key that the operator chooses.
[[nodiscard]] protocol::Result<protocol::NodeId> read_network_key(const HttpRequest& request);

/// The entries of the log that a request asks for.
struct LogRange {
    std::uint64_t after = 0;
    std::uint64_t limit = 1000;  ///< at most 10,000
};
/// Reads which entries of the log are asked for.
[[nodiscard]] protocol::Result<LogRange> read_log_range(const HttpRequest& request);
/// Refuses names in the query that are not known.
[[nodiscard]] protocol::Result<void> check_query(const HttpRequest& request,
                                                 const std::vector<std::string_view>& known);
/// Reads the path of a backup, which must be absolute.
[[nodiscard]] protocol::Result<std::string> read_backup_path(const HttpRequest& request);

}  // namespace unlearn::daemon
