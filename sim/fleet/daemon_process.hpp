#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include <sys/types.h>
#include <tl/expected.hpp>

namespace unlearn::sim::fleet {

/// One running `unlearnd`. It never outlives us: it is killed with this object, and by the system when the
/// thread that started it ends, however that happens.
class DaemonProcess {
  public:
    /// Its messages are appended to `log`.
    [[nodiscard]] static tl::expected<DaemonProcess, std::string> start(const std::filesystem::path& program,
                                                                        const std::filesystem::path& config,
                                                                        const std::filesystem::path& log);
    ~DaemonProcess();
    DaemonProcess(DaemonProcess&& other) noexcept;
    DaemonProcess& operator=(DaemonProcess&&) = delete;

    /// Nothing while it runs; a signal that ended it counts from 128.
    [[nodiscard]] std::optional<int> exit_code();
    /// The same, after waiting for its end for so long at most.
    [[nodiscard]] std::optional<int> wait(std::chrono::seconds at_most);
    /// SIGTERM, where it runs.
    void ask_to_stop();

    /// The last line of its log.
    [[nodiscard]] std::string last_words() const;

  private:
    DaemonProcess(pid_t process, std::filesystem::path log) : process_(process), log_(std::move(log)) {}

    pid_t process_;  ///< -1 when moved from
    std::filesystem::path log_;
    std::optional<int> exit_code_;
};

}  // namespace unlearn::sim::fleet
