#include "sim/run/result.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>
#include <thread>

#include "protocol/messages.hpp"
#include "sim/report/run_report.hpp"
#include "sim/support/output_folder.hpp"

namespace unlearn::sim::run {
namespace {

using nlohmann::json;

json to_json(const Score& score) {
    return {{"main", score.main}, {"ensemble", score.ensemble}};
}
json to_json(const NodeScores& scores) {
    return {{"own", to_json(scores.own)}, {"full", to_json(scores.full)}};
}

/// Mean over the evaluated nodes that `counts` accepts.
template <typename Counts>
NodeScores mean_scores(const std::vector<Evaluation>& evaluations, Counts counts) {
    NodeScores sum;
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

}  // namespace

json machine_json() {
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

json begin_result(const scenario::Scenario& scenario, const Nodes& nodes,
                  const std::vector<Evaluation>& evaluations) {
    json aside = json::array();
    for (const auto& seed : nodes.held_aside())
        aside.push_back({{"holder", seed.holder}, {"owner", seed.owner}, {"why", seed.why}});
    const auto everybody = [](const std::string&) { return true; };
    return {{"schema", 1},
            {"scenario", scenario.name},
            {"seed", scenario.seed},
            {"machine", machine_json()},
            {"nodes", nodes_json(nodes.facts(), evaluations)},
            {"held_aside", std::move(aside)},
            {"summary", {{"accuracy", to_json(mean_scores(evaluations, everybody))}}},
            {"exits", json::array()},
            {"exactness", {{"checked", false}}}};
}

json exit_json(const ExitOutcome& exit, const std::vector<Evaluation>& before,
               const std::vector<Evaluation>& after) {
    json out{{"node", exit.node},
             {"holders", exit.holders},
             {"receipts", exit.milliseconds.size()},
             {"missing", exit.missing},
             {"why_missing", exit.why_missing},
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

json traffic_json(std::span<const network::TrafficCount> sent, std::optional<std::uint64_t> handshake_bytes,
                  std::uint64_t raw_seed_bytes) {
    const auto bytes_of = [&](protocol::Kind kind) { return sent[static_cast<std::size_t>(kind)].bytes; };
    json by_kind = json::object();
    std::uint64_t total = handshake_bytes.value_or(0);
    for (std::size_t kind = 1; kind < sent.size(); ++kind) {
        total += sent[kind].bytes;
        if (sent[kind].messages == 0) continue;
        by_kind[std::string(protocol::name_of(static_cast<protocol::Kind>(kind)))] = {
            {"messages", sent[kind].messages}, {"bytes", sent[kind].bytes}};
    }
    if (handshake_bytes) by_kind["handshake"] = {{"bytes", *handshake_bytes}};
    const std::uint64_t transfer = bytes_of(protocol::Kind::get) + bytes_of(protocol::Kind::chunk);
    return {{"bytes", total},
            {"seed_bytes", raw_seed_bytes},
            {"seed_transfer_bytes", transfer},
            {"control_bytes", total - transfer},
            {"overhead", static_cast<double>(transfer) / static_cast<double>(raw_seed_bytes) - 1.0},
            {"by_kind", by_kind}};
}

tl::expected<void, std::string> write_result(const std::filesystem::path& folder, const json& result,
                                             const topologies::Graph& graph) {
    if (auto ok = support::write_file(folder / "result.json", result.dump(2) + "\n"); !ok) return ok;
    return report::write_report(folder / "report.html", result, graph);
}

}  // namespace unlearn::sim::run
