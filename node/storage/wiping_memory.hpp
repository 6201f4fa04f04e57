#pragma once

#include <cstddef>

#include "protocol/result.hpp"

namespace unlearn::storage {

/// Makes SQLite overwrite every piece of memory before it frees it, and ask for each cached page by itself
/// rather than in blocks that it keeps. Pages of a seed thus do not live on in the heap once SQLite let go of
/// them. A setting of the whole process, made before SQLite is used for the first time; safe to call again
/// and from any thread.
/// @return an error when something else in the process has already started SQLite.
[[nodiscard]] protocol::Result<void> install_wiping_memory();

/// Wipes the stack below the caller. Hash functions leave their last blocks of input there, and the dynamic
/// linker saves vector registers, which may hold what was copied last. Called when seeds were handled.
/// `deepest` bytes are wiped; the default is beyond what SQLite and BLAKE2b use.
void wipe_unused_stack(std::size_t deepest = 64 * 1024);

}  // namespace unlearn::storage
