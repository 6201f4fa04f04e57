#pragma once

#include <filesystem>

#include "protocol/identity.hpp"

/// The key file: three lines of text that only its owner can read.
///
///     unlearnd identity 1
///     secret <64 hexadecimal digits>
///     id <the public id that the secret must give>
///
/// The id line is there for people, and to notice a file that was damaged or put together from two.
namespace unlearn::storage {

/// Reads a key file. Every buffer that contained the secret is wiped.
/// @return an error of one line that names the file when it is missing, not a regular file, owned by another
/// user, open to group or others, in another format, or has an id that does not match its secret.
[[nodiscard]] protocol::Result<protocol::Identity> load_identity(const std::filesystem::path& path);

/// Writes a new key file (mode 0600) and makes it durable. Never replaces a file: an identity whose key was
/// overwritten could never exit.
[[nodiscard]] protocol::Result<void> create_identity_file(const std::filesystem::path& path,
                                                          const protocol::Identity& identity);

}  // namespace unlearn::storage
