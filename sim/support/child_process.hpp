#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>
#include <tl/expected.hpp>

namespace unlearn::sim::support {

/// A program that was started from here: the one way in which the simulator starts one. It never outlives us:
/// it is killed with this object, and it gets a signal from the system when the thread that started it ends,
/// however that happens.
class ChildProcess {
  public:
    struct Setup {
        std::string program;  ///< a path, or a name to be found on the PATH
        std::vector<std::string> arguments;
        std::string shown_as = {};  ///< what lists of processes show; empty: `program`
        // Descriptors that the program gets; the caller keeps them. -1: /dev/null to read from, ours to write
        // to.
        int in = -1;
        int out = -1;
        int err = -1;
        int signal_at_our_end = 9;  ///< SIGKILL
    };

    /// @return why the program cannot be started.
    [[nodiscard]] static tl::expected<ChildProcess, std::string> start(const Setup& setup);
    ~ChildProcess();
    ChildProcess(ChildProcess&& other) noexcept;
    ChildProcess& operator=(ChildProcess&& other) noexcept;

    /// Waits for its end. @return its exit code; 128 and more for a signal that ended it.
    [[nodiscard]] int wait();
    /// The same, waiting for so long at most; nothing while it runs.
    [[nodiscard]] std::optional<int> wait_for(std::chrono::milliseconds at_most);
    /// The same without waiting.
    [[nodiscard]] std::optional<int> exit_code();
    /// SIGTERM, where it runs.
    void ask_to_stop();

  private:
    explicit ChildProcess(pid_t process) : process_(process) {}

    pid_t process_;  ///< -1 when moved from
    std::optional<int> exit_code_;
};

/// This program again, with other arguments. A new program and not a fork: threads of ZeroMQ and LibTorch do
/// not survive one. Its messages go to `log`, which is emptied first, or where ours go.
[[nodiscard]] tl::expected<ChildProcess, std::string> start_ourselves(
    const std::vector<std::string>& arguments, const std::optional<std::filesystem::path>& log = {});

}  // namespace unlearn::sim::support
