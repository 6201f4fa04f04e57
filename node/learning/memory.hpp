#pragma once

namespace unlearn::learning {

/// Sets up the C library's allocator for a process that runs for years with little memory. It keeps few
/// arenas (otherwise each thread of a pool would keep its own) and returns large blocks to the system when
/// they are freed. Call it first in main(). Does nothing unless the C library is glibc.
void keep_memory_low();

/// Returns to the system what training, distilling or judging has left behind. Takes about a millisecond.
void release_memory();

/// Keeps freed memory in the process until the end of this scope, then returns it to the system. Use it while
/// such a process learns: every step frees all its intermediate results, and mapping memory anew costs a page
/// fault for every 4 kB, which may be most of the time that a small residual net takes. Only one may exist at
/// a time.
class MemoryAtHand {
  public:
    MemoryAtHand();
    MemoryAtHand(const MemoryAtHand&) = delete;
    MemoryAtHand& operator=(const MemoryAtHand&) = delete;
    ~MemoryAtHand();
};

}  // namespace unlearn::learning
