#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <thread>

#include <sys/types.h>

namespace unlearn::testing {

/// How many places in the memory of a process (which must be ours to look into) hold a 64-byte piece of
/// `secret`, counted at every alignment. Pieces begin at every 64th byte of it.
[[nodiscard]] std::size_t places_with_pieces_of(const std::string& secret, pid_t process);

/// The same in the files of a folder.
[[nodiscard]] std::size_t places_in_files(const std::string& secret, const std::string& folder);

/// Bytes that a process has for itself: Private_Clean and Private_Dirty of smaps_rollup. 0 when we may not
/// look.
[[nodiscard]] std::size_t private_memory(pid_t process);
[[nodiscard]] std::size_t open_descriptors(pid_t process);

/// Looks at the private memory of a process every 20 ms, on a thread of its own.
class MemoryWatch {
  public:
    explicit MemoryWatch(pid_t process);
    ~MemoryWatch();
    MemoryWatch(const MemoryWatch&) = delete;
    MemoryWatch& operator=(const MemoryWatch&) = delete;

    /// The most that was seen so far.
    [[nodiscard]] std::size_t most() const { return most_; }

  private:
    std::atomic<bool> over_ = false;
    std::atomic<std::size_t> most_ = 0;
    std::thread thread_;
};

}  // namespace unlearn::testing
