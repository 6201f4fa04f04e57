#include "node/ctl/daemon_check.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <sstream>
#include <string>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/storage/files.hpp"

namespace unlearn::ctl {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kProgram = "unlearnd";
constexpr int kCannotRun = 127;

/// Runs in the new process: becomes for good the user that the parent acts as, and then executes unlearnd.
[[noreturn]] void become(const char* program, const char* config, int errors) {
    const uid_t user = ::geteuid();
    const gid_t group = ::getegid();
    if (user != ::getuid()) {
        const passwd* entry = ::getpwuid(user);
        const bool done =
            ::seteuid(0) == 0 && ::setresgid(group, group, group) == 0 &&
            (entry != nullptr ? ::initgroups(entry->pw_name, group) : ::setgroups(1, &group)) == 0 &&
            ::setresuid(user, user, user) == 0;
        if (!done) ::_exit(kCannotRun);
    }
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    const int nothing = ::open("/dev/null", O_RDWR);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(nothing, STDOUT_FILENO);
    ::dup2(errors, STDERR_FILENO);
    ::execl(program, program, "--config", config, "--check", static_cast<char*>(nullptr));
    ::_exit(kCannotRun);
}

/// Returns true when a signal that HeldSignals delays has come.
bool is_interrupted() {
    sigset_t pending;
    ::sigpending(&pending);
    return ::sigismember(&pending, SIGINT) == 1 || ::sigismember(&pending, SIGTERM) == 1 ||
           ::sigismember(&pending, SIGHUP) == 1;
}

/// Reads what the other end writes. @return true once it closes; false at the deadline or when a signal comes
bool read_until(int from, Clock::time_point deadline, std::string& text) {
    constexpr std::size_t kMost = 1 << 20;
    constexpr std::chrono::milliseconds kPollInterval{100};
    std::array<char, 4096> part{};
    for (;;) {
        if (is_interrupted()) return false;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        if (left.count() <= 0) return false;
        pollfd item{from, POLLIN, 0};
        const int ready = ::poll(&item, 1, static_cast<int>(std::min(left, kPollInterval).count()));
        if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
        if (ready < 0) return true;
        const auto count = ::read(from, part.data(), part.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return true;
        // Only the end of a long log matters.
        if (text.size() > kMost) text.erase(0, kMost / 2);
        text.append(part.data(), static_cast<std::size_t>(count));
    }
}

/// Returns the last line of a log, without its level.
std::string last_line(const std::string& log) {
    constexpr std::string_view kLevel = "error: ";
    std::istringstream in(log);
    std::string last;
    for (std::string line; std::getline(in, line);)
        if (!line.empty()) last = std::move(line);
    return last.starts_with(kLevel) ? last.substr(kLevel.size()) : last;
}

/// @return the status of the process; nothing while it still runs
std::optional<int> status_of(pid_t process, int options) {
    int status = 0;
    for (;;) {
        const pid_t ended = ::waitpid(process, &status, options);
        if (ended == process) return status;
        if (ended == 0 || errno != EINTR) return std::nullopt;
    }
}

/// Waits for the process until the deadline. The process may have closed its end of the pipe and still run.
std::optional<int> wait_until(pid_t process, Clock::time_point deadline) {
    constexpr std::chrono::milliseconds kPollInterval{20};
    for (;; std::this_thread::sleep_for(kPollInterval)) {
        if (const auto status = status_of(process, WNOHANG)) return status;
        if (Clock::now() >= deadline || is_interrupted()) return std::nullopt;
    }
}

}  // namespace

HeldSignals::HeldSignals() {
    sigset_t held;
    ::sigemptyset(&held);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP})
        ::sigaddset(&held, signal);
    ::sigprocmask(SIG_BLOCK, &held, &before_);
}

HeldSignals::~HeldSignals() {
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

std::optional<std::filesystem::path> find_unlearnd() {
    std::error_code error;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
    std::string places = error ? "" : self.parent_path().string();
    if (const char* path = std::getenv("PATH")) places += std::string(":") + path;
    std::istringstream in(places);
    for (std::string folder; std::getline(in, folder, ':');) {
        if (folder.empty()) continue;
        auto program = std::filesystem::path(folder) / kProgram;
        if (std::filesystem::is_regular_file(program, error) && ::access(program.c_str(), X_OK) == 0)
            return program;
    }
    return std::nullopt;
}

Outcome<void> run_check(const std::filesystem::path& unlearnd, const std::filesystem::path& config,
                        std::chrono::seconds at_most, const std::function<void()>& on_slow) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return fail_with(ExitCode::failed, std::string("no pipe: ") + std::generic_category().message(errno));
    const storage::FileDescriptor reading(ends[0]);
    storage::FileDescriptor writing(ends[1]);
    const pid_t process = ::fork();
    if (process == 0) become(unlearnd.c_str(), config.c_str(), writing.get());
    if (process < 0)
        return fail_with(ExitCode::failed, unlearnd.string() + ": cannot be started: " +
                                               std::generic_category().message(errno));
    writing = storage::FileDescriptor();  // the temporary takes our end and closes it
    std::string log;
    const auto deadline = Clock::now() + at_most;
    constexpr std::chrono::seconds kSlow{3};
    if (!read_until(reading.get(), std::min(deadline, Clock::now() + kSlow), log)) {
        if (on_slow && !is_interrupted()) on_slow();
        static_cast<void>(read_until(reading.get(), deadline, log));
    }
    const auto ended = wait_until(process, deadline);
    if (!ended) {
        ::kill(process, SIGKILL);
        static_cast<void>(status_of(process, 0));
        if (is_interrupted()) return fail_with(ExitCode::failed, "interrupted");
        return fail_with(ExitCode::bad_input, "unlearnd --check was not done after " +
                                                  std::to_string(at_most.count()) +
                                                  " s: the model or the data cannot be used");
    }
    const int status = *ended;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    if (WIFSIGNALED(status))
        return fail_with(ExitCode::bad_input, "unlearnd --check crashed with signal " +
                                                  std::to_string(WTERMSIG(status)) +
                                                  ": the model or the data cannot be used");
    std::string line = last_line(log);
    if (line.empty()) line = unlearnd.string() + " --check ended with " + std::to_string(WEXITSTATUS(status));
    return fail_with(ExitCode::bad_input, std::move(line));
}

}  // namespace unlearn::ctl
