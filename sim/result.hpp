#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace unlearn::sim {

/// The reason why an operation failed: one line that names the file, node or key concerned.
struct Error {
    std::string message;
    bool bad_input = false;  ///< whether the user has to correct something first
};

/// The return type of every function of the simulator that can be expected to fail.
template <typename T>
using Result = tl::expected<T, Error>;

/// Makes a failed `Result` from an error.
[[nodiscard]] inline tl::unexpected<Error> failed_with(Error error) {
    return tl::unexpected<Error>(std::move(error));
}

/// Makes a failed `Result` with this message.
[[nodiscard]] inline tl::unexpected<Error> failed_with(std::string message) {
    return failed_with(Error{std::move(message)});
}

/// Fails because of something that the user has to correct first.
[[nodiscard]] inline tl::unexpected<Error> bad_input(Error error) {
    error.bad_input = true;
    return failed_with(std::move(error));
}

/// Makes a failed `Result` with the message "FILE: WHAT".
[[nodiscard]] inline tl::unexpected<Error> failed_with(const std::filesystem::path& file,
                                                       std::string_view what) {
    return failed_with(file.string() + ": " + std::string(what));
}

}  // namespace unlearn::sim
