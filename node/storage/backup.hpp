#pragma once

#include <filesystem>

#include "node/storage/disk.hpp"
#include "node/storage/schema.hpp"
#include "node/storage/sqlite.hpp"

namespace unlearn::storage {

/// Copies everything except seeds into a new database `file` (mode 0600), as of one moment. A copied seed
/// would survive its erasure. `binding` is that of `connection`, which must not be in a transaction.
/// @return one line when the file exists or cannot be written; a partly written copy is removed.
[[nodiscard]] protocol::Result<void> copy_without_seeds(const sqlite::Connection& connection,
                                                        const Binding& binding,
                                                        const std::filesystem::path& file, Disk& disk);

}  // namespace unlearn::storage
