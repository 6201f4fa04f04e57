#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <thread>

#include <sys/types.h>

namespace unlearn::testing {

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
