#pragma once

namespace unlearn::learning {

// Settings of the C library's allocator for a process that stays up for years with little memory: few arenas
// (each thread of a pool would keep one of its own) and large blocks that go back to the system when they are
// freed. Call it first in main(). Does nothing where the C library is not glibc.
void keep_memory_low();

// Gives back what training, distilling or judging has left behind; takes about a millisecond.
void release_memory();

// For the time in which such a process learns: what is freed stays at hand until the end of this scope, and
// is given back then. Every step frees all its intermediate results; mapped anew they cost a page fault for
// every 4 kB, which may be most of the time that a small residual net takes. One at a time.
class MemoryAtHand {
  public:
    MemoryAtHand();
    MemoryAtHand(const MemoryAtHand&) = delete;
    MemoryAtHand& operator=(const MemoryAtHand&) = delete;
    ~MemoryAtHand();
};

}  // namespace unlearn::learning
