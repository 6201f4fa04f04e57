#pragma once

#include <filesystem>
#include <optional>

#include "protocol/durable.hpp"
#include "protocol/identity.hpp"
#include "protocol/result.hpp"

/// The network to which `init` binds an identity for good, stored as `binding.json` in the data folder.
namespace unlearn::config {

/// The network of an identity, and the identity's membership in it.
struct Binding {
    protocol::NetworkId network;
    std::optional<protocol::SignedBytes> membership;  ///< signed by the network's key, if it has one
};

/// Reads a binding. @return one line that names the file when it cannot be read.
[[nodiscard]] protocol::Result<Binding> load_binding(const std::filesystem::path& file);
/// Writes a new file (mode 0600); never replaces one.
[[nodiscard]] protocol::Result<void> create_binding(const std::filesystem::path& file,
                                                    const Binding& binding);

}  // namespace unlearn::config
