#include "sim/run.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <set>
#include <thread>

#include "sim/counterfactual.hpp"
#include "sim/output_folder.hpp"
#include "sim/report.hpp"
#include "sim/world.hpp"

namespace unlearn::sim {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

/// Seconds of each phase, in the order in which they are asked for.
class Stopwatch {
  public:
    /// Calls `phase` and adds the time it took to `name`.
    template <typename Phase>
    auto time(const std::string& name, Phase phase) {
        const auto started = Clock::now();
        auto result = phase();
        seconds_[name] += std::chrono::duration<double>(Clock::now() - started).count();
        return result;
    }
    [[nodiscard]] json finish() {
        seconds_["total"] = std::chrono::duration<double>(Clock::now() - started_).count();
        return seconds_;
    }

  private:
    Clock::time_point started_ = Clock::now();
    std::map<std::string, double> seconds_;
};

json machine() {
    std::ifstream cpuinfo("/proc/cpuinfo");
    std::string line;
    std::string cpu = "unknown";
    while (std::getline(cpuinfo, line))
        if (line.starts_with("model name")) {
            cpu = line.substr(std::min(line.size(), line.find(':') + 2));
            break;
        }
    return {{"cpu", cpu}, {"cores", std::thread::hardware_concurrency()}};
}

json to_json(const Score& score) {
    return {{"main", score.main}, {"ensemble", score.ensemble}};
}
json to_json(const Scores& scores) {
    return {{"own", to_json(scores.own)}, {"full", to_json(scores.full)}};
}

/// Mean over the evaluated nodes that `counts` accepts.
template <typename Counts>
Scores mean_scores(const std::vector<Evaluation>& evaluations, Counts counts) {
    Scores sum;
    double n = 0;
    for (const auto& evaluation : evaluations) {
        if (!counts(evaluation.name)) continue;
        sum.own.main += evaluation.scores.own.main;
        sum.own.ensemble += evaluation.scores.own.ensemble;
        sum.full.main += evaluation.scores.full.main;
        sum.full.ensemble += evaluation.scores.full.ensemble;
        n += 1;
    }
    if (n == 0) return sum;
    return {{sum.own.main / n, sum.own.ensemble / n}, {sum.full.main / n, sum.full.ensemble / n}};
}

json nodes_json(const std::vector<NodeFacts>& facts, const std::vector<Evaluation>& evaluations) {
    json out = json::array();
    for (std::size_t i = 0; i < facts.size(); ++i) {
        const NodeFacts& node = facts[i];
        out.push_back({{"name", node.name},
                       {"id", node.id},
                       {"degree", node.neighbours.size()},
                       {"neighbours", node.neighbours},
                       {"main_architecture", node.main_architecture},
                       {"seed_architecture", node.seed_architecture},
                       {"main_parameters", node.main_parameters},
                       {"seed_parameters", node.seed_parameters},
                       {"training_images", node.training_images},
                       {"missing_classes", node.missing_classes},
                       {"rho", evaluations[i].rho},
                       {"accuracy", to_json(evaluations[i].scores)}});
    }
    return out;
}

/// Value at quantile `q` by the nearest-rank method; `sorted` is not empty.
double quantile(const std::vector<double>& sorted, double q) {
    const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(sorted.size())));
    return sorted[std::max<std::size_t>(rank, 1) - 1];
}

json exit_json(const ExitOutcome& exit, const std::vector<Evaluation>& before,
               const std::vector<Evaluation>& after) {
    json out{{"node", exit.node},
             {"holders", exit.holders},
             {"receipts", exit.milliseconds.size()},
             {"missing", exit.missing},
             {"certificate", "certificate-" + exit.node + ".json"},
             {"per_holder", json::array()},
             {"nodes", json::array()}};
    std::vector<double> sorted;
    for (const auto& [holder, ms] : exit.milliseconds) {
        out["per_holder"].push_back({{"node", holder}, {"ms", ms}});
        sorted.push_back(ms);
    }
    std::sort(sorted.begin(), sorted.end());
    if (!sorted.empty())
        out["time_to_forget_ms"] = {
            {"p50", quantile(sorted, 0.5)}, {"p99", quantile(sorted, 0.99)}, {"max", sorted.back()}};

    std::set<std::string> survivors;
    for (const auto& evaluation : after)
        survivors.insert(evaluation.name);
    const auto survives = [&](const std::string& name) { return survivors.contains(name); };
    out["accuracy"] = {{"before", to_json(mean_scores(before, survives))},
                       {"after", to_json(mean_scores(after, survives))}};
    for (const auto& evaluation : after) {
        const auto earlier = std::find_if(before.begin(), before.end(),
                                          [&](const Evaluation& e) { return e.name == evaluation.name; });
        out["nodes"].push_back({{"name", evaluation.name},
                                {"rho_before", earlier->rho},
                                {"rho_after", evaluation.rho},
                                {"before", to_json(earlier->scores)},
                                {"after", to_json(evaluation.scores)}});
    }
    return out;
}

}  // namespace

