#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "node/ctl/outcome.hpp"
#include "protocol/identity.hpp"

namespace unlearn::ctl {

/// The node that `init` makes, after everything in it was checked.
struct NewNode {
    std::filesystem::path data_dir;
    std::filesystem::path config;       ///< its content is `config_text`
    std::filesystem::path sealed_exit;  ///< the user keeps it elsewhere
    std::string config_text;
    protocol::NetworkId network;
    std::optional<std::filesystem::path> network_key;  ///< the network's key file, which signs the membership
    std::optional<std::int64_t> membership_days = {};  ///< until the membership ends, if it has an end
    /// Called last, when all files are there, as the owner of the data folder. Fails when the node cannot
    /// start.
    std::function<Outcome<void>()> check = {};
};

/// Makes the data folder with key file and binding, the configuration and the sealed exit: all of them or
/// nothing. What was made before a failure is removed again, and nothing is ever replaced.
/// @return the new node's id
[[nodiscard]] Outcome<protocol::NodeId> make_node(const NewNode& node);

/// Fails when a file that `make_node` would make exists already.
[[nodiscard]] Outcome<void> refuse_existing(const NewNode& node);

/// Makes the key file of a network. @return the public key, which every member's configuration names
[[nodiscard]] Outcome<protocol::NodeId> make_network_key(const std::filesystem::path& file);

}  // namespace unlearn::ctl
