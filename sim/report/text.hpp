#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace unlearn::sim::report {

// Values as people read them, the same on the page and in the terminal. What was not measured is NaN and
// reads "-".

/// `text` with the characters that mean something in HTML and SVG, in elements and in quoted attributes,
/// replaced, and control characters taken out. Everything that came from a file goes through here.
[[nodiscard]] std::string escape_html(std::string_view text);

/// 140000 as "140,000".
[[nodiscard]] std::string grouped(std::uint64_t value);

/// 1 and "node" as "1 node", 2 as "2 nodes".
[[nodiscard]] std::string counted(std::uint64_t value, std::string_view noun);

/// An accuracy from 0 to 1 in per cent with one decimal, without the sign: "85.7".
[[nodiscard]] std::string percent(double part);

/// The difference between two accuracies in percentage points: "+2.1".
[[nodiscard]] std::string points(double difference);

/// "0.43 ms", "12.5 ms", "1.20 s".
[[nodiscard]] std::string milliseconds(double value);

/// "12.0 ms", "0.12 s", "45.2 s", "3 min 05 s".
[[nodiscard]] std::string seconds(double value);

/// "512 B", "3.2 MB" (powers of 1000).
[[nodiscard]] std::string bytes(double value);

/// A plain number with this many decimals.
[[nodiscard]] std::string decimal(double value, int decimals);

/// At most `most` characters: the end of a longer text becomes "..". The text is ASCII, as names are, so that
/// no character of several bytes is cut in the middle.
[[nodiscard]] std::string cut_to(const std::string& text, std::size_t most);

/// "a", "a and b", "a, b and c"; of more than `most`, the first ones "and 7 more".
[[nodiscard]] std::string list(std::span<const std::string> names, std::size_t most = 8);

}  // namespace unlearn::sim::report
