#pragma once

#include <cstddef>
#include <string>

#include <sys/types.h>

namespace unlearn::testing {

/// How many places in the memory of a process (which must be ours to look into) hold a 64-byte piece of
/// `secret`, counted at every alignment. Pieces begin at every 64th byte of it.
[[nodiscard]] std::size_t places_with_pieces_of(const std::string& secret, pid_t process);

/// The same in the files of a folder.
[[nodiscard]] std::size_t places_in_files(const std::string& secret, const std::string& folder);

}  // namespace unlearn::testing
