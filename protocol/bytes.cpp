#include "protocol/bytes.hpp"

#include <algorithm>

#include <sodium.h>

namespace unlearn::protocol {

SeedBytes& SeedBytes::operator=(SeedBytes&& other) noexcept {
    if (this != &other) {
        wipe();
        bytes_ = std::move(other.bytes_);
    }
    return *this;
}

void SeedBytes::append(ByteView more) {
    if (bytes_.size() + more.size() > bytes_.capacity()) {
        Bytes larger;
        larger.reserve(std::max(bytes_.capacity() * 2, bytes_.size() + more.size()));
        larger.assign(bytes_.begin(), bytes_.end());
        wipe();
        bytes_ = std::move(larger);
    }
    bytes_.insert(bytes_.end(), more.begin(), more.end());
}

void SeedBytes::wipe() {
    if (!bytes_.empty()) sodium_memzero(bytes_.data(), bytes_.size());
    bytes_.clear();
}

std::string to_hex(ByteView bytes) {
    std::string out(bytes.size() * 2 + 1, '\0');
    sodium_bin2hex(out.data(), out.size(), bytes.data(), bytes.size());
    out.pop_back();
    return out;
}

Result<Bytes> from_hex(std::string_view text) {
    Bytes out(text.size() / 2);
    std::size_t written = 0;
    const char* end = nullptr;
    if (text.size() % 2 != 0 ||
        sodium_hex2bin(out.data(), out.size(), text.data(), text.size(), nullptr, &written, &end) != 0 ||
        end != text.data() + text.size())
        return fail(ErrorCode::malformed, "not hexadecimal");
    return out;
}

}  // namespace unlearn::protocol
