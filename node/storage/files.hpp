#pragma once

#include <cerrno>
#include <filesystem>
#include <string_view>
#include <utility>

#include "protocol/bytes.hpp"
#include "protocol/result.hpp"

/// The few things about files that the standard library cannot say: permissions at creation, locks, fsync.
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

/// "PATH: cannot WHAT: No space left on device", as an internal error; `number` is an errno value.
[[nodiscard]] tl::unexpected<protocol::Error> file_error(const std::filesystem::path& path,
                                                         std::string_view what, int number = errno);

/// Makes the names inside `directory` durable: a new file is not there after a power loss before this.
[[nodiscard]] protocol::Result<void> sync_directory(const std::filesystem::path& directory);

/// Creates `directory` (mode 0700, parents too) when it is missing and opens it under an exclusive lock,
/// which lasts as long as the descriptor and also keeps out a second user inside this process.
/// @return an error when it is in use, is no folder, or others may write to it.
[[nodiscard]] protocol::Result<FileDescriptor> lock_directory(const std::filesystem::path& directory);

/// Makes sure that `file` exists, is a regular file and has mode 0600, whatever the umask.
[[nodiscard]] protocol::Result<void> ensure_private_file(const std::filesystem::path& file);

/// Makes a file that was not there before, whatever the umask, and makes its content durable. Of a file that
/// cannot be written whole nothing stays.
[[nodiscard]] protocol::Result<void> create_file(const std::filesystem::path& file, protocol::ByteView bytes,
                                                 unsigned mode);

/// Puts `bytes` in place of the file at once (mode 0600), durably: after a crash there is the old content or
/// the new.
[[nodiscard]] protocol::Result<void> replace_file(const std::filesystem::path& file,
                                                  protocol::ByteView bytes);

}  // namespace unlearn::storage
