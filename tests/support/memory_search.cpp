#include "tests/support/memory_search.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include <fcntl.h>
#include <unistd.h>

namespace unlearn::testing {
namespace {

constexpr std::size_t kValue = sizeof(float);
constexpr std::size_t kRun = 64 / kValue;
constexpr std::size_t kTellingBits = 8;
constexpr std::size_t kOften = 4;
constexpr unsigned kLikelyBits = 22;

std::uint32_t value_at(const char* bytes) {
    std::uint32_t value = 0;
    std::memcpy(&value, bytes, sizeof(value));
    return value;
}

std::size_t likely_index(std::uint32_t value) {
    return value * 2654435761U >> (32U - kLikelyBits);
}

/// Stack pointers of its threads that wait in a system call: all but those that compute at this moment.
std::vector<unsigned long> stack_pointers(const std::string& process_folder) {
    std::vector<unsigned long> out;
    for (const auto& thread : std::filesystem::directory_iterator(process_folder + "/task")) {
        std::ifstream in(thread.path() / "syscall");
        const std::vector<std::string> words{std::istream_iterator<std::string>(in), {}};
        // Number, six arguments, stack pointer, instruction pointer.
        if (words.size() == 9) out.push_back(std::stoul(words[7], nullptr, 16));
    }
    return out;
}

}  // namespace

SeedSearch::SeedSearch(const std::string& weights) : likely_(1U << kLikelyBits) {
    std::map<std::uint32_t, std::size_t> times;
    for (std::size_t at = 0; at + kValue <= weights.size(); at += kValue)
        ++times[value_at(weights.data() + at)];
    for (const auto& [value, count] : times) {
        if (count > kOften || static_cast<std::size_t>(std::popcount(value)) < kTellingBits) continue;
        values_.insert(value);
        likely_[likely_index(value)] = true;
    }
}

bool SeedSearch::knows(std::uint32_t value) const {
    return likely_[likely_index(value)] && values_.contains(value);
}

std::size_t SeedSearch::places_in(std::span<const char> bytes) const {
    std::size_t found = 0;
    std::array<std::size_t, kValue> run{};  // of the values that begin at bytes of each remainder
    for (std::size_t at = 0; at + kValue <= bytes.size(); ++at) {
        auto& length = run[at % kValue];
        length = knows(value_at(bytes.data() + at)) ? length + 1 : 0;
        found += length >= kRun ? 1U : 0U;
    }
    return found;
}

std::size_t SeedSearch::places_in_files(const std::string& folder) const {
    std::size_t found = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (!entry.is_regular_file()) continue;
        std::ifstream in(entry.path(), std::ios::binary);
        const std::vector<char> bytes((std::istreambuf_iterator<char>(in)), {});
        found += places_in(bytes);
    }
    return found;
}

PlacesInProcess SeedSearch::places_in_process(pid_t process) const {
    const std::string folder = "/proc/" + std::to_string(process);
    std::ifstream maps(folder + "/maps");
    const int memory = ::open((folder + "/mem").c_str(), O_RDONLY | O_CLOEXEC);
    const auto stacks = stack_pointers(folder);
    PlacesInProcess found;
    std::vector<char> bytes;
    for (std::string line; std::getline(maps, line);) {
        unsigned long begin = 0;
        unsigned long end = 0;
        char readable = '-';
        char writable = '-';
        if (std::sscanf(line.c_str(), "%lx-%lx %c%c", &begin, &end, &readable, &writable) != 4) continue;
        // What nobody wrote to is as it is in its file.
        if (readable != 'r' || writable != 'w') continue;
        bytes.resize(end - begin);
        std::size_t have = 0;
        while (have < bytes.size()) {
            const auto got =
                ::pread(memory, bytes.data() + have, bytes.size() - have, static_cast<off_t>(begin + have));
            if (got <= 0) break;
            have += static_cast<std::size_t>(got);
        }
        const bool stack = std::any_of(stacks.begin(), stacks.end(),
                                       [&](auto pointer) { return begin <= pointer && pointer < end; });
        (stack ? found.stacks : found.elsewhere) += places_in(std::span(bytes).first(have));
    }
    ::close(memory);
    return found;
}

}  // namespace unlearn::testing
