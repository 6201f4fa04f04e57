#include "node/learning/memory.hpp"

#include <array>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <memory>
#include <thread>

#include <doctest/doctest.h>
#include <unistd.h>

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

// What is kept after steps of learning, and after those before and behind it.
struct Kept {
    long before = 0;
    long first_step = 0;
    long second_step = 0;
    long at_the_end = 0;
    long behind = 0;
};

Kept learn() {
    release_memory();
    const long start = resident();
    const auto kept = [&] { return resident() - start; };
    Kept found;
    step();
    found.before = kept();
    {
        const MemoryAtHand at_hand;
        step();
        found.first_step = kept();
        step();
        found.second_step = kept();
    }
    found.at_the_end = kept();
    step();
    found.behind = kept();
    return found;
}

void check(const Kept& found) {
    constexpr long kResults = kBlocks * kBlock;
    CHECK(found.before < kResults / 2);
    CHECK(found.first_step > kResults / 2);
    CHECK(found.second_step < kResults * 3 / 2);  // it used what the first had left
    CHECK(found.at_the_end < kResults / 2);
    CHECK(found.behind < kResults / 2);
}

}  // namespace

TEST_CASE("a process with little memory keeps what it frees only while it learns") {
    keep_memory_low();
    check(learn());
    // The allocator treats threads other than the first in another way.
    Kept found;
    std::thread([&] { found = learn(); }).join();
    check(found);
}

#endif
