#pragma once

namespace unlearn::learning {

// Settings of the C library's allocator. Call one of these two first in main(). They do nothing where the C
// library is not glibc.

// For a process that stays up for years with little memory: few arenas (each thread of a pool would keep one
// of its own) and large blocks that go back to the system when they are freed.
void keep_memory_low();

// For a process that learns all its life: what is freed stays with the process. A step of training frees all
// its intermediate results; handed back and mapped anew they cost a page fault for every 4 kB, which is most
// of the time of a small convolutional net where page faults are dear (virtual machines).
void keep_memory_at_hand();

// Gives back what training, distilling or judging has left behind; takes about a millisecond.
void release_memory();

// Freed memory stays at hand for as long as this lives; then it is given back. For the hours in which a
// process with little memory learns; one at a time.
class MemoryAtHand {
  public:
    MemoryAtHand();
    MemoryAtHand(const MemoryAtHand&) = delete;
    MemoryAtHand& operator=(const MemoryAtHand&) = delete;
    ~MemoryAtHand();
};

}  // namespace unlearn::learning
