#pragma once

namespace unlearn::learning {

// Settings of the C library's allocator for a process that stays up for years with little memory: few arenas
// (each thread of a pool would keep one of its own) and large blocks that go back to the system when they are
// freed. Call it first in main(). Does nothing where the C library is not glibc.
void keep_memory_low();

// Gives back what training, distilling or judging has left behind; takes about a millisecond.
void release_memory();

}  // namespace unlearn::learning
