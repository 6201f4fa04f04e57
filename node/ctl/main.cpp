#include <csignal>
#include <iostream>

#include <unistd.h>

#include "node/ctl/command.hpp"

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_DFL);  // `unlearnctl log | head` ends quietly
    unlearn::ctl::Console console{std::cin, std::cout, std::cerr,
                                  isatty(STDIN_FILENO) != 0 && isatty(STDERR_FILENO) != 0};
    try {
        return unlearn::ctl::run({argv + 1, argv + argc}, console);
    } catch (const std::exception& error) {
        std::cerr << "unlearnctl: " << error.what() << '\n';
        return static_cast<int>(unlearn::ctl::ExitCode::failed);
    }
}
