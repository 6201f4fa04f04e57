#pragma once

#include <cerrno>
#include <filesystem>
#include <string_view>
#include <utility>

#include "protocol/bytes.hpp"
#include "protocol/result.hpp"

/// What the standard library cannot do with files: permissions at creation, locks, fsync.
namespace unlearn::storage {

/// Owns one file descriptor.
class FileDescriptor {
  public:
    FileDescriptor() = default;
    explicit FileDescriptor(int number) : number_(number) {}
    FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    FileDescriptor& operator=(FileDescriptor&& other) noexcept;
    ~FileDescriptor();

    [[nodiscard]] int get() const { return number_; }
    [[nodiscard]] bool valid() const { return number_ >= 0; }

  private:
    int number_ = -1;
};

/// Returns an internal error: "PATH: cannot WHAT: No space left on device". `number` is an errno value.
[[nodiscard]] tl::unexpected<protocol::Error> file_error(const std::filesystem::path& path,
                                                         std::string_view what, int number = errno);

/// Makes the names inside `directory` durable. Before this, a new file may be missing after a power loss.
[[nodiscard]] protocol::Result<void> sync_directory(const std::filesystem::path& directory);

/// Creates `directory` (mode 0700, parents too) when it is missing and opens it under an exclusive lock. The
/// lock lasts as long as the descriptor and also keeps out a second user inside this process.
/// @return an error when it is in use, is not a folder, or others may write to it.
[[nodiscard]] protocol::Result<FileDescriptor> lock_directory(const std::filesystem::path& directory);

/// Makes sure that `file` exists, is a regular file and has mode 0600, regardless of the umask.
[[nodiscard]] protocol::Result<void> ensure_private_file(const std::filesystem::path& file);

/// Creates a new file with `mode`, regardless of the umask, and makes its content durable. A file that cannot
/// be written completely is removed.
[[nodiscard]] protocol::Result<void> create_file(const std::filesystem::path& file, protocol::ByteView bytes,
                                                 unsigned mode);

/// Replaces the file by `bytes` atomically and durably: after a crash it has the old content or the new.
[[nodiscard]] protocol::Result<void> replace_file(const std::filesystem::path& file, protocol::ByteView bytes,
                                                  unsigned mode = 0600);

}  // namespace unlearn::storage
