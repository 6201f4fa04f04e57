#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "node/ctl/outcome.hpp"
#include "protocol/bytes.hpp"

/// The backup of a node: one file (0600, it holds the secret key) in SQLite's archive format, so that
/// `sqlite3 FILE -At` lists it. It holds the key file, the binding and the state without peers' seeds.
namespace unlearn::ctl {

/// Contents by name; wiped when freed, as the key file is among them.
using BackupFiles = std::map<std::string, protocol::SeedBytes>;

inline constexpr const char* kBackedUpFiles[] = {"binding.json", "identity", "state.db"};

/// Makes `archive`, which must not exist. `files` must have the names of kBackedUpFiles.
[[nodiscard]] Outcome<void> write_backup(const std::filesystem::path& archive, const BackupFiles& files);

/// @return bad_input when it is no backup, or holds other than the kBackedUpFiles.
[[nodiscard]] Outcome<BackupFiles> read_backup(const std::filesystem::path& archive);

}  // namespace unlearn::ctl
