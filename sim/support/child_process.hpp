#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "sim/result.hpp"

namespace unlearn::sim::support {

/// A program that the simulator started. The simulator starts programs only in this way. The program never
/// outlives us: it is killed with this object, and the system sends it a signal when the thread that started
/// it ends for any reason.
class ChildProcess {
  public:
    struct Setup {
        std::string program;  ///< a path, or a name to look up on the PATH
        std::vector<std::string> arguments;
        std::string shown_as = {};  ///< the name in lists of processes; empty: `program`
        // Descriptors for the program; the caller keeps them. -1 means /dev/null for reading, and our own
        // descriptor for writing.
        int in = -1;
        int out = -1;
        int err = -1;
        int signal_at_our_end = 9;  ///< SIGKILL
    };

    /// Starts a program. The error says why it cannot be started.
    [[nodiscard]] static Result<ChildProcess> start(const Setup& setup);
    ~ChildProcess();
    ChildProcess(ChildProcess&& other) noexcept;
    ChildProcess& operator=(ChildProcess&& other) noexcept;

    /// Waits until the program ends. Returns its exit code, or 128 and more if a signal ended it.
    [[nodiscard]] int wait();
    /// Waits for at most this time. Returns the exit code, or nothing while the program runs.
    [[nodiscard]] std::optional<int> wait_for(std::chrono::milliseconds at_most);
    /// Returns the exit code without waiting, or nothing while the program runs.
    [[nodiscard]] std::optional<int> exit_code();
    /// Sends SIGTERM if the program is running.
    void ask_to_stop();

  private:
    explicit ChildProcess(pid_t process) : process_(process) {}

    pid_t process_;  ///< -1 when moved from
    std::optional<int> exit_code_;
};

/// Starts this program again with other arguments. It is a new program and not a fork, because the threads of
/// ZeroMQ and LibTorch do not survive a fork. Its messages go to `log`, which is emptied first, or to where
/// ours go.
[[nodiscard]] Result<ChildProcess> start_ourselves(const std::vector<std::string>& arguments,
                                                   const std::optional<std::filesystem::path>& log = {});

}  // namespace unlearn::sim::support
