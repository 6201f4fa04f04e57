#include "sim/fleet/processes.hpp"

#include <algorithm>
#include <thread>

#include "sim/run/result.hpp"

namespace unlearn::sim::fleet {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPollInterval{100};
/// The longest time until a daemon answers. When there are many on few cores, loading LibTorch takes its
/// time.
constexpr std::chrono::seconds kFirstAnswer{300};

/// Returns whether the daemon has its main model.
Result<bool> has_learnt(Daemon& daemon) {
    if (!daemon.answers()) return false;
    const auto health = daemon.get("/healthz");
    if (!health) return failed_with(health.error());
    if (health->value("state", "") == "starting") return false;
    const auto status = daemon.get("/v1/status");
    if (!status) return failed_with(status.error());
    const auto& problem = status->at("model").at("problem");
    if (problem.is_string()) return failed_with(daemon.failure(problem.get<std::string>()));
    return status->at("state") == "running";
}

}  // namespace

Processes::Processes(const scenario::Scenario& scenario, const run::Setup& setup, FleetFiles files,
                     const std::filesystem::path& folder, report::Progress& progress)
    : scenario_(scenario),
      setup_(setup),
      progress_(progress),
      events_(folder / "events.jsonl"),
      workers_(scenario.run.threads),
      test_set_(setup.test, scenario.data.kind, files.scaling),
      main_predictions_(setup.nodes.size()) {
    for (std::size_t i = 0; i < setup.nodes.size(); ++i) {
        const run::NodeSetup& node = setup.nodes[i];
        daemons_.push_back(std::make_unique<Daemon>(node, std::move(files.nodes[i]), events_));
        events_.name(node.identity.id(), node.name);
    }
}

Result<void> Processes::check_all_run() {
    for (auto& daemon : daemons_)
        if (auto problem = daemon->ended()) return failed_with(*problem);
    return {};
}

Result<void> Processes::start(const std::filesystem::path& program) {
    auto phase = progress_.start("train", daemons_.size());
    std::vector<Daemon*> learning;
    for (auto& daemon : daemons_) {
        if (auto ok = daemon->start(program); !ok) return ok;
        learning.push_back(daemon.get());
    }
    const auto deadline = Clock::now() + kFirstAnswer;
    for (; !learning.empty(); std::this_thread::sleep_for(kPollInterval)) {
        if (auto ok = check_all_run(); !ok) return ok;
        for (auto it = learning.begin(); it != learning.end();) {
            Daemon& daemon = **it;
            if (!daemon.answers() && Clock::now() > deadline)
                return failed_with(
                    daemon.failure("unlearnd does not answer at " + daemon.files().socket.string()));
            const auto done = has_learnt(daemon);
            if (!done) return failed_with(done.error());
            if (*done) phase.advance();
            it = *done ? learning.erase(it) : it + 1;
        }
    }
    return {};
}

Result<std::size_t> Processes::settled_seeds() {
    aside_.clear();
    std::size_t settled = 0;
    for (auto& daemon : daemons_) {
        const auto status = daemon->get("/v1/status");
        if (!status) return failed_with(status.error());
        if (const auto& problem = status->at("model").at("problem"); problem.is_string())
            return failed_with(daemon->failure(problem.get<std::string>()));
        if (const auto& problem = status->at("storage").at("problem"); problem.is_string())
            return failed_with(
                daemon->failure("cannot store what it has to keep: " + problem.get<std::string>()));
        for (const auto& seed : status->at("seeds")) {
            const bool is_aside = seed.at("state") == "held-aside";
            if (is_aside)
                aside_.push_back(
                    {daemon->setup().name, name_of(seed.at("owner")), seed.at("detail").get<std::string>()});
            settled += is_aside || seed.at("state") == "in-use" ? 1U : 0U;
        }
    }
    return settled;
}

Result<void> Processes::exchange() {
    run::Exchange::Pairs pairs;
    for (const auto& node : setup_.nodes)
        for (const auto neighbour : node.neighbours)
            pairs.emplace_back(node.name, setup_.nodes[neighbour].name);
    // Only problems are taken from the events, because they are recorded only from a daemon's first answer
    // on. The counts come from the daemons themselves.
    run::Exchange exchange(pairs, protocol::SeedVersion{1});
    auto phase = progress_.start("exchange", pairs.size());
    const auto deadline = Clock::now() + scenario_.network.exchange_timeout;
    for (std::size_t shown = 0;;) {
        if (auto ok = check_all_run(); !ok) return ok;
        const auto settled = settled_seeds();
        if (!settled) return failed_with(settled.error());
        if (*settled > shown) phase.advance(*settled - shown);
        shown = std::max(shown, *settled);
        if (*settled == pairs.size()) return {};
        if (Clock::now() > deadline)
            return failed_with("exchange: after " +
                               std::to_string(scenario_.network.exchange_timeout.count()) + " s " +
                               exchange.progress());
        static_cast<void>(events_.wait_until(Clock::now() + kPollInterval, [&](const auto& entries) {
            exchange.look_at(entries);
            return exchange.failure().has_value();
        }));
        if (exchange.failure()) return failed_with(*exchange.failure());
    }
}

