#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "node/ctl/outcome.hpp"
#include "protocol/bytes.hpp"

/// The backup of a node: one file (0600, because it contains the secret key) in SQLite's archive format, so
/// that `sqlite3 FILE -At` lists it. It contains the key file, the binding, and the state without peers'
/// seeds.
namespace unlearn::ctl {

/// File contents by name. They are wiped when freed, because the key file is among them.
using BackupFiles = std::map<std::string, protocol::SeedBytes>;

inline constexpr const char* kBackedUpFiles[] = {"binding.json", "identity", "state.db"};

/// Creates `archive`, which must not exist. `files` must have the names of kBackedUpFiles.
[[nodiscard]] Outcome<void> write_backup(const std::filesystem::path& archive, const BackupFiles& files);

/// Reads a backup. @return bad_input when it is not a backup, or lacks one of the kBackedUpFiles.
[[nodiscard]] Outcome<BackupFiles> read_backup(const std::filesystem::path& archive);

}  // namespace unlearn::ctl
