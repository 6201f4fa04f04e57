#pragma once

#include "node/config/binding.hpp"
#include "node/config/node_config.hpp"
#include "protocol/identity.hpp"
#include "protocol/result.hpp"

namespace unlearn::daemon {

/// Finds what would stop the start of a node, or leave it without a model, and changes nothing: whether the
/// folders can be written, the control socket and the listening address can be had, the state belongs to this
/// node and has not left its network, the data fit models and network, and the user's TorchScript answers for
/// all of them. A node that runs already keeps what it has: its socket, its port and its state are not tried.
/// @return malformed, or retired, with one line that names what is wrong
[[nodiscard]] protocol::Result<void> check_startup(const config::NodeConfig& config,
                                                   const protocol::Identity& identity,
                                                   const config::Binding& binding);

/// A node that has run and whose state is gone must not start as if it were new: it would give the versions
/// of its seed away twice, use seeds of peers that have left, and call an exit complete that nobody
/// confirmed.
[[nodiscard]] protocol::Result<void> check_state_is_kept(const config::NodeConfig& config);

}  // namespace unlearn::daemon
