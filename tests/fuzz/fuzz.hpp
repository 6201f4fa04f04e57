#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <sys/mman.h>
#include <unistd.h>

/// What the targets share. A target feeds bytes to code that must take any, and checks what must hold then.
namespace unlearn::fuzz {

/// Something that must hold whatever the input is; libFuzzer keeps the input that breaks it.
inline void require(bool holds, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    if (holds) return;
    std::fprintf(stderr, "%s:%d: does not hold\n", file, line);
    std::abort();
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

/// Complaints are one line, for logs and terminals.
inline void require_one_line(const std::string& text, const char* file = __builtin_FILE(),
                             int line = __builtin_LINE()) {
    require(!text.empty() && text.find('\n') == std::string::npos, file, line);
}

/// A file in memory, for readers that want a path.
class MemoryFile {
  public:
    MemoryFile(const std::uint8_t* data, std::size_t size) : number_(::memfd_create("fuzz", MFD_CLOEXEC)) {
        require(number_ >= 0 && ::write(number_, data, size) == static_cast<ssize_t>(size));
    }
    ~MemoryFile() { ::close(number_); }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;
    [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(number_); }

  private:
    int number_;
};

}  // namespace unlearn::fuzz
