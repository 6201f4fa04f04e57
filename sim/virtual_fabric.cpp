#include <future>
#include <string>
#include <utility>

#include "sim/fabric.hpp"
#include "sim/virtual/virtual_disk.hpp"
#include "sim/virtual/virtual_host.hpp"
#include "sim/virtual/virtual_network.hpp"

namespace unlearn::sim {
namespace {

using namespace std::chrono_literals;

/// Each message's way, each transaction, and each judgement of a seed.
constexpr protocol::SteadyTime kLatency = 1ms;
constexpr protocol::SteadyTime kThinkingTime = 5ms;

/// Learning computes on threads of its own, for as long as it takes; here the world waits for it, and its
/// answers come after a fixed virtual time.
class AwaitedSeeds final : public runtime::SeedHolder {
  public:
    AwaitedSeeds(runtime::SeedHolder& seeds, std::shared_ptr<VirtualHost> host)
        : seeds_(seeds), host_(std::move(host)) {}

    void check(const protocol::NodeId& owner, protocol::SeedVersion version, const std::string& architecture,
               protocol::SharedSeedBytes payload, std::function<void(runtime::SeedVerdict)> done) override {
        std::promise<runtime::SeedVerdict> verdict;
        seeds_.check(owner, version, architecture, std::move(payload),
                     [&verdict](runtime::SeedVerdict told) { verdict.set_value(std::move(told)); });
        host_->run_later(kThinkingTime,
                         [told = verdict.get_future().get(), done = std::move(done)] { done(told); });
    }
    void install(const protocol::NodeId& owner, protocol::SeedVersion version) override {
        seeds_.install(owner, version);
    }
    void suspend(const protocol::NodeId& owner, protocol::SeedVersion version) override {
        seeds_.suspend(owner, version);
    }
    void drop(const protocol::NodeId& owner) override { seeds_.drop(owner); }
    void wipe(const protocol::NodeId& owner, std::function<void()> done) override {
        std::promise<void> wiped;
        seeds_.wipe(owner, [&wiped] { wiped.set_value(); });
        wiped.get_future().get();
        host_->run_later(kThinkingTime, std::move(done));
    }

  private:
    runtime::SeedHolder& seeds_;
    std::shared_ptr<VirtualHost> host_;
};

class VirtualFabric final : public Fabric {
  public:
    VirtualFabric(EventLog& events, std::uint64_t seed) : events_(events), seeds_of_machines_(seed) {
        restart_sqlite_randomness();
        network_.set_latency([] { return kLatency; });
    }

    [[nodiscard]] protocol::Result<std::unique_ptr<runtime::Node>> make_node(
        std::size_t number, const NodeSetup& setup, const std::filesystem::path&,
        protocol::EngineConfig engine, runtime::SeedHolder& seeds) override {
        Machine& machine = *machines_.emplace_back(std::make_unique<Machine>(seeds_of_machines_.next()));
        VirtualHost::Options options;
        options.seed = seeds_of_machines_.next();
        options.write_latency = [] { return kLatency; };
        machine.host = std::make_shared<VirtualHost>(time_, machine.disk, std::move(options));
        machine.seeds = std::make_unique<AwaitedSeeds>(seeds, machine.host);
        return runtime::Node::create(
            machine.host, setup.identity, {"state", std::move(engine)},
            std::make_unique<VirtualTransport>(network_, setup.identity.id(),
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
        VirtualDisk disk;
        std::shared_ptr<VirtualHost> host;
        std::unique_ptr<AwaitedSeeds> seeds;
    };

    EventLog& events_;
    learning::RandomStream seeds_of_machines_;
    // Disks outlive what is still on its way to them in the queue of time.
    std::vector<std::unique_ptr<Machine>> machines_;
    VirtualTime time_;
    protocol::SteadyTime begin_ = time_.now();
    VirtualNetwork network_{time_};
};

}  // namespace

std::unique_ptr<Fabric> make_virtual_fabric(EventLog& events, std::uint64_t seed) {
    return std::make_unique<VirtualFabric>(events, seed);
}

}  // namespace unlearn::sim