Result<std::vector<run::Evaluation>> Processes::evaluate() {
    std::vector<std::size_t> present;
    for (std::size_t i = 0; i < daemons_.size(); ++i)
        if (!daemons_[i]->has_left()) present.push_back(i);
    auto phase = progress_.start("score", present.size());
    std::vector<run::Evaluation> evaluations(present.size());
    const auto error = workers_.for_each(present.size(), [&](std::size_t i) -> std::optional<std::string> {
        Daemon& daemon = *daemons_[present[i]];
        at::Tensor& main = main_predictions_[present[i]];
        if (!main.defined()) {
            auto predicted = test_set_.main_predictions(daemon);
            if (!predicted) return predicted.error().message;
            main = std::move(*predicted);
        }
        auto evaluation =
            test_set_.evaluate(daemon, main, [this](const std::string& id) { return is_forgotten(id); });
        if (!evaluation) return evaluation.error().message;
        evaluations[i] = std::move(*evaluation);
        phase.advance();
        return std::nullopt;
    });
    if (error) return failed_with(*error);
    return evaluations;
}

std::string Processes::name_of(const std::string& id) const {
    for (const auto& node : setup_.nodes)
        if (node.identity.id().text() == id) return node.name;
    return "unknown";
}

bool Processes::is_forgotten(const std::string& id) const {
    return std::any_of(daemons_.begin(), daemons_.end(), [&](const auto& daemon) {
        return daemon->is_forgotten() && daemon->setup().identity.id().text() == id;
    });
}

Result<run::ExitOutcome> Processes::exit(const std::string& name) {
    const auto found = std::find_if(daemons_.begin(), daemons_.end(),
                                    [&](const auto& daemon) { return daemon->setup().name == name; });
    if (found == daemons_.end()) return failed_with("exit: there is no node " + name);
    auto phase = progress_.start("exit of " + name, 0);
    // A timeout is not an error: holders that did not answer in time are listed as missing.
    auto leave = (*found)->leave(scenario_.network.exit_timeout);
    if (!leave) return failed_with(leave.error());
    const auto answered = events_.receipt_milliseconds(name);
    run::ExitOutcome outcome;
    outcome.result.node = name;
    outcome.certificate = std::move(leave->certificate);
    for (const auto& holder : leave->progress.at("holders")) {
        const std::string holder_name = name_of(holder.at("node"));
        outcome.result.holders.push_back(holder_name);
        const auto receipt = answered.find(holder_name);
        if (holder.at("status") == "missing" || receipt == answered.end())
            outcome.result.missing.push_back(holder_name);
        else
            outcome.result.per_holder.push_back({holder_name, receipt->second});
    }
    outcome.result.why_missing = events_.why_silent(outcome.result.missing, name);
    return outcome;
}

std::vector<report::NodeResult> Processes::facts() const {
    const auto parameters = [&](const learning::Architecture& architecture) {
        return learning::parameter_count(architecture, setup_.test.shape(), setup_.test.classes())
            .value_or(0);
    };
    auto out = run::facts_of(setup_);
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i].main_parameters = static_cast<std::uint64_t>(parameters(setup_.nodes[i].main_architecture));
        out[i].seed_parameters = static_cast<std::uint64_t>(parameters(setup_.nodes[i].seed_architecture));
    }
    return out;
}

Result<report::TrafficResult> Processes::traffic() {
    std::vector<network::TrafficCount> all(network::TrafficCounters::kKinds);
    for (auto& daemon : daemons_) {
        const auto sent = daemon->traffic();
        if (!sent) return failed_with(sent.error());
        for (std::size_t kind = 0; kind < all.size(); ++kind) {
            all[kind].messages += (*sent)[kind].messages;
            all[kind].bytes += (*sent)[kind].bytes;
        }
    }
    std::uint64_t raw_seed_bytes = 0;
    for (const auto& node : facts())
        raw_seed_bytes += node.seed_parameters * sizeof(float) * node.neighbours.size();
    return run::traffic_of(all, std::nullopt, raw_seed_bytes);
}

Result<void> Processes::stop() {
    auto phase = progress_.start("stop", daemons_.size());
    for (auto& daemon : daemons_)
        daemon->ask_to_stop();
    for (auto& daemon : daemons_) {
        if (auto ok = daemon->wait(); !ok) return ok;
        phase.advance();
    }
    return {};
}

}  // namespace unlearn::sim::fleet
