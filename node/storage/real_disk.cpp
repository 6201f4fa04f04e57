#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include "node/storage/disk.hpp"
#include "node/storage/files.hpp"

namespace unlearn::storage {

using protocol::Result;

namespace {

class RealDisk final : public Disk {
  public:
    [[nodiscard]] const char* sqlite_vfs() const override { return nullptr; }

    [[nodiscard]] Result<std::unique_ptr<Lock>> lock(const std::filesystem::path& directory) override {
        auto locked = lock_directory(directory);
        if (!locked) return tl::unexpected(locked.error());
        return std::make_unique<LockedDirectory>(std::move(*locked));
    }

    [[nodiscard]] Result<void> ensure_private_file(const std::filesystem::path& file) override {
        return storage::ensure_private_file(file);
    }

    [[nodiscard]] Result<void> make_file(const std::filesystem::path& file) override {
        const FileDescriptor made(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        if (!made.valid()) return file_error(file, "make");
        return {};
    }

    [[nodiscard]] Result<void> sync(const std::filesystem::path& file) override {
        const FileDescriptor opened(::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
        if (!opened.valid() || ::fsync(opened.get()) != 0) return file_error(file, "sync");
        return sync_directory(file.parent_path());
    }

    void remove(const std::filesystem::path& file) override { ::unlink(file.c_str()); }

    [[nodiscard]] std::uint64_t size(const std::filesystem::path& file) const override {
        std::error_code error;
        const auto size = std::filesystem::file_size(file, error);
        return error ? 0 : size;
    }

    [[nodiscard]] Result<void> allocate(const std::filesystem::path& file, std::uint64_t bytes) override {
        const auto before = size(file);
        const FileDescriptor opened(::open(file.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
        if (!opened.valid()) return file_error(file, "open the reserve");
        const int number = ::posix_fallocate(opened.get(), 0, static_cast<off_t>(bytes));
        if (number == 0) return {};
        // A part of the growth may have been allocated, and would only take space from others.
        if (::ftruncate(opened.get(), static_cast<off_t>(before)) != 0) return file_error(file, "shrink");
        return file_error(file, "reserve space for erasures", number);
    }

    void cut(const std::filesystem::path& file, std::uint64_t bytes, bool wait) override {
        const FileDescriptor opened(::open(file.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
        if (!opened.valid() || ::ftruncate(opened.get(), static_cast<off_t>(bytes)) != 0) return;
        // File systems with a journal count blocks as free only after a commit.
        if (wait) ::fsync(opened.get());
    }

  private:
    struct LockedDirectory : Lock {
        explicit LockedDirectory(FileDescriptor opened) : descriptor(std::move(opened)) {}
        FileDescriptor descriptor;
    };
};

}  // namespace

Disk& real_disk() {
    static RealDisk disk;
    return disk;
}

}  // namespace unlearn::storage
