#include "node/learning/memory.hpp"

#if defined(__GLIBC__) || __has_include(<malloc.h>)
#include <malloc.h>
#endif

#include <cstddef>
#include <cstdlib>
#include <limits>

namespace unlearn::learning {
namespace {

#ifdef __GLIBC__
// The size from which a block gets a mapping of its own. Setting it stops glibc from raising it to 32 MiB
// after the first large block was freed; a set of 10,000 images would then come from the heap and stay there.
// A smaller value slows down convolutions, whose intermediate results would be mapped and unmapped at every
// step.
constexpr int kOwnMapping = 8 << 20;
constexpr int kNever = std::numeric_limits<int>::max();
#endif

}  // namespace

void keep_memory_low() {
#ifdef __GLIBC__
    constexpr int kArenas = 2;
    mallopt(M_ARENA_MAX, kArenas);
    mallopt(M_MMAP_THRESHOLD, kOwnMapping);
    mallopt(M_TRIM_THRESHOLD, kOwnMapping);
#endif
}

void release_memory() {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

MemoryAtHand::MemoryAtHand() {
#ifdef __GLIBC__
    mallopt(M_TRIM_THRESHOLD, kNever);
#endif
}

MemoryAtHand::~MemoryAtHand() {
#ifdef __GLIBC__
    mallopt(M_TRIM_THRESHOLD, kOwnMapping);
    // malloc_trim does not trim the end of any arena but the first; freeing a large block there does.
    constexpr std::size_t kLarge = 1 << 17;
    void* volatile block = std::malloc(kLarge);
    std::free(block);
#endif
    release_memory();
}

}  // namespace unlearn::learning
