#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "protocol/result.hpp"

namespace unlearn::storage {

/// What a store asks of the file system beside what SQLite asks itself. Passed in, so that the same store
/// runs on a real disk and on a simulated one that loses what was not synced.
///
/// Errors have ErrorCode::internal and one line that names the file.
class Disk {
  public:
    /// Let go of when it is destroyed.
    class Lock {
      public:
        virtual ~Lock() = default;
    };

    virtual ~Disk() = default;

    /// The name of SQLite's own way to this disk (a registered sqlite3_vfs); null is SQLite's default.
    [[nodiscard]] virtual const char* sqlite_vfs() const = 0;

    /// Makes the folder (mode 0700) when it is missing, and keeps every other user out of it, also inside
    /// this process. @return an error when it is in use, is no folder, or others may write to it.
    [[nodiscard]] virtual protocol::Result<std::unique_ptr<Lock>> lock(
        const std::filesystem::path& directory) = 0;
    /// Makes sure that the file exists, durably, and is a regular one of mode 0600.
    [[nodiscard]] virtual protocol::Result<void> ensure_private_file(const std::filesystem::path& file) = 0;
    /// Makes an empty file (mode 0600) that must not exist yet.
    [[nodiscard]] virtual protocol::Result<void> make_file(const std::filesystem::path& file) = 0;
    /// Makes the file's content and its name durable.
    [[nodiscard]] virtual protocol::Result<void> sync(const std::filesystem::path& file) = 0;
    /// Best effort.
    virtual void remove(const std::filesystem::path& file) = 0;

    /// 0 when there is no such file.
    [[nodiscard]] virtual std::uint64_t size(const std::filesystem::path& file) const = 0;
    /// Makes the file if need be, and it `bytes` long with blocks of its own; longer than before.
    /// @return an error when there is no room; the file is then as before.
    [[nodiscard]] virtual protocol::Result<void> allocate(const std::filesystem::path& file,
                                                          std::uint64_t bytes) = 0;
    /// Cuts an existing file off. Best effort: what needs the space will tell. `wait`: until the blocks are
    /// free for others.
    virtual void cut(const std::filesystem::path& file, std::uint64_t bytes, bool wait) = 0;
};

/// The machine's own file systems.
[[nodiscard]] Disk& real_disk();

}  // namespace unlearn::storage
