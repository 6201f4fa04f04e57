#pragma once

#include <cstdio>

namespace unlearn::sim::report {

/// What a terminal supports. The defaults are those of a file or a pipe.
struct Terminal {
    bool interactive = false;  ///< lines can be redrawn
    bool colour = false;       ///< interactive, and the user did not set NO_COLOR
    bool unicode = false;      ///< the locale says UTF-8
    int width = 80;
};

/// Detects what a stream supports. Reads the stream and the environment (LC_ALL, LC_CTYPE, LANG, TERM,
/// NO_COLOR) and changes neither.
[[nodiscard]] Terminal detect_terminal(std::FILE* stream);

}  // namespace unlearn::sim::report
