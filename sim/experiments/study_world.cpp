#include "sim/experiments/study_world.hpp"

#include <utility>

#include "sim/run/prepare.hpp"
#include "sim/virtual/awaited_seeds.hpp"

namespace unlearn::sim::experiments {
namespace {

using namespace std::chrono_literals;
using protocol::NodeId;

/// The time that one transaction takes.
constexpr protocol::SteadyTime kWriteLatency = 1ms;

}  // namespace

StudyWorld::StudyWorld(const topologies::Graph& graph, StudyWorldSettings settings, support::Workers& workers,
                       Listener listener)
    : settings_(std::move(settings)),
      workers_(workers),
      listener_(std::move(listener)),
      random_(settings_.seed),
      link_(settings_.link, time_, random_.next()) {
    virtual_world::restart_sqlite_randomness();
    network_.set_latency([this] { return link_.latency(); });
    network_.set_judge([this](const NodeId& from, const NodeId& to, const network::Frames& frames) {
        return link_.judge(from, to, frames);
    });
    const auto adjacency = graph.adjacency();
    for (std::size_t i = 0; i < graph.size(); ++i) {
        auto place = std::make_unique<Place>(graph.names[i], time_, network_,
                                             run::identity_of(settings_.scenario_seed, graph.names[i]),
                                             random_.next());
        place->neighbours.assign(adjacency[i].begin(), adjacency[i].end());
        place_of_.emplace(place->id(), i);
        places_.push_back(std::move(place));
    }
}

StudyWorld::~StudyWorld() {
    // The listener may already be destroyed.
    listener_ = [](std::size_t, const protocol::Event&) {};
    for (auto& place : places_)
        take_down(*place);
}

std::optional<std::size_t> StudyWorld::place_of(const NodeId& id) const {
    const auto found = place_of_.find(id);
    if (found == place_of_.end()) return std::nullopt;
    return found->second;
}

bool StudyWorld::uses(std::size_t node, const NodeId& owner) const {
    const Place& place = *places_[node];
    return place.engine().seeds_in_use().contains(owner) ||
           (place.ensemble && place.ensemble->snapshot()->holds(owner.bytes())) ||
           (place.simulated != nullptr && place.simulated->in_use().contains(owner));
}

std::unique_ptr<runtime::SeedHolder> StudyWorld::make_seeds(
    std::size_t node, const std::shared_ptr<virtual_world::VirtualHost>& host) {
    Place& place = *places_[node];
    if (!settings_.learnt) {
        auto simulated = std::make_unique<virtual_world::SimulatedHolder>(
            host, virtual_world::SimulatedHolder::Hooks{
                      [](const NodeId&, protocol::ByteView) { return runtime::SeedVerdict{}; },
                      [](const NodeId&, protocol::SeedVersion) {},
                      [] { return virtual_world::AwaitedSeeds::kThinkingTime; }});
        place.simulated = simulated.get();
        return simulated;
    }
    place.ensemble =
        std::make_unique<learning::EnsembleHolder>(settings_.learnt->nodes()[node].own, settings_.ensemble);
    place.judge = std::make_unique<daemon::EnsembleSeeds>(*place.ensemble, workers_.pool());
    return std::make_unique<virtual_world::AwaitedSeeds>(*place.judge, host);
}

protocol::EngineConfig StudyWorld::config_of(const Place& place) {
    protocol::EngineConfig config = settings_.engine;
    config.random_seed = random_.next() | 1;
    for (const std::size_t neighbour : place.neighbours)
        config.neighbours.push_back({id(neighbour), virtual_world::endpoint_of(neighbour)});
    return config;
}

void StudyWorld::start(std::size_t node) {
    Place& place = *places_[node];
    if (place.up() || place.gone || problem_) return;
    virtual_world::VirtualMachine::Boot boot;
    boot.host.seed = random_.next();
    boot.host.write_latency = [] { return kWriteLatency; };
    boot.host.forgets = settings_.forgets;
    boot.node = {"state", storage::kLogEntries, config_of(place), settings_.tick};
    boot.endpoint = virtual_world::endpoint_of(node);
    boot.make_seeds = [this, node](const auto& host) { return make_seeds(node, host); };
    boot.events = [this, node](const protocol::Event& event, auto) { on_event(node, event); };
    if (const auto up = place.boot(std::move(boot)); !up) {
        problem_ = place.name + ": " + up.error().text();
        return take_down(place);
    }
    place.up_since = time_.now();
    place.node().start();
    if (!place.engine().own_seed()) publish(node);
}

void StudyWorld::publish(std::size_t node) {
    Place& place = *places_[node];
    std::string architecture = "mlp:32";
    protocol::Bytes payload;
    if (settings_.learnt) {
        const LearntNode& learnt = settings_.learnt->nodes()[node];
        architecture = learnt.seed_architecture;
        payload.assign(learnt.seed_payload.begin(), learnt.seed_payload.end());
    } else {
        // A separate random stream, so that the content of the seeds changes nothing else.
        learning::RandomStream bytes(
            learning::stream_seed(settings_.scenario_seed, place.name, "random seed"));
        payload.resize(settings_.seed_bytes);
        for (auto& byte : payload)
            byte = static_cast<std::uint8_t>(bytes.next());
    }
    place.node().publish(std::move(architecture),
                         std::make_shared<const protocol::SeedBytes>(std::move(payload)));
}

void StudyWorld::take_down(Place& place) {
    place.stop();
    place.judge.reset();
    place.ensemble.reset();
    place.simulated = nullptr;
}

void StudyWorld::leave(std::size_t node) {
    Place& place = *places_[node];
    if (!place.up()) return;
    place.node().stop();
    take_down(place);
}

void StudyWorld::crash(std::size_t node) {
    Place& place = *places_[node];
    if (!place.up()) return;
    place.crash(true);
    take_down(place);
}

void StudyWorld::begin_exit(std::size_t node) {
    Place& place = *places_[node];
    if (!place.up() || place.leaving) return;
    place.leaving = true;
    place.node().begin_exit();
}

void StudyWorld::give_up_exit(std::size_t node) {
    Place& place = *places_[node];
    if (place.up() && place.leaving) place.node().give_up_exit();
}

void StudyWorld::on_event(std::size_t node, const protocol::Event& event) {
    if (event.kind == protocol::EventKind::retired) {
        Place& place = *places_[node];
        place.gone = true;
        // The node must not be stopped from within its own event.
        time_.after({}, [this, &place] {
            place.leaving = false;
            take_down(place);
        });
    }
    listener_(node, event);
}

network::TrafficCounters StudyWorld::sent() const {
    network::TrafficCounters sum;
    for (const auto& place : places_)
        virtual_world::add_sent(sum, place->sent());
    return sum;
}

}  // namespace unlearn::sim::experiments
