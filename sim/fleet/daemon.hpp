#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "node/ctl/control_client.hpp"
#include "node/network/traffic.hpp"
#include "sim/fleet/daemon_files.hpp"
#include "sim/fleet/daemon_process.hpp"
#include "sim/result.hpp"
#include "sim/run/event_log.hpp"

namespace unlearn::sim::fleet {

/// One node of a scenario as a process, used over its control socket. Every error is one line that names the
/// node and, if its process ended, the last line of its log. The process does not outlive this object.
class Daemon {
  public:
    using Answer = Result<nlohmann::json>;

    /// `setup` and `events` must outlive this object.
    Daemon(const run::NodeSetup& setup, DaemonFiles files, run::EventLog& events)
        : setup_(setup), files_(std::move(files)), events_(events), client_(files_.socket) {}
    ~Daemon();
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    /// Starts the process. The calling thread must live as long as the process.
    [[nodiscard]] Result<void> start(const std::filesystem::path& program);
    /// Returns whether the daemon has ever answered. From its first answer on, its events are recorded.
    [[nodiscard]] bool answers();
    /// Sends a GET request and returns the answer.
    [[nodiscard]] Answer get(const std::string& target,
                             std::chrono::seconds timeout = ctl::ControlClient::kTimeout);
    /// Sends a POST request and returns the answer.
    [[nodiscard]] Answer post(const std::string& target, const nlohmann::json& body);
    /// Returns what the daemon has sent, by message kind; after its exit, what it had sent by then.
    [[nodiscard]] Result<std::vector<network::TrafficCount>> traffic();

    struct Leave {
        nlohmann::json progress;  ///< progress of the exit, as GET /v1/exit returns it
        nlohmann::json certificate;
    };
    /// Lets the node leave for good, and waits at most `at_most` for the receipts. No requests may follow.
    [[nodiscard]] Result<Leave> leave(std::chrono::seconds at_most);
    [[nodiscard]] bool has_left() const { return left_; }
    /// Whether every holder has signed that it erased this node's seed.
    [[nodiscard]] bool is_forgotten() const { return forgotten_; }

    /// Returns what is wrong when the process has ended without having been asked to.
    [[nodiscard]] std::optional<std::string> ended();
    /// Asks the process to end. After a complete exit it ends by itself.
    void ask_to_stop();
    /// Waits for the end of the process, and checks that its exit code is 0.
    [[nodiscard]] Result<void> wait();

    /// Returns an error text: how the process ended, if it ends within a second, or else `what`.
    [[nodiscard]] std::string failure(const std::string& what);
    [[nodiscard]] const run::NodeSetup& setup() const { return setup_; }
    [[nodiscard]] const DaemonFiles& files() const { return files_; }

  private:
    const run::NodeSetup& setup_;
    DaemonFiles files_;
    run::EventLog& events_;
    ctl::ControlClient client_;
    std::optional<DaemonProcess> process_;
    std::thread follower_;  ///< records its events
    bool left_ = false;
    bool forgotten_ = false;
    std::vector<network::TrafficCount> sent_;  ///< what it had sent when it left
};

}  // namespace unlearn::sim::fleet
