#include "sim/fleet/daemon_process.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace unlearn::sim::fleet {
namespace {

constexpr std::chrono::milliseconds kLook{20};
constexpr int kCannotRun = 127;

/// In the new process, where other threads of ours left locks behind: system calls and nothing else.
[[noreturn]] void become(const char* program, const char* config, int log, pid_t parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(kCannotRun);  // gone before the line above
    const int nothing = ::open("/dev/null", O_RDONLY);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    ::close_range(STDERR_FILENO + 1, ~0U, 0);
    ::execl(program, program, "--config", config, static_cast<char*>(nullptr));
    ::_exit(kCannotRun);
}

}  // namespace

tl::expected<DaemonProcess, std::string> DaemonProcess::start(const std::filesystem::path& program,
                                                              const std::filesystem::path& config,
                                                              const std::filesystem::path& log) {
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (out < 0) return tl::unexpected(log.string() + ": " + std::strerror(errno));
    const pid_t parent = ::getpid();
    const pid_t process = ::fork();
    if (process == 0) become(program.c_str(), config.c_str(), out, parent);
    const int error = errno;
    ::close(out);
    if (process < 0) return tl::unexpected(program.string() + ": cannot be started: " + std::strerror(error));
    return DaemonProcess(process, log);
}

DaemonProcess::DaemonProcess(DaemonProcess&& other) noexcept
    : process_(std::exchange(other.process_, -1)),
      log_(std::move(other.log_)),
      exit_code_(other.exit_code_) {}

DaemonProcess::~DaemonProcess() {
    if (process_ < 0 || exit_code_) return;
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
}

std::optional<int> DaemonProcess::exit_code() {
    int status = 0;
    if (!exit_code_ && ::waitpid(process_, &status, WNOHANG) == process_) {
        constexpr int kSignals = 128;
        exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : kSignals + WTERMSIG(status);
    }
    return exit_code_;
}

std::optional<int> DaemonProcess::wait(std::chrono::seconds at_most) {
    const auto deadline = std::chrono::steady_clock::now() + at_most;
    while (!exit_code() && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(kLook);
    return exit_code_;
}

void DaemonProcess::ask_to_stop() {
    if (!exit_code()) ::kill(process_, SIGTERM);
}

std::string DaemonProcess::last_words() const {
    std::ifstream in(log_);
    std::string last;
    for (std::string line; std::getline(in, line);)
        if (!line.empty()) last = std::move(line);
    if (!last.empty()) return last;
    std::error_code error;
    const auto space = std::filesystem::space(log_.parent_path(), error);
    if (!error && space.available == 0) return "its log is empty, for the disk is full: " + log_.string();
    return "it said nothing";
}

}  // namespace unlearn::sim::fleet
