#include <array>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <memory>

#include <doctest/doctest.h>
#include <unistd.h>

#include "node/learning/memory.hpp"

using namespace unlearn::learning;

// A sanitizer has an allocator of its own.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

namespace {

constexpr long kMiB = 1 << 20;
constexpr long kBlock = 4 * kMiB;
constexpr long kBlocks = 10;

long resident() {
    long total = 0;
    long pages = 0;
    std::ifstream("/proc/self/statm") >> total >> pages;
    return pages * sysconf(_SC_PAGESIZE);
}

// As a step of training: many large results, all freed at the end.
void step() {
    std::array<std::unique_ptr<char[]>, kBlocks> results;
    for (auto& result : results) {
        result.reset(new char[kBlock]);
        std::memset(result.get(), 1, kBlock);
    }
}

}  // namespace

TEST_CASE("a process with little memory keeps what it frees only while it learns") {
    constexpr long kResults = kBlocks * kBlock;
    keep_memory_low();
    release_memory();
    const long before = resident();
    const auto kept = [&] { return resident() - before; };
    step();
    CHECK(kept() < kResults / 2);
    {
        const MemoryAtHand at_hand;
        step();
        CHECK(kept() > kResults / 2);
        step();
        CHECK(kept() < kResults * 3 / 2);  // the second step used what the first had left
    }
    CHECK(kept() < kResults / 2);
    step();
    CHECK(kept() < kResults / 2);
}

#endif
