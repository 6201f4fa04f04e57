#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace unlearn::learning {

// What went wrong, as one clear line that names the file, line, key or tensor it is about.
struct Error {
    std::string message;
};

// How this folder reports what can be expected to fail: missing files, corrupt data, hostile seeds,
// cancellation. Exceptions are left to the libraries below and to memory that runs out.
template <typename T>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> fail(std::string message) {
    return tl::unexpected<Error>(Error{std::move(message)});
}

}  // namespace unlearn::learning
