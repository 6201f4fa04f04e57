#include "sim/report/program.hpp"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace unlearn::sim::report {
namespace {

constexpr std::size_t kMaxOutput = 16 << 20;

/// One end of the connection with the program; closes it.
class Descriptor {
  public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() { close(); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    [[nodiscard]] int get() const { return fd_; }
    void close() {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }

  private:
    int fd_;
};

/// Starts the program with both its standard input and output on `theirs`.
std::optional<pid_t> start(const std::vector<std::string>& command, int theirs) {
    std::vector<char*> arguments;
    for (const auto& argument : command)
        arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    if (posix_spawn_file_actions_init(&actions) != 0) return std::nullopt;
    posix_spawn_file_actions_adddup2(&actions, theirs, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, theirs, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t pid = 0;
    const int error = posix_spawnp(&pid, arguments.front(), &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) return std::nullopt;
    return pid;
}

/// Writes all input while reading all output, so that neither side waits for the other for ever.
std::optional<std::string> converse(int fd, const std::string& input, std::chrono::milliseconds timeout) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    std::size_t written = 0;
    std::string output;
    bool writing = true;
    while (true) {
        if (writing && written == input.size()) {
            ::shutdown(fd, SHUT_WR);
            writing = false;
        }
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0) return std::nullopt;
        pollfd poll{fd, static_cast<short>(writing ? POLLIN | POLLOUT : POLLIN), 0};
        const int ready = ::poll(&poll, 1, static_cast<int>(left.count()));
        if (ready < 0 && errno != EINTR) return std::nullopt;
        if (ready <= 0) continue;

        if (writing && (poll.revents & POLLOUT) != 0) {
            const auto sent =
                ::send(fd, input.data() + written, input.size() - written, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (sent > 0) written += static_cast<std::size_t>(sent);
            // A program that has read enough closes its end. What it prints still counts.
            if (sent < 0 && errno != EAGAIN && errno != EINTR) writing = false;
        }
        if ((poll.revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
            std::array<char, 64 * 1024> buffer;
            const auto got = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
            // A program that left part of its input unread resets the connection when it ends.
            if (got == 0 || (got < 0 && errno == ECONNRESET)) return output;
            if (got < 0 && errno != EAGAIN && errno != EINTR) return std::nullopt;
            if (got > 0) output.append(buffer.data(), static_cast<std::size_t>(got));
            if (output.size() > kMaxOutput) return std::nullopt;
        }
    }
}

}  // namespace

std::optional<std::string> run_program(const std::vector<std::string>& command, const std::string& input,
                                       std::chrono::milliseconds timeout) {
    if (command.empty()) return std::nullopt;
    // A socket pair instead of pipes: one may say MSG_NOSIGNAL to a socket, and so never gets SIGPIPE.
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return std::nullopt;
    Descriptor ours(ends[0]);
    Descriptor theirs(ends[1]);

    const auto pid = start(command, theirs.get());
    theirs.close();
    if (!pid) return std::nullopt;

    auto output = converse(ours.get(), input, timeout);
    ours.close();
    if (!output) ::kill(*pid, SIGKILL);
    int status = 0;
    while (::waitpid(*pid, &status, 0) < 0) {
        if (errno != EINTR) return std::nullopt;
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return std::nullopt;
    return output;
}

}  // namespace unlearn::sim::report
