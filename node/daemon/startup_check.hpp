#pragma once

#include "node/config/binding.hpp"
#include "node/config/node_config.hpp"
#include "protocol/identity.hpp"
#include "protocol/result.hpp"

namespace unlearn::daemon {

/// Finds what would stop the start of a node or leave it without a model, and changes nothing. Checks that
/// the folders can be written, the control socket and the listening address are available, the state belongs
/// to this node and has not left its network, the data fit models and network, and the user's TorchScript
/// answers for all of them. The socket, port and state of a node that is already running are not tried.
/// @return malformed, or retired, with one line that names what is wrong
[[nodiscard]] protocol::Result<void> check_startup(const config::NodeConfig& config,
                                                   const protocol::Identity& identity,
                                                   const config::Binding& binding);

/// Refuses a node that has run before and whose state is gone. If it started as a new node, it would use
/// versions of its seed twice, use seeds of peers that have left, and call an exit complete that no holder
/// confirmed.
[[nodiscard]] protocol::Result<void> check_state_is_kept(const config::NodeConfig& config);

}  // namespace unlearn::daemon
