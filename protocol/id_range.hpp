#pragma once

#include <algorithm>
#include <cstdint>

#include "protocol/bytes.hpp"

namespace unlearn::protocol {

/// The id of an owner that has left, as it travels in messages. It is only compared, never used as a key.
using ExitedId = FixedBytes<32, struct ExitedIdTag>;

/// The number of half-bytes in an id.
inline constexpr std::uint8_t kIdDigits = 2 * ExitedId::kSize;
/// The number of values of a half-byte, which is the number of parts that a range has.
inline constexpr std::size_t kRangeParts = 16;

/// Returns the half-byte at `position` of the id, counted from its beginning.
[[nodiscard]] inline std::uint8_t digit_of(const ExitedId& id, std::size_t position) {
    const std::uint8_t byte = id.value[position / 2];
    return position % 2 == 0 ? static_cast<std::uint8_t>(byte >> 4) : static_cast<std::uint8_t>(byte & 15U);
}

/// All ids that begin with the same half-bytes. Two ranges are disjoint, or one contains the other.
struct IdRange {
    ExitedId first;           ///< the smallest id in the range: the common half-bytes, then zeros
    std::uint8_t digits = 0;  ///< the number of common half-bytes

    /// Returns the range of `digits` half-bytes that contains `id`.
    [[nodiscard]] static IdRange around(const ExitedId& id, std::uint8_t digits) {
        IdRange range{id, digits};
        const std::size_t whole = digits / 2U;
        if (whole < ExitedId::kSize) {
            const std::uint8_t kept = digits % 2 == 0 ? 0 : 0xf0;
            range.first.value[whole] = static_cast<std::uint8_t>(id.value[whole] & kept);
            std::fill(range.first.value.begin() + static_cast<std::ptrdiff_t>(whole) + 1,
                      range.first.value.end(), std::uint8_t{0});
        }
        return range;
    }
    [[nodiscard]] bool contains(const ExitedId& id) const { return around(id, digits).first == first; }
    [[nodiscard]] bool contains(const IdRange& other) const {
        return other.digits >= digits && contains(other.first);
    }
    /// Returns the largest id in the range.
    [[nodiscard]] ExitedId last() const {
        ExitedId id = first;
        for (std::size_t i = digits; i < kIdDigits; ++i)
            id.value[i / 2] = static_cast<std::uint8_t>(id.value[i / 2] | (i % 2 == 0 ? 0xf0 : 0x0f));
        return id;
    }
    /// Returns the part whose next half-byte is `digit`. The range must have fewer than kIdDigits half-bytes.
    [[nodiscard]] IdRange part(std::uint8_t digit) const {
        IdRange out{first, static_cast<std::uint8_t>(digits + 1)};
        auto& byte = out.first.value[digits / 2U];
        byte = static_cast<std::uint8_t>(byte | (digits % 2 == 0 ? digit << 4 : digit));
        return out;
    }
    auto operator<=>(const IdRange&) const = default;
};

}  // namespace unlearn::protocol
