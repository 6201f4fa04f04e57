#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace unlearn::learning {

/// What went wrong, as one clear line that names the file, line, key or tensor.
struct Error {
    std::string message;
};

/// How this folder reports expected failures: missing files, corrupt data, hostile seeds, cancellation.
/// Exceptions come only from the libraries below and when memory runs out.
template <typename T>
using Result = tl::expected<T, Error>;

/// Makes the error value of a Result.
[[nodiscard]] inline tl::unexpected<Error> fail(std::string message) {
    return tl::unexpected<Error>(Error{std::move(message)});
}

}  // namespace unlearn::learning
