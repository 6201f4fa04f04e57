#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "node/storage/schema.hpp"
#include "node/storage/sqlite.hpp"
#include "protocol/durable.hpp"

namespace unlearn::storage {

/// A row of held_seeds that is not what was stored. Its seed is not loaded.
struct DamagedSeed {
    std::int64_t row = 0;
    std::optional<protocol::NodeId> owner;  ///< nothing when it cannot be read
    std::string detail;                     ///< one line that names file, table and row
};

/// What was read at start-up.
struct Loaded {
    protocol::LoadedState state;
    std::vector<DamagedSeed> damaged;
};

/// Reads all tables and checks every length, key and digest. A damaged held seed is reported and left out:
/// losing one is harmless, using one is not. Damage anywhere else is an error that names the table and row,
/// because a lost tombstone or recipient would break the promise to forget.
[[nodiscard]] protocol::Result<Loaded> load_all(const sqlite::Connection& connection,
                                                const std::filesystem::path& file);

/// What the state of a node that is not running says about the node's own exit.
struct StoredExit {
    Binding binding;
    protocol::SignedBytes notice;
    std::vector<protocol::PutRecipient> recipients;
    std::vector<protocol::PutReceipt> receipts;
    std::optional<protocol::SignedBytes> list;       ///< of the holders, if it was signed
    std::vector<protocol::PutTombstone> tombstones;  ///< of others
};

/// Reads the exit from the state in `directory` without changing it, whichever earlier version wrote it: a
/// node that has left is never started, and so its state is never upgraded. @return nothing when no exit has
/// begun; an error names the file, the table and the row
[[nodiscard]] protocol::Result<std::optional<StoredExit>> read_stored_exit(
    const std::filesystem::path& directory);

}  // namespace unlearn::storage
