#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace unlearn::topologies {

/// Why a graph could not be made: one line for the person who asked for it.
struct Error {
    std::string message;
};

template <typename T>
using Result = tl::expected<T, Error>;

/// What a file said, as one line of a message may show it: at most 40 characters, '?' for all that is not
/// printable ASCII.
[[nodiscard]] inline std::string printable(std::string_view text) {
    constexpr std::size_t kMaxShown = 40;
    std::string result(text.substr(0, kMaxShown));
    std::replace_if(
        result.begin(), result.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    if (text.size() > kMaxShown) result += "...";
    return result;
}

}  // namespace unlearn::topologies
