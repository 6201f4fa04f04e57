#include "protocol/messages.hpp"
#include "tests/fuzz/fuzz.hpp"

// A header, a body and at times a payload: two lengths of one and two bytes, then the frames.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace unlearn::protocol;
    Frames frames;
    std::size_t at = 0;
    for (const std::size_t bytes_of_length : {1U, 2U}) {
        if (size - at < bytes_of_length) return 0;
        std::size_t length = 0;
        for (std::size_t i = 0; i < bytes_of_length; ++i)
            length = length << 8U | data[at++];
        length = std::min(length, size - at);
        frames.emplace_back(data + at, data + at + length);
        at += length;
    }
    if (at < size) frames.emplace_back(data + at, data + size);
    const auto decoded = decode(frames);
    if (!decoded) {
        unlearn::fuzz::require_one_line(decoded.error().text());
        return 0;
    }
    // What was understood means the same when it is said again.
    const auto again = encode(*decoded);
    const auto twice = decode(again);
    unlearn::fuzz::require(twice.has_value() && encode(*twice) == again);
    return 0;
}