bool succeeded(const json& result) {
    const json& exactness = result.at("exactness");
    const bool receipts = std::all_of(result.at("exits").begin(), result.at("exits").end(),
                                      [](const json& exit) { return exit.at("missing").empty(); });
    const bool exact = !exactness.at("checked").get<bool>() ||
                       (exactness.at("bit_identical").get<bool>() && exactness.at("vacuous").empty());
    return receipts && exact;
}

tl::expected<json, std::string> run_scenario(const Scenario& scenario, Violation violation,
                                             const std::filesystem::path& folder, Progress& progress) {
    Stopwatch watch;
    auto created = watch.time("load", [&]() -> tl::expected<std::unique_ptr<World>, std::string> {
        // The scenario and its data are looked at before an earlier run's folder is touched.
        auto setup = prepare(scenario, {}, violation);
        if (!setup) return tl::unexpected(setup.error());
        if (auto ok = prepare_output_folder(folder); !ok) return tl::unexpected(ok.error());
        return World::create(scenario, {folder, violation}, progress, std::move(*setup));
    });
    if (!created) return tl::unexpected(created.error());
    World& world = **created;
    if (auto ok = watch.time("train", [&] { return world.train(); }); !ok) return tl::unexpected(ok.error());
    if (auto ok = watch.time("distil", [&] { return world.distil(); }); !ok)
        return tl::unexpected(ok.error());
    if (auto ok = watch.time("exchange", [&] { return world.exchange(); }); !ok)
        return tl::unexpected(ok.error());
    const auto evaluate = [&] { return watch.time("evaluate", [&] { return world.evaluate(); }); };
    auto first = evaluate();
    if (!first) return tl::unexpected(first.error());

    const auto everybody = [](const std::string&) { return true; };
    json result{{"schema", 1},
                {"scenario", scenario.name},
                {"seed", scenario.seed},
                {"machine", machine()},
                {"nodes", nodes_json(world.facts(), *first)},
                {"summary", {{"accuracy", to_json(mean_scores(*first, everybody))}}},
                {"exits", json::array()},
                {"exactness", {{"checked", false}}}};

    std::vector<Evaluation> before = *first;
    std::set<std::string> former_neighbours;
    for (const auto& exit : scenario.exits) {
        auto outcome = watch.time("exit", [&] { return world.exit(exit.node); });
        if (!outcome) return tl::unexpected(outcome.error());
        auto after = evaluate();
        if (!after) return tl::unexpected(after.error());
        result["exits"].push_back(exit_json(*outcome, before, *after));
        if (auto ok = write_file(folder / ("certificate-" + exit.node + ".json"),
                                 outcome->certificate.dump(2) + "\n");
            !ok)
            return tl::unexpected(ok.error());
        former_neighbours.insert(outcome->holders.begin(), outcome->holders.end());
        before = std::move(*after);
    }
    result["traffic"] = world.traffic();
    world.stop();

    if (!scenario.exits.empty()) {
        for (const auto& exit : scenario.exits)
            former_neighbours.erase(exit.node);
        const CounterfactualRequest request{scenario, violation,
                                            folder,   {former_neighbours.begin(), former_neighbours.end()},
                                            *first,   before};
        auto exactness = watch.time("counterfactual", [&] { return check_counterfactual(request); });
        if (!exactness) return tl::unexpected(exactness.error());
        result["exactness"] = std::move(*exactness);
    }
    result["seconds"] = watch.finish();
    if (auto ok = write_file(folder / "result.json", result.dump(2) + "\n"); !ok)
        return tl::unexpected(ok.error());
    if (auto ok = write_report(folder / "report.html", result, scenario.graph); !ok)
        return tl::unexpected(ok.error());
    return result;
}

}  // namespace unlearn::sim
