#include <string>
#include <utility>

#include "sim/run/fabric.hpp"
#include "sim/virtual/awaited_seeds.hpp"
#include "sim/virtual/virtual_disk.hpp"
#include "sim/virtual/virtual_host.hpp"
#include "sim/virtual/virtual_network.hpp"

namespace unlearn::sim::run {
namespace {

using namespace std::chrono_literals;

/// Each message's way, and each transaction.
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
        Machine& machine = *machines_.emplace_back(std::make_unique<Machine>(seeds_of_machines_.next()));
        virtual_world::VirtualHost::Options options;
        options.seed = seeds_of_machines_.next();
        options.write_latency = [] { return kLatency; };
        machine.host = std::make_shared<virtual_world::VirtualHost>(time_, machine.disk, std::move(options));
        machine.seeds = std::make_unique<virtual_world::AwaitedSeeds>(seeds, machine.host);
        return runtime::Node::create(
            machine.host, setup.identity, {"state", std::move(engine)},
            std::make_unique<virtual_world::VirtualTransport>(network_, setup.identity.id(),
                                                              "tcp://10.0.0.1:" + std::to_string(number + 1)),
            *machine.seeds, [this, name = setup.name](const protocol::Event& event, auto) {
                events_.add(name, event,
                            events_.started() +
                                std::chrono::duration_cast<EventLog::Clock::duration>(time_.now() - begin_));
            });
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
    struct Machine {
        explicit Machine(std::uint64_t seed) : disk(seed) {}
        virtual_world::VirtualDisk disk;
        std::shared_ptr<virtual_world::VirtualHost> host;
        std::unique_ptr<virtual_world::AwaitedSeeds> seeds;
    };

    EventLog& events_;
    learning::RandomStream seeds_of_machines_;
    // Disks outlive what is still on its way to them in the queue of time.
    std::vector<std::unique_ptr<Machine>> machines_;
    virtual_world::VirtualTime time_;
    protocol::SteadyTime begin_ = time_.now();
    virtual_world::VirtualNetwork network_{time_};
};

}  // namespace

std::unique_ptr<Fabric> make_virtual_fabric(EventLog& events, std::uint64_t seed) {
    return std::make_unique<VirtualFabric>(events, seed);
}

}  // namespace unlearn::sim::run
