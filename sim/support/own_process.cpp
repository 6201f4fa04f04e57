#include "sim/support/own_process.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace unlearn::sim::support {
namespace {

constexpr const char* kParentVariable = "UNLEARN_SIM_PARENT";

int code_of(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

tl::expected<OwnProcess, std::string> OwnProcess::start(const std::vector<std::string>& arguments,
                                                        const std::optional<std::filesystem::path>& log) {
    std::vector<std::string> words{"unlearn-sim"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (auto& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    if (log) {
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log->c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                         0644);
        posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    }
    ::setenv(kParentVariable, std::to_string(::getpid()).c_str(), 1);
    pid_t child = 0;
    const int error = posix_spawn(&child, "/proc/self/exe", &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) return tl::unexpected<std::string>(std::strerror(error));
    return OwnProcess(child);
}

void OwnProcess::end_with_parent() {
    const char* parent = std::getenv(kParentVariable);
    if (parent == nullptr) return;
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    // It may have ended before we asked.
    if (std::to_string(::getppid()) != parent) ::_exit(128 + SIGTERM);
}

int OwnProcess::wait() {
    int status = 0;
    while (waitpid(process_, &status, 0) < 0)
        if (errno != EINTR) return 128;
    return code_of(status);
}

std::optional<int> OwnProcess::exit_code() {
    int status = 0;
    const pid_t ended = waitpid(process_, &status, WNOHANG);
    if (ended == 0 || (ended < 0 && errno == EINTR)) return std::nullopt;
    return ended < 0 ? 128 : code_of(status);
}

}  // namespace unlearn::sim::support
