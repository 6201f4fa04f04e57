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
#include "sim/run/event_log.hpp"

namespace unlearn::sim::fleet {

/// One node of a scenario as a process, used over its control socket. Every error is one line that names the
/// node and, where its process ended, the process's last words. The process does not outlive the object.
class Daemon {
  public:
    using Answer = tl::expected<nlohmann::json, std::string>;

    /// `setup` and `events` must outlive the object.
    Daemon(const run::NodeSetup& setup, DaemonFiles files, run::EventLog& events)
        : setup_(setup), files_(std::move(files)), events_(events), client_(files_.socket) {}
    ~Daemon();
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    /// The calling thread must live as long as the process.
    [[nodiscard]] tl::expected<void, std::string> start(const std::filesystem::path& program);
    /// Whether it has answered anything yet. From then on its events are taken down.
    [[nodiscard]] bool answers();
    [[nodiscard]] Answer get(const std::string& target,
                             std::chrono::seconds timeout = ctl::ControlClient::kTimeout);
    [[nodiscard]] Answer post(const std::string& target, const nlohmann::json& body);
    [[nodiscard]] tl::expected<std::vector<network::TrafficCount>, std::string> traffic();

    struct Leave {
        nlohmann::json progress;  ///< of the exit, as GET /v1/exit gives it
        nlohmann::json certificate;
    };
    /// The node leaves for good; waits so long at most for the receipts. It can be asked nothing afterwards.
    [[nodiscard]] tl::expected<Leave, std::string> leave(std::chrono::seconds at_most);
    [[nodiscard]] bool has_left() const { return left_; }
    /// Every holder has signed that it erased this node's seed.
    [[nodiscard]] bool is_forgotten() const { return forgotten_; }

    /// What is wrong when the process has ended although nobody asked it to.
    [[nodiscard]] std::optional<std::string> ended();
    /// Asks the process to end. One that is forgotten ends by itself.
    void ask_to_stop();
    /// Waits for that, and checks that it ended well.
    [[nodiscard]] tl::expected<void, std::string> wait();

    [[nodiscard]] std::string failure(const std::string& what);
    [[nodiscard]] const run::NodeSetup& setup() const { return setup_; }
    [[nodiscard]] const DaemonFiles& files() const { return files_; }

  private:
    const run::NodeSetup& setup_;
    DaemonFiles files_;
    run::EventLog& events_;
    ctl::ControlClient client_;
    std::optional<DaemonProcess> process_;
    std::thread follower_;  ///< writes its events down
    bool left_ = false;
    bool forgotten_ = false;
    std::vector<network::TrafficCount> sent_;  ///< until it left
};

}  // namespace unlearn::sim::fleet
