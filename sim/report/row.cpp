#include "sim/report/row.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace unlearn::sim::report {
namespace {

/// Below this, every whole number is exact and is written in full, not as "1e+05".
constexpr double kMostWhole = 1e15;

std::string number_text(double value) {
    std::array<char, 32> buffer;
    const bool whole = std::abs(value) < kMostWhole && value == std::trunc(value);
    // Beyond that, the fixed form could have hundreds of digits.
    const auto end =
        whole ? std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed)
              : std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
    return {buffer.data(), end.ptr};
}

}  // namespace

std::string to_text(const Label& label) {
    if (const auto* word = std::get_if<std::string>(&label)) return *word;
    return number_text(std::get<double>(label));
}

}  // namespace unlearn::sim::report
