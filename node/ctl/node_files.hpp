#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "node/ctl/outcome.hpp"
#include "protocol/identity.hpp"

namespace unlearn::ctl {

/// What `init` is to make, after everything in it was checked.
struct NewNode {
    std::filesystem::path data_dir;
    std::filesystem::path config;       ///< written with `config_text`
    std::filesystem::path sealed_exit;  ///< to be kept elsewhere
    std::string config_text;
    protocol::NetworkId network;
    std::optional<std::filesystem::path> network_key;  ///< the network's key file, which signs a membership
    /// Asked last, when all files are there, as the owner of the data folder: whether the node can start.
    std::function<Outcome<void>()> check = {};
};

/// Makes the data folder with key file and binding, the configuration and the sealed exit. All of it or
/// nothing: what was made before a failure is removed again. Nothing is ever replaced.
/// @return the new node's id
[[nodiscard]] Outcome<protocol::NodeId> make_node(const NewNode& node);

/// The folder and the files of `node` that exist already, as one error; nothing when there are none.
[[nodiscard]] Outcome<void> refuse_existing(const NewNode& node);

/// Makes the key file of a network. @return the public key, which every member's configuration names
[[nodiscard]] Outcome<protocol::NodeId> make_network_key(const std::filesystem::path& file);

}  // namespace unlearn::ctl
