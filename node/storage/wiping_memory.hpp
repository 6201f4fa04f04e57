#pragma once

#include "protocol/digest.hpp"
#include "protocol/result.hpp"

namespace unlearn::storage {

/// Makes SQLite overwrite every piece of memory before it frees it, and ask for each cached page by itself
/// rather than in blocks that it keeps. Pages of a seed thus do not live on in the heap once SQLite let go of
/// them. A setting of the whole process, made before SQLite is used for the first time; safe to call again
/// and from any thread.
/// @return an error when something else in the process has already started SQLite.
[[nodiscard]] protocol::Result<void> install_wiping_memory();

/// BLAKE2b of a seed's bytes, after which the stack below the caller is wiped: libsodium leaves its last
/// blocks of input there.
[[nodiscard]] protocol::Digest digest_of_seed(protocol::ByteView seed);

}  // namespace unlearn::storage
