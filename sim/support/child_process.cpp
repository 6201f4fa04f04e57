#include "sim/support/child_process.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/support/descriptor.hpp"

namespace unlearn::sim::support {
namespace {

constexpr std::chrono::milliseconds kPollInterval{20};
constexpr int kSignals = 128;

int code_of(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : kSignals + WTERMSIG(status);
}

/// Runs in the new process, where other threads of ours may have left locks behind. It therefore makes only
/// system calls. If the program cannot be run, its errno goes to `failure`.
[[noreturn]] void become(const ChildProcess::Setup& setup, char* const* arguments, int failure,
                         pid_t parent) {
    ::prctl(PR_SET_PDEATHSIG, setup.signal_at_our_end);
    if (::getppid() != parent) ::_exit(1);  // it ended before the line above
    const int nothing = ::open("/dev/null", O_RDONLY);
    ::dup2(setup.in >= 0 ? setup.in : nothing, STDIN_FILENO);
    if (setup.out >= 0) ::dup2(setup.out, STDOUT_FILENO);
    if (setup.err >= 0) ::dup2(setup.err, STDERR_FILENO);
    // The program gets these three descriptors and nothing else that we have open.
    constexpr int kFailure = STDERR_FILENO + 1;
    if (failure != kFailure) ::dup2(failure, kFailure);
    ::fcntl(kFailure, F_SETFD, FD_CLOEXEC);
    ::close_range(kFailure + 1, ~0U, 0);
    ::execvp(setup.program.c_str(), arguments);
    const int error = errno;
    static_cast<void>(!::write(kFailure, &error, sizeof error));
    ::_exit(1);
}

}  // namespace

Result<ChildProcess> ChildProcess::start(const Setup& setup) {
    const std::string& shown_as = setup.shown_as.empty() ? setup.program : setup.shown_as;
    std::vector<char*> arguments{const_cast<char*>(shown_as.c_str())};
    for (const auto& argument : setup.arguments)
        arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return failed_with(std::strerror(errno));
    Descriptor heard(ends[0]);
    Descriptor told(ends[1]);
    const pid_t parent = ::getpid();
    const pid_t process = ::fork();
    if (process == 0) become(setup, arguments.data(), told.get(), parent);
    if (process < 0) return failed_with(std::strerror(errno));
    told.close();
    ChildProcess child(process);
    int error = 0;
    ssize_t got = 0;
    while ((got = ::read(heard.get(), &error, sizeof error)) < 0 && errno == EINTR)
        continue;
    // The pipe closes once the program runs.
    if (got == sizeof error) return failed_with(std::strerror(error));
    return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : process_(std::exchange(other.process_, -1)), exit_code_(other.exit_code_) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
    std::swap(process_, other.process_);
    std::swap(exit_code_, other.exit_code_);
    return *this;
}

ChildProcess::~ChildProcess() {
    if (process_ < 0 || exit_code_) return;
    ::kill(process_, SIGKILL);
    static_cast<void>(wait());
}

int ChildProcess::wait() {
    int status = 0;
    while (!exit_code_) {
        const pid_t ended = ::waitpid(process_, &status, 0);
        if (ended == process_) exit_code_ = code_of(status);
        if (ended < 0 && errno != EINTR) exit_code_ = kSignals;
    }
    return *exit_code_;
}

std::optional<int> ChildProcess::exit_code() {
    int status = 0;
    if (!exit_code_ && ::waitpid(process_, &status, WNOHANG) == process_) exit_code_ = code_of(status);
    return exit_code_;
}

std::optional<int> ChildProcess::wait_for(std::chrono::milliseconds at_most) {
    const auto deadline = std::chrono::steady_clock::now() + at_most;
    while (!exit_code() && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(kPollInterval);
    return exit_code_;
}

void ChildProcess::ask_to_stop() {
    if (!exit_code()) ::kill(process_, SIGTERM);
}

Result<ChildProcess> start_ourselves(const std::vector<std::string>& arguments,
                                     const std::optional<std::filesystem::path>& log) {
    ChildProcess::Setup setup{"/proc/self/exe", arguments};
    setup.shown_as = "unlearn-sim";
    setup.signal_at_our_end = SIGTERM;
    Descriptor out(-1);
    if (log) {
        out = Descriptor(::open(log->c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
        if (out.get() < 0) return failed_with(log->string() + ": " + std::strerror(errno));
        setup.out = setup.err = out.get();
    }
    return ChildProcess::start(setup);
}

}  // namespace unlearn::sim::support
