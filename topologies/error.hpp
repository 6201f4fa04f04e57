#pragma once

#include <string>

#include <tl/expected.hpp>

namespace unlearn::topologies {

/// Why a graph could not be made: one line for the person who asked for it.
struct Error {
    std::string message;
};

template <typename T>
using Result = tl::expected<T, Error>;

}  // namespace unlearn::topologies
