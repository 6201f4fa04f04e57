#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "sim/result.hpp"
#include "sim/support/child_process.hpp"

namespace unlearn::sim::fleet {

/// A running `unlearnd`, which does not outlive us.
class DaemonProcess {
  public:
    /// Starts `unlearnd`. Its messages are appended to `log`.
    [[nodiscard]] static Result<DaemonProcess> start(const std::filesystem::path& program,
                                                     const std::filesystem::path& config,
                                                     const std::filesystem::path& log);
    /// Returns the exit code, or nothing while the process runs. If a signal ended it, this is 128 plus the
    /// signal.
    [[nodiscard]] std::optional<int> exit_code() { return process_.exit_code(); }
    /// Returns the same after waiting at most this long for the end of the process.
    [[nodiscard]] std::optional<int> wait(std::chrono::seconds at_most) { return process_.wait_for(at_most); }
    /// Sends SIGTERM if the process runs.
    void ask_to_stop() { process_.ask_to_stop(); }

    /// Returns the last line of its log. If there is none, the text says so.
    [[nodiscard]] std::string last_words() const;

  private:
    DaemonProcess(support::ChildProcess process, std::filesystem::path log)
        : process_(std::move(process)), log_(std::move(log)) {}

    support::ChildProcess process_;
    std::filesystem::path log_;
};

}  // namespace unlearn::sim::fleet
