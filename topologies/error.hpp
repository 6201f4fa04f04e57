#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace unlearn::topologies {

/// Why a graph could not be made, in one line for the user.
struct Error {
    std::string message;
};

/// A value, or the reason why there is none.
template <typename T>
using Result = tl::expected<T, Error>;

/// Returns text from a file as it may appear in one line of a message: at most 40 characters, with '?' for
/// everything that is not printable ASCII.
[[nodiscard]] inline std::string printable(std::string_view text) {
    constexpr std::size_t kMaxShown = 40;
    std::string result(text.substr(0, kMaxShown));
    std::replace_if(
        result.begin(), result.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    if (text.size() > kMaxShown) result += "...";
    return result;
}

}  // namespace unlearn::topologies
