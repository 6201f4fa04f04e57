#pragma once

#include <filesystem>
#include <optional>

#include "protocol/durable.hpp"
#include "protocol/identity.hpp"
#include "protocol/result.hpp"

/// What `init` ties an identity to for ever: `binding.json` in the data folder.
namespace unlearn::config {

struct Binding {
    protocol::NetworkId network;
    std::optional<protocol::SignedBytes> membership;  ///< signed by the network's key, where it has one
};

/// @return one line that names the file.
[[nodiscard]] protocol::Result<Binding> load_binding(const std::filesystem::path& file);
/// Writes a new file, mode 0600; never replaces one.
[[nodiscard]] protocol::Result<void> create_binding(const std::filesystem::path& file,
                                                    const Binding& binding);

}  // namespace unlearn::config
