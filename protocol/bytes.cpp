#include "protocol/bytes.hpp"

#include <sodium.h>

namespace unlearn::protocol {

void wipe_memory(void* data, std::size_t bytes) noexcept {
    if (bytes != 0) sodium_memzero(data, bytes);
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
