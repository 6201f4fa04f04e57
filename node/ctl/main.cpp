#include <csignal>
#include <iostream>

#include <unistd.h>

#include "node/ctl/command.hpp"

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_DFL);                // `unlearnctl log | head` ends quietly
    constexpr std::chrono::seconds kPatience{5};  // LibTorch alone takes a second or two to load
    unlearn::ctl::Console console{std::cin, std::cout, std::cerr,
                                  isatty(STDIN_FILENO) != 0 && isatty(STDERR_FILENO) != 0, kPatience};
    try {
        return unlearn::ctl::run({argv + 1, argv + argc}, console);
    } catch (const std::exception& error) {
        std::cerr << "unlearnctl: " << error.what() << '\n';
        return static_cast<int>(unlearn::ctl::ExitCode::failed);
    }
}
