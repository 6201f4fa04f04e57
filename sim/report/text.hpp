#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace unlearn::sim::report {

// Formats values for people, in the same way on the page and in the terminal. NaN was not measured and is
// shown as "-".

/// Escapes the characters that mean something in HTML and SVG, in elements and in quoted attributes, and
/// replaces control characters by spaces. All text from files goes through here.
[[nodiscard]] std::string escape_html(std::string_view text);

/// Formats 140000 as "140,000".
[[nodiscard]] std::string grouped(std::uint64_t value);

/// Formats 1 and "node" as "1 node", 2 as "2 nodes".
[[nodiscard]] std::string counted(std::uint64_t value, std::string_view noun);

/// Formats an accuracy from 0 to 1 in per cent with one decimal, without the percent sign: "85.7".
[[nodiscard]] std::string percent(double part);

/// Formats the difference between two accuracies in percentage points: "+2.1".
[[nodiscard]] std::string points(double difference);

/// Formats milliseconds: "0.43 ms", "12.5 ms", "1.20 s".
[[nodiscard]] std::string milliseconds(double value);

/// Formats seconds: "12.0 ms", "0.12 s", "45.2 s", "3 min 05 s".
[[nodiscard]] std::string seconds(double value);

/// Formats bytes: "512 B", "3.2 MB" (powers of 1000).
[[nodiscard]] std::string bytes(double value);

/// Formats a number with this many decimals.
[[nodiscard]] std::string decimal(double value, int decimals);

/// Shortens a text to at most `most` characters, the last of which are then "..". The text must be ASCII, as
/// names are, so that no character of several bytes is cut.
[[nodiscard]] std::string cut_to(const std::string& text, std::size_t most);

/// Joins names: "a", "a and b", "a, b and c". Of more than `most` names it lists the first ones "and 7 more".
[[nodiscard]] std::string list(std::span<const std::string> names, std::size_t most = 8);

}  // namespace unlearn::sim::report
