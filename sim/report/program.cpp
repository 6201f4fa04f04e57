#include "sim/report/program.hpp"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include "sim/support/child_process.hpp"
#include "sim/support/descriptor.hpp"

namespace unlearn::sim::report {
namespace {

constexpr std::size_t kMaxOutput = 16 << 20;

/// Writes the input and reads the output at the same time, so that neither side waits for the other forever.
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
            // A program that has read enough closes its end. Its output still counts.
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
    // A socket pair instead of pipes: send() takes MSG_NOSIGNAL, which prevents SIGPIPE.
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return std::nullopt;
    support::Descriptor ours(ends[0]);
    support::Descriptor theirs(ends[1]);
    support::Descriptor nothing(::open("/dev/null", O_WRONLY | O_CLOEXEC));

    support::ChildProcess::Setup setup{command.front(), {command.begin() + 1, command.end()}};
    setup.in = setup.out = theirs.get();
    setup.err = nothing.get();
    auto program = support::ChildProcess::start(setup);
    theirs.close();
    if (!program) return std::nullopt;

    auto output = converse(ours.get(), input, timeout);
    // A program that is not done in time is killed by the destructor of `program`.
    if (!output) return std::nullopt;
    ours.close();
    if (program->wait() != 0) return std::nullopt;
    return output;
}

}  // namespace unlearn::sim::report
