#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>
#include <tl/expected.hpp>

namespace unlearn::sim::support {

/// This program, run again with other arguments. A new program and not a fork: threads of ZeroMQ and LibTorch
/// do not survive one. Must be waited for: until then its end is not noticed. It ends when the thread ends
/// that started it, so that nobody who interrupts a sweep leaves processes behind.
class OwnProcess {
  public:
    /// Its messages go to `log`, or where ours go. @return why it cannot be started.
    [[nodiscard]] static tl::expected<OwnProcess, std::string> start(
        const std::vector<std::string>& arguments, const std::optional<std::filesystem::path>& log = {});

    /// For the beginning of main(): what makes a process that start() made end with its parent.
    static void end_with_parent();

    /// Waits for its end. @return its exit code; 128 and more for a signal that ended it.
    [[nodiscard]] int wait();
    /// The same without waiting; nothing while it runs.
    [[nodiscard]] std::optional<int> exit_code();

  private:
    explicit OwnProcess(pid_t process) : process_(process) {}

    pid_t process_;
};

}  // namespace unlearn::sim::support
