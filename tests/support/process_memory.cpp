#include "tests/support/process_memory.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace unlearn::testing {

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
