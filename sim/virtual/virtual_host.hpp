#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>

#include "node/learning/data/random.hpp"
#include "node/runtime/host.hpp"
#include "sim/virtual/virtual_disk.hpp"
#include "sim/virtual/virtual_time.hpp"

namespace unlearn::sim::virtual_world {

/// The life of one machine between two starts: its clocks, its disk and its tasks. It is shared by the node
/// and by everything that is still on its way to it.
class VirtualHost final : public runtime::Host, public std::enable_shared_from_this<VirtualHost> {
  public:
    struct Options {
        std::uint64_t seed = 0;
        std::chrono::seconds clock_error{0};                  ///< of the wall clock, at the start
        std::function<protocol::SteadyTime()> write_latency;  ///< the time of one transaction
        /// For nodes that break a rule: whether they answer before these operations are stored, and which of
        /// them they really store.
        std::function<bool(const std::vector<protocol::StoreOp>&)> answers_before_durable;
        std::function<std::vector<protocol::StoreOp>(std::vector<protocol::StoreOp>)> stored;
        /// Sees, and may change, what storage returned at a start.
        std::function<void(protocol::LoadedState&)> after_load;
        /// Storage is only memory and is lost at a restart; for the largest networks.
        bool forgets = false;
    };

    /// `time` and `disk` must outlive the host.
    VirtualHost(VirtualTime& time, VirtualDisk& disk, Options options);

    /// The machine stands still until `when`; its boot-time clock goes on.
    void pause_until(protocol::SteadyTime when) { paused_until_ = std::max(paused_until_, when); }
    [[nodiscard]] protocol::SteadyTime paused_until() const { return paused_until_; }
    /// Sets the error of the wall clock.
    void set_clock_error(std::chrono::seconds error) { clock_error_ = error; }

    [[nodiscard]] protocol::Now now() const override;
    [[nodiscard]] std::uint64_t random_number() override { return random_.next(); }
    void post(std::function<void()> task) override { run_later({}, std::move(task)); }
    [[nodiscard]] std::unique_ptr<runtime::Timer> make_timer() override;
    [[nodiscard]] protocol::Result<runtime::OpenedStorage> open_storage(
        const std::filesystem::path& directory, const storage::Binding& binding,
        std::uint64_t log_entries) override;

    /// Runs `task` after `delay`, but not while the machine stands still.
    void run_later(protocol::SteadyTime delay, std::function<void()> task);

  private:
    VirtualTime& time_;
    VirtualDisk& disk_;
    Options options_;
    learning::RandomStream random_;
    protocol::SteadyTime paused_until_{};
    std::chrono::seconds clock_error_;
};

}  // namespace unlearn::sim::virtual_world
