#pragma once

#include <filesystem>

#include "node/storage/disk.hpp"
#include "node/storage/schema.hpp"
#include "node/storage/sqlite.hpp"

namespace unlearn::storage {

/// Copies everything but seeds into a new database `file` (mode 0600), as of one moment: a copy of somebody's
/// seed would survive its erasure. `binding` is that of `connection`, which must not be in a transaction.
/// @return one line when the file exists or cannot be written; what was written of it is gone then.
[[nodiscard]] protocol::Result<void> copy_without_seeds(const sqlite::Connection& connection,
                                                        const Binding& binding,
                                                        const std::filesystem::path& file, Disk& disk);

}  // namespace unlearn::storage
