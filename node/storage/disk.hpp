#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "protocol/result.hpp"

namespace unlearn::storage {

/// What a store needs from the file system besides what SQLite does itself. It is passed in, so that the same
/// store runs on a real disk and on a simulated one that loses what was not synced.
///
/// Errors have ErrorCode::internal and one line that names the file.
class Disk {
  public:
    /// A lock on a folder. Destroying it releases the folder.
    class Lock {
      public:
        virtual ~Lock() = default;
    };

    virtual ~Disk() = default;

    /// Returns the name of the registered sqlite3_vfs with which SQLite uses this disk; null means SQLite's
    /// default.
    [[nodiscard]] virtual const char* sqlite_vfs() const = 0;

    /// Creates the folder (mode 0700) when it is missing, and locks it against every other user, also inside
    /// this process. @return an error when it is in use, is not a folder, or others may write to it.
    [[nodiscard]] virtual protocol::Result<std::unique_ptr<Lock>> lock(
        const std::filesystem::path& directory) = 0;
    /// Makes sure that the file exists durably and is a regular file of mode 0600.
    [[nodiscard]] virtual protocol::Result<void> ensure_private_file(const std::filesystem::path& file) = 0;
    /// Creates an empty file (mode 0600), which must not exist yet.
    [[nodiscard]] virtual protocol::Result<void> make_file(const std::filesystem::path& file) = 0;
    /// Makes the file's content and its name durable.
    [[nodiscard]] virtual protocol::Result<void> sync(const std::filesystem::path& file) = 0;
    /// Removes the file. Errors are ignored.
    virtual void remove(const std::filesystem::path& file) = 0;

    /// Returns the size of the file; 0 when there is no such file.
    [[nodiscard]] virtual std::uint64_t size(const std::filesystem::path& file) const = 0;
    /// Makes the file `bytes` long, which must be longer than before, and allocates all of its blocks.
    /// Creates it when it is missing.
    /// @return an error when there is no room; the file is then as before.
    [[nodiscard]] virtual protocol::Result<void> allocate(const std::filesystem::path& file,
                                                          std::uint64_t bytes) = 0;
    /// Shortens an existing file to `bytes`. Errors are ignored, because a later write that needs the space
    /// reports them. With `wait`, returns only when others can use the blocks.
    virtual void cut(const std::filesystem::path& file, std::uint64_t bytes, bool wait) = 0;
};

/// Returns the disk of this machine.
[[nodiscard]] Disk& real_disk();

}  // namespace unlearn::storage
