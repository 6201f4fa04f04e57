#include "sim/experiments/study_world.hpp"

#include <utility>

#include "sim/run/prepare.hpp"
#include "sim/virtual/virtual_disk.hpp"

namespace unlearn::sim::experiments {
namespace {

using namespace std::chrono_literals;
using protocol::NodeId;

/// Of one transaction.
constexpr protocol::SteadyTime kWriteLatency = 1ms;

void add_sent(network::TrafficCounters& sum, const network::TrafficCounters& more) {
    sum.handshake_bytes_sent += more.handshake_bytes_sent;
    for (std::size_t kind = 0; kind < sum.sent.size(); ++kind) {
        sum.sent[kind].messages += more.sent[kind].messages;
        sum.sent[kind].bytes += more.sent[kind].bytes;
    }
}

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
        auto place = std::make_unique<Place>(
            graph.names[i], run::identity_of(settings_.scenario_seed, graph.names[i]), random_.next());
        place->neighbours.assign(adjacency[i].begin(), adjacency[i].end());
        place_of_.emplace(place->identity.id(), i);
        places_.push_back(std::move(place));
    }
}

StudyWorld::~StudyWorld() {
    // The listener may be gone already.
    listener_ = [](std::size_t, const protocol::Event&) {};
    for (auto& place : places_)
        take_down(*place);
}

std::optional<std::size_t> StudyWorld::place_of(const NodeId& id) const {
    const auto found = place_of_.find(id);
    if (found == place_of_.end()) return std::nullopt;
    return found->second;
}

std::string StudyWorld::endpoint_of(std::size_t node) const {
    return "tcp://10.0.0.1:" + std::to_string(node + 1);
}

bool StudyWorld::uses(std::size_t node, const NodeId& owner) const {
    const Place& place = *places_[node];
    return place.node->engine().seeds_in_use().contains(owner) ||
           (place.ensemble && place.ensemble->snapshot()->holds(owner.bytes())) ||
           (place.simulated && place.simulated->in_use().contains(owner));
}

runtime::SeedHolder& StudyWorld::make_seeds(std::size_t node) {
    Place& place = *places_[node];
    if (!settings_.learnt) {
        place.simulated = std::make_unique<faults::SimulatedHolder>(
            place.host, faults::SimulatedHolder::Hooks{
                            [](const NodeId&, protocol::ByteView) { return runtime::SeedVerdict{}; },
                            [](const NodeId&, protocol::SeedVersion) {},
                            [] { return virtual_world::AwaitedSeeds::kThinkingTime; }});
        return *place.simulated;
    }
    place.ensemble =
        std::make_unique<learning::EnsembleHolder>(settings_.learnt->nodes()[node].own, settings_.ensemble);
    place.judge = std::make_unique<daemon::EnsembleSeeds>(*place.ensemble, workers_.pool());
    place.awaited = std::make_unique<virtual_world::AwaitedSeeds>(*place.judge, place.host);
    return *place.awaited;
}

protocol::EngineConfig StudyWorld::config_of(const Place& place) {
    protocol::EngineConfig config = settings_.engine;
    config.random_seed = random_.next() | 1;
    for (const std::size_t neighbour : place.neighbours)
        config.neighbours.push_back({id(neighbour), endpoint_of(neighbour)});
    return config;
}

void StudyWorld::start(std::size_t node) {
    Place& place = *places_[node];
    if (place.node || place.gone || problem_) return;
    virtual_world::VirtualHost::Options options;
    options.seed = random_.next();
    options.write_latency = [] { return kWriteLatency; };
    options.forgets = settings_.forgets;
    place.host = std::make_shared<virtual_world::VirtualHost>(time_, place.disk, std::move(options));
    auto made = runtime::Node::create(
        place.host, place.identity, {"state", config_of(place), settings_.tick},
        std::make_unique<virtual_world::VirtualTransport>(network_, place.identity.id(), endpoint_of(node)),
        make_seeds(node), [this, node](const protocol::Event& event, auto) { on_event(node, event); });
    if (!made) {
        problem_ = place.name + ": " + made.error().text();
        return take_down(place);
    }
    place.node = std::move(*made);
    place.up_since = time_.now();
    place.node->start();
    if (!place.node->engine().own_seed()) publish(node);
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
        // A stream of its own: what is in the seeds changes nothing else.
        learning::RandomStream bytes(
            learning::stream_seed(settings_.scenario_seed, place.name, "random seed"));
        payload.resize(settings_.seed_bytes);
        for (auto& byte : payload)
            byte = static_cast<std::uint8_t>(bytes.next());
    }
    place.node->publish(std::move(architecture),
                        std::make_shared<const protocol::SeedBytes>(std::move(payload)));
}

void StudyWorld::take_down(Place& place) {
    if (place.node) add_sent(sent_before_, place.node->transport().traffic());
    place.node.reset();
    place.awaited.reset();
    place.judge.reset();
    place.ensemble.reset();
    place.simulated.reset();
    place.host.reset();
}

void StudyWorld::leave(std::size_t node) {
    Place& place = *places_[node];
    if (!place.node) return;
    place.node->stop();
    take_down(place);
}

void StudyWorld::crash(std::size_t node) {
    Place& place = *places_[node];
    if (!place.node) return;
    network_.kill(place.identity.id());
    place.disk.crash();
    take_down(place);
    place.disk.restart(true);
}

void StudyWorld::begin_exit(std::size_t node) {
    Place& place = *places_[node];
    if (!place.node || place.leaving) return;
    place.leaving = true;
    place.node->begin_exit();
}

void StudyWorld::give_up_exit(std::size_t node) {
    Place& place = *places_[node];
    if (place.node && place.leaving) place.node->give_up_exit();
}

void StudyWorld::on_event(std::size_t node, const protocol::Event& event) {
    if (event.kind == protocol::EventKind::retired) {
        Place& place = *places_[node];
        place.gone = true;
        // Not from within the node.
        time_.after({}, [this, &place] {
            place.leaving = false;
            take_down(place);
        });
    }
    listener_(node, event);
}

network::TrafficCounters StudyWorld::sent() const {
    network::TrafficCounters sum = sent_before_;
    for (const auto& place : places_)
        if (place->node) add_sent(sum, place->node->transport().traffic());
    return sum;
}

}  // namespace unlearn::sim::experiments
