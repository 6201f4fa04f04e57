#pragma once

#include <cstddef>

#include "protocol/result.hpp"

namespace unlearn::storage {

/// Makes SQLite overwrite every piece of memory before it frees it, and allocate each cached page on its own
/// rather than in blocks that it keeps. Pages of a seed therefore do not stay in the heap after SQLite frees
/// them. This is a setting of the whole process and must be made before SQLite is used for the first time. It
/// is safe to call again and from any thread.
/// @return an error when something else in the process has already started SQLite.
[[nodiscard]] protocol::Result<void> install_wiping_memory();

/// Wipes the stack below the caller. Hash functions leave their last blocks of input there, and the dynamic
/// linker saves vector registers, which may contain what was copied last. Call it after handling seeds.
/// `deepest` bytes are wiped; the default is more than SQLite and BLAKE2b use.
void wipe_unused_stack(std::size_t deepest = 64 * 1024);

}  // namespace unlearn::storage
