#include "node/storage/reserve.hpp"

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
    return disk_.size(file_);
}

protocol::Result<void> Reserve::grow_to(std::uint64_t bytes) {
    if (size() >= bytes) return {};
    return disk_.allocate(file_, bytes);
}

protocol::Result<void> Reserve::fit_to(std::uint64_t bytes) {
    if (size() > bytes + kSlack) disk_.cut(file_, bytes, false);
    return grow_to(bytes);
}

void Reserve::release() {
    disk_.cut(file_, 0, true);
}

}  // namespace unlearn::storage
