#include "node/storage/reserve.hpp"

#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include "node/storage/files.hpp"

namespace unlearn::storage {

namespace {
constexpr std::uint64_t kMebibyte = 1024 * 1024;
constexpr std::uint64_t kSlack = 4 * kMebibyte;
}  // namespace

std::uint64_t Reserve::size_for(std::uint64_t held_bytes) {
    const std::uint64_t wanted = kMebibyte + 2 * held_bytes + held_bytes / 16;
    return (wanted + kMebibyte - 1) / kMebibyte * kMebibyte;
}

std::uint64_t Reserve::size() const {
    std::error_code error;
    const auto size = std::filesystem::file_size(file_, error);
    return error ? 0 : size;
}

protocol::Result<void> Reserve::grow_to(std::uint64_t bytes) {
    const auto before = size();
    if (before >= bytes) return {};
    const FileDescriptor opened(::open(file_.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!opened.valid()) return file_error(file_, "open the reserve");
    const int number = ::posix_fallocate(opened.get(), 0, static_cast<off_t>(bytes));
    if (number == 0) return {};
    // A part of the growth may have been allocated, and would only take space from others.
    if (::ftruncate(opened.get(), static_cast<off_t>(before)) != 0) return file_error(file_, "shrink");
    return file_error(file_, "reserve space for erasures", number);
}

protocol::Result<void> Reserve::fit_to(std::uint64_t bytes) {
    if (size() > bytes + kSlack) cut_to(bytes, false);
    return grow_to(bytes);
}

// File systems with a journal count blocks as free only after a commit, so this waits for it.
void Reserve::release() {
    cut_to(0, true);
}

void Reserve::cut_to(std::uint64_t bytes, bool wait_for_disk) {
    const FileDescriptor opened(::open(file_.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
    if (!opened.valid() || ::ftruncate(opened.get(), static_cast<off_t>(bytes)) != 0) return;
    if (wait_for_disk) ::fsync(opened.get());
}

}  // namespace unlearn::storage
