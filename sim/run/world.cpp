#include "sim/run/world.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "node/daemon/ensemble_seeds.hpp"
#include "node/learning/distillation.hpp"
#include "node/learning/ensemble/held_seeds.hpp"
#include "node/learning/generator.hpp"
#include "node/runtime/certificate.hpp"
#include "node/runtime/node.hpp"
#include "node/storage/identity_file.hpp"
#include "protocol/records.hpp"
#include "sim/run/learn.hpp"
#include "sim/run/result.hpp"

namespace unlearn::sim::run {
namespace {

using protocol::EventKind;
using protocol::NodeId;
using protocol::SeedVersion;

}  // namespace

struct World::Member {
    const NodeSetup* setup = nullptr;
    std::optional<learning::Seed> seed;
    std::unique_ptr<learning::EnsembleHolder> ensemble;
    std::unique_ptr<daemon::EnsembleSeeds> seeds;
    std::unique_ptr<runtime::Node> node;  ///< used only within Fabric::run
    bool exited = false;
};

Result<std::unique_ptr<World>> World::create(const scenario::Scenario& scenario, WorldOptions options,
                                             report::Progress& progress, Setup setup) {
    std::unique_ptr<World> world(new World(scenario, std::move(options), progress, std::move(setup)));
    for (const auto& node : world->setup_.nodes) {
        auto member = std::make_unique<Member>();
        member->setup = &node;
        world->members_.push_back(std::move(member));
        world->events_.name(node.identity.id(), node.name);
    }
    return world;
}

World::World(const scenario::Scenario& scenario, WorldOptions options, report::Progress& progress,
             Setup setup)
    : scenario_(scenario),
      options_(std::move(options)),
      progress_(progress),
      setup_(std::move(setup)),
      events_(options_.folder / "events.jsonl"),
      workers_(scenario.run.threads) {}

World::~World() {
    stop();
}

void World::stop() {
    if (!fabric_) return;
    fabric_->run([this] {
        for (auto& member : members_)
            if (member->node) member->node->stop();
    });
    fabric_->run([this] {
        for (auto& member : members_)
            member->node.reset();
    });
    fabric_.reset();
}

Result<void> World::train() {
    auto main_models = train_main_models(scenario_.training, setup_, workers_, progress_);
    if (!main_models) return failed_with(main_models.error());
    main_models_ = std::move(*main_models);
    return {};
}

Result<void> World::distil() {
    auto seeds = distil_seeds(scenario_.distillation, setup_, main_models_, workers_, progress_);
    if (!seeds) return failed_with(seeds.error());
    for (std::size_t i = 0; i < members_.size(); ++i)
        members_[i]->seed.emplace(std::move((*seeds)[i]));
    return {};
}

Result<void> World::start_nodes() {
    if (options_.transport == scenario::TransportKind::virtual_time) {
        fabric_ = make_virtual_fabric(events_, setup_.streams->seed("", "virtual world"));
    } else {
        auto fabric = make_zmq_fabric(events_, scenario_.network.base_port);
        if (!fabric) return failed_with(fabric.error().text());
        fabric_ = std::move(*fabric);
    }
    for (std::size_t i = 0; i < members_.size(); ++i) {
        Member& member = *members_[i];
        const NodeSetup& setup = *member.setup;
        auto own =
            learning::OwnPart::make(main_models_[i], setup.own, setup.split.validation, setup_.reference);
        member.ensemble = std::make_unique<learning::EnsembleHolder>(std::move(own), scenario_.ensemble,
                                                                     rebuild_rule(options_.violation));
        member.seeds = std::make_unique<daemon::EnsembleSeeds>(*member.ensemble, workers_.pool());

        const auto folder = options_.folder / "nodes" / setup.name;
        std::error_code error;
        std::filesystem::create_directories(folder, error);
        if (auto written = storage::create_identity_file(folder / "identity.key", setup.identity); !written)
            return failed_with(setup.name + ": " + written.error().text());
        protocol::EngineConfig engine;
        engine.network = setup_.network;
        std::optional<protocol::Error> problem;
        fabric_->run([&] {
            auto node = fabric_->make_node(i, setup, folder, std::move(engine), *member.seeds);
            if (node)
                member.node = std::move(*node);
            else
                problem = node.error();
        });
        if (problem) return failed_with(setup.name + ": " + problem->text());
    }
    fabric_->run([this] {
        for (auto& member : members_) {
            for (const auto neighbour : member->setup->neighbours)
                member->node->add_neighbour(
                    {setup_.nodes[neighbour].identity.id(), members_[neighbour]->node->endpoint()});
            member->node->start();
        }
    });
    return {};
}

Exchange::Pairs World::expected_seeds() const {
    Exchange::Pairs pairs;
    for (const auto& member : members_)
        for (const auto neighbour : member->setup->neighbours)
            if (!members_[neighbour]->exited)
                pairs.emplace_back(member->setup->name, members_[neighbour]->setup->name);
    return pairs;
}

void World::note_aside() {
    aside_.clear();
    fabric_->run([this] {
        for (const auto& member : members_)
            for (const auto& seed : member->node->engine().held_seeds())
                if (seed.state == protocol::SeedState::held_aside)
                    aside_.push_back({member->setup->name, name_of(seed.owner), seed.detail});
    });
}

Result<void> World::wait_for_seeds(SeedVersion version) {
    Exchange exchange(expected_seeds(), version);
    auto phase = progress_.start("exchange", exchange.expected());
    std::size_t shown = 0;
    static_cast<void>(
        fabric_->wait(scenario_.network.exchange_timeout, [&](const std::vector<EventLog::Entry>& entries) {
            exchange.look_at(entries);
            phase.advance(exchange.arrived() - shown);
            shown = exchange.arrived();
            return exchange.is_complete() || exchange.failure().has_value();
        }));
    if (exchange.failure()) return failed_with(*exchange.failure());
    if (!exchange.is_complete())
        return failed_with("exchange: after " + std::to_string(scenario_.network.exchange_timeout.count()) +
                           " s " + exchange.progress());
    note_aside();
    return {};
}

Result<void> World::publish_seeds(SeedVersion version) {
    fabric_->run([this] {
        for (auto& member : members_) {
            auto payload = std::make_shared<const protocol::SeedBytes>(
                protocol::SeedBytes::copy_of(member->seed->payload()));
            raw_seed_bytes_ += static_cast<std::uint64_t>(member->seed->model().parameter_count()) *
                               sizeof(float) * member->setup->neighbours.size();
            member->node->publish(member->seed->architecture().text(), std::move(payload));
        }
    });
    return wait_for_seeds(version);
}

Result<void> World::exchange() {
    if (auto ok = start_nodes(); !ok) return ok;
    if (auto ok = publish_seeds(SeedVersion{1}); !ok) return ok;
    if (options_.violation != Violation::distil_from_ensemble) return {};
    if (auto ok = distil_from_ensembles(); !ok) return ok;
    return publish_seeds(SeedVersion{2});
}

Result<void> World::distil_from_ensembles() {
    auto phase = progress_.start("distil from the ensemble", members_.size());
    const auto error = workers_.for_each(members_.size(), [&](std::size_t i) -> std::optional<std::string> {
        Member& member = *members_[i];
        auto seed = distil_from_ensemble(
            *member.ensemble->snapshot(), setup_.reference, member.setup->seed_architecture,
            distil_options(scenario_.distillation, member.setup->seed_architecture),
            learning::make_generator(setup_.streams->seed(member.setup->name, "distil again")),
            setup_.features.get());
        if (!seed) return member.setup->name + ": distillation: " + seed.error().message;
        member.seed.emplace(std::move(*seed));
        phase.advance();
        return std::nullopt;
    });
    if (error) return failed_with(*error);
    return {};
}

Result<std::vector<Evaluation>> World::evaluate() {
    std::vector<Member*> present;
    for (auto& member : members_)
        if (!member->exited) present.push_back(member.get());
    auto phase = progress_.start("score", present.size());
    std::vector<Evaluation> evaluations(present.size());
    const auto error = workers_.for_each(present.size(), [&](std::size_t i) -> std::optional<std::string> {
        const Member& member = *present[i];
        const auto ensemble = member.ensemble->snapshot();
        const auto& test = setup_.test;
        Evaluation& out = evaluations[i];
        out.name = member.setup->name;
        out.rho = ensemble->rho();
        const auto by_ensemble = ensemble->predict_under(test.inputs(), learning::kPriors);
        const auto by_main = ensemble->predict_main(test.inputs());
        if (!by_ensemble) return out.name + ": prediction: " + by_ensemble.error().message;
        if (!by_main) return out.name + ": prediction: " + by_main.error().message;
        out.own_prior = by_ensemble->at(0).probabilities;
        out.uniform_prior = by_ensemble->at(1).probabilities;
        out.score(by_main->probabilities, test, member.setup->own);
        phase.advance();
        return std::nullopt;
    });
    if (error) return failed_with(*error);
    return evaluations;
}

World::Member* World::find(const std::string& name) {
    for (auto& member : members_)
        if (member->setup->name == name) return member.get();
    return nullptr;
}

const std::string& World::name_of(const NodeId& id) const {
    for (const auto& node : setup_.nodes)
        if (node.identity.id() == id) return node.name;
    static const std::string unknown = "unknown";
    return unknown;
}

Result<ExitOutcome> World::exit(const std::string& name) {
    Member* member = find(name);
    if (member == nullptr) return failed_with("exit: there is no node " + name);
    auto phase = progress_.start("exit of " + name, 0);
    fabric_->run([&] { member->node->begin_exit(); });
    // A timeout is not an error: holders that did not answer in time are listed as missing.
    static_cast<void>(
        fabric_->wait(scenario_.network.exit_timeout, [&](const std::vector<EventLog::Entry>& entries) {
            return std::any_of(entries.begin(), entries.end(), [&](const EventLog::Entry& entry) {
                return entry.node == name && entry.event.kind == EventKind::exit_complete;
            });
        }));

    protocol::ExitProgress progress;
    fabric_->run([&] { progress = member->node->engine().own_exit(); });
    ExitOutcome outcome;
    outcome.result.node = name;
    outcome.certificate = runtime::make_certificate(member->setup->identity.id(), setup_.network, progress);
    const auto answered = events_.receipt_milliseconds(name);
    for (const auto& [holder, version] : progress.recipients) {
        const std::string& holder_name = name_of(holder);
        outcome.result.holders.push_back(holder_name);
        const auto receipt = answered.find(holder_name);
        if (!progress.receipts.contains(holder) || receipt == answered.end())
            outcome.result.missing.push_back(holder_name);
        else
            outcome.result.per_holder.push_back({holder_name, receipt->second});
    }
    outcome.result.why_missing = events_.why_silent(outcome.result.missing, name);
    member->exited = true;
    fabric_->run([&] { member->node->stop(); });
    return outcome;
}

std::vector<report::NodeResult> World::facts() const {
    auto out = facts_of(setup_);
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i].main_parameters = static_cast<std::uint64_t>(main_models_[i].model().parameter_count());
        out[i].seed_parameters = static_cast<std::uint64_t>(members_[i]->seed->model().parameter_count());
    }
    return out;
}

report::TrafficResult World::traffic() {
    std::array<network::TrafficCount, network::TrafficCounters::kKinds> kinds{};
    std::uint64_t handshakes = 0;
    fabric_->run([&] {
        for (const auto& member : members_) {
            const auto counters = member->node->transport().traffic();
            handshakes += counters.handshake_bytes_sent;
            for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
                kinds[kind].messages += counters.sent[kind].messages;
                kinds[kind].bytes += counters.sent[kind].bytes;
            }
        }
    });
    return traffic_of(kinds, handshakes, raw_seed_bytes_);
}

}  // namespace unlearn::sim::run
