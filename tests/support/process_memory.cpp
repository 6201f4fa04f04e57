#include "tests/support/process_memory.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <unordered_map>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace unlearn::testing {
namespace {

constexpr std::size_t kPiece = 64;

class Pieces {
  public:
    explicit Pieces(const std::string& secret) : begins_with_(1U << 16U) {
        for (std::size_t at = 0; at + kPiece <= secret.size(); at += kPiece) {
            const auto piece = secret.substr(at, kPiece);
            // Zeros and the like are everywhere.
            if (std::set<char>(piece.begin(), piece.end()).size() <= kPiece / 4) continue;
            begins_with_[first_two(piece.data())] = true;
            by_start_[first_eight(piece.data())].push_back(piece);
        }
    }

    [[nodiscard]] std::size_t count_in(const std::vector<char>& bytes) const {
        std::size_t found = 0;
        for (std::size_t at = 0; at + kPiece <= bytes.size(); ++at) {
            const char* here = bytes.data() + at;
            if (!begins_with_[first_two(here)]) continue;
            const auto candidates = by_start_.find(first_eight(here));
            if (candidates == by_start_.end()) continue;
            for (const auto& piece : candidates->second)
                found += std::memcmp(piece.data(), here, kPiece) == 0 ? 1U : 0U;
        }
        return found;
    }

  private:
    static std::uint16_t first_two(const char* bytes) {
        std::uint16_t value = 0;
        std::memcpy(&value, bytes, sizeof(value));
        return value;
    }
    static std::uint64_t first_eight(const char* bytes) {
        std::uint64_t value = 0;
        std::memcpy(&value, bytes, sizeof(value));
        return value;
    }
    std::vector<bool> begins_with_;
    std::unordered_map<std::uint64_t, std::vector<std::string>> by_start_;
};

}  // namespace

std::size_t places_with_pieces_of(const std::string& secret, pid_t process) {
    const Pieces pieces(secret);
    const std::string folder = "/proc/" + std::to_string(process);
    std::ifstream maps(folder + "/maps");
    const int memory = ::open((folder + "/mem").c_str(), O_RDONLY);
    std::size_t found = 0;
    std::string line;
    std::vector<char> bytes;
    while (std::getline(maps, line)) {
        unsigned long begin = 0;
        unsigned long end = 0;
        char readable = '-';
        char writable = '-';
        if (std::sscanf(line.c_str(), "%lx-%lx %c%c", &begin, &end, &readable, &writable) != 4) continue;
        // What nobody wrote to is as it is in its file.
        if (readable != 'r' || writable != 'w') continue;
        bytes.resize(end - begin);
        const auto read = ::pread(memory, bytes.data(), bytes.size(), static_cast<off_t>(begin));
        if (read <= 0) continue;
        bytes.resize(static_cast<std::size_t>(read));
        found += pieces.count_in(bytes);
    }
    ::close(memory);
    return found;
}

std::size_t places_in_files(const std::string& secret, const std::string& folder) {
    const Pieces pieces(secret);
    std::size_t found = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (!entry.is_regular_file()) continue;
        std::ifstream in(entry.path(), std::ios::binary);
        found += pieces.count_in({std::istreambuf_iterator<char>(in), {}});
    }
    return found;
}

std::size_t private_memory(pid_t process) {
    std::ifstream in("/proc/" + std::to_string(process) + "/smaps_rollup");
    std::size_t kilobytes = 0;
    for (std::string line; std::getline(in, line);)
        if (line.starts_with("Private_Clean:") || line.starts_with("Private_Dirty:"))
            kilobytes += std::stoul(line.substr(line.find(':') + 1));
    return kilobytes * 1024;
}

std::size_t open_descriptors(pid_t process) {
    const std::filesystem::directory_iterator all("/proc/" + std::to_string(process) + "/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

MemoryWatch::MemoryWatch(pid_t process)
    : thread_([this, process] {
          while (!over_) {
              most_ = std::max<std::size_t>(most_, private_memory(process));
              std::this_thread::sleep_for(std::chrono::milliseconds(20));
          }
      }) {}

MemoryWatch::~MemoryWatch() {
    over_ = true;
    thread_.join();
}

}  // namespace unlearn::testing
