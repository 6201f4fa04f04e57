#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include <tl/expected.hpp>

#include "sim/support/child_process.hpp"

namespace unlearn::sim::fleet {

/// One running `unlearnd`, which ends with us.
class DaemonProcess {
  public:
    /// Its messages are appended to `log`.
    [[nodiscard]] static tl::expected<DaemonProcess, std::string> start(const std::filesystem::path& program,
                                                                        const std::filesystem::path& config,
                                                                        const std::filesystem::path& log);
    /// Nothing while it runs; a signal that ended it counts from 128.
    [[nodiscard]] std::optional<int> exit_code() { return process_.exit_code(); }
    /// The same, after waiting for its end for so long at most.
    [[nodiscard]] std::optional<int> wait(std::chrono::seconds at_most) { return process_.wait_for(at_most); }
    /// SIGTERM, where it runs.
    void ask_to_stop() { process_.ask_to_stop(); }

    /// The last line of its log.
    [[nodiscard]] std::string last_words() const;

  private:
    DaemonProcess(support::ChildProcess process, std::filesystem::path log)
        : process_(std::move(process)), log_(std::move(log)) {}

    support::ChildProcess process_;
    std::filesystem::path log_;
};

}  // namespace unlearn::sim::fleet
