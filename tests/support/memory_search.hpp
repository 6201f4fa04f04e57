#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include <sys/types.h>

namespace unlearn::testing {

struct PlacesInProcess {
    std::size_t stacks = 0;  ///< on the stacks of its threads
    std::size_t elsewhere = 0;
    [[nodiscard]] std::size_t all() const { return stacks + elsewhere; }
};

/// Looks for the float32 values of a seed in bytes, files and the memory of other processes.
///
/// A place is found where 64 bytes, beginning at any byte, are 16 values of the seed one after the other, in
/// whatever order. So it finds every window of 64 bytes of the seed, and what BLAS has transposed or packed
/// into buffers of its own as well. Each byte that begins such a place counts.
///
/// Values that say nothing are left out: zeros, those with few bits set, and those that the seed has more
/// than a few times. 16 others do not meet by chance: a seed has some 20,000 of 4 billion.
class SeedSearch {
  public:
    explicit SeedSearch(const std::string& weights);

    [[nodiscard]] std::size_t places_in(std::span<const char> bytes) const;
    [[nodiscard]] std::size_t places_in_files(const std::string& folder) const;
    /// Everything that the process can write to. It must be ours to look into.
    [[nodiscard]] PlacesInProcess places_in_process(pid_t process) const;

  private:
    [[nodiscard]] bool knows(std::uint32_t value) const;

    std::unordered_set<std::uint32_t> values_;
    std::vector<bool> likely_;  ///< by some bits of a value: most are ruled out at once
};

}  // namespace unlearn::testing
