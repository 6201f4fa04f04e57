#include <string>
#include <utility>

#include "sim/result.hpp"
#include "sim/run/fabric.hpp"
#include "sim/virtual/awaited_seeds.hpp"
#include "sim/virtual/virtual_machine.hpp"

namespace unlearn::sim::run {
namespace {

using namespace std::chrono_literals;

/// The time that each message and each transaction takes.
constexpr protocol::SteadyTime kLatency = 1ms;

class VirtualFabric final : public Fabric {
  public:
    VirtualFabric(EventLog& events, std::uint64_t seed) : events_(events), seeds_of_machines_(seed) {
        virtual_world::restart_sqlite_randomness();
        network_.set_latency([] { return kLatency; });
    }

    [[nodiscard]] protocol::Result<std::unique_ptr<runtime::Node>> make_node(
        std::size_t number, const NodeSetup& setup, const std::filesystem::path&,
        protocol::EngineConfig engine, runtime::SeedHolder& seeds) override {
        machines_.push_back(std::make_unique<virtual_world::VirtualMachine>(
            time_, network_,
            std::shared_ptr<const protocol::Identity>(std::shared_ptr<void>(), &setup.identity),
            seeds_of_machines_.next()));
        virtual_world::VirtualMachine::Boot boot;
        boot.host.seed = seeds_of_machines_.next();
        boot.host.write_latency = [] { return kLatency; };
        boot.node = {"state", storage::kLogEntries, std::move(engine)};
        boot.endpoint = virtual_world::endpoint_of(number);
        boot.make_seeds = [&seeds](const auto& host) {
            return std::make_unique<virtual_world::AwaitedSeeds>(seeds, host);
        };
        boot.events = [this, name = setup.name](const protocol::Event& event, auto) {
            events_.add(name, event,
                        events_.started() +
                            std::chrono::duration_cast<EventLog::Clock::duration>(time_.now() - begin_));
        };
        return machines_.back()->boot_node(std::move(boot));
    }
    void run(const std::function<void()>& job) override { job(); }
    [[nodiscard]] bool wait(std::chrono::milliseconds at_most,
                            const std::function<bool(const std::vector<EventLog::Entry>&)>& met) override {
        bool is_met = events_.with_entries(met);
        std::size_t seen = events_.size();
        if (is_met) return true;
        time_.run_while(time_.now() + at_most, [&] {
            if (events_.size() == seen) return true;
            seen = events_.size();
            is_met = events_.with_entries(met);
            return !is_met;
        });
        return is_met;
    }

  private:
    EventLog& events_;
    learning::RandomStream seeds_of_machines_;
    // Declared before `time_`, whose queue may still hold work for these disks when it is destroyed.
    std::vector<std::unique_ptr<virtual_world::VirtualMachine>> machines_;
    virtual_world::VirtualTime time_;
    protocol::SteadyTime begin_ = time_.now();
    virtual_world::VirtualNetwork network_{time_};
};

}  // namespace

std::unique_ptr<Fabric> make_virtual_fabric(EventLog& events, std::uint64_t seed) {
    return std::make_unique<VirtualFabric>(events, seed);
}

}  // namespace unlearn::sim::run
