#include "sim/report/terminal.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include <sys/ioctl.h>
#include <unistd.h>

namespace unlearn::sim::report {
namespace {

std::string_view variable(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

/// Looks for UTF-8 in the environment. Asking the C library would need setlocale, which changes the whole
/// process.
bool locale_is_utf8() {
    for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const std::string_view value = variable(name);
        if (value.empty()) continue;
        for (const std::string_view utf8 : {"UTF-8", "utf8", "UTF8", "utf-8"}) {
            if (value.find(utf8) != std::string_view::npos) return true;
        }
        return false;
    }
    return false;
}

}  // namespace

Terminal detect_terminal(std::FILE* stream) {
    Terminal terminal;
    const int fd = ::fileno(stream);
    const std::string_view kind = variable("TERM");
    terminal.interactive = fd >= 0 && ::isatty(fd) == 1 && kind != "dumb";
    terminal.colour = terminal.interactive && variable("NO_COLOR").empty();
    // The Linux console claims UTF-8 but lacks most of its glyphs.
    terminal.unicode = locale_is_utf8() && kind != "linux";
    winsize size{};
    if (terminal.interactive && ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        terminal.width = std::clamp<int>(size.ws_col, 40, 200);
    }
    return terminal;
}

}  // namespace unlearn::sim::report
