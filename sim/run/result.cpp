#include "sim/run/result.hpp"

#include <algorithm>
#include <fstream>
#include <thread>

#include <nlohmann/json.hpp>
#include <torch/version.h>

#include "protocol/messages.hpp"
#include "sim/report/run_report.hpp"
#include "sim/report/statistics.hpp"
#include "sim/support/output_folder.hpp"

namespace unlearn::sim::run {
report::MachineResult this_machine() {
    std::ifstream cpuinfo("/proc/cpuinfo");
    std::string line;
    std::string cpu = "unknown";
    while (std::getline(cpuinfo, line))
        if (line.starts_with("model name")) {
            cpu = line.substr(std::min(line.size(), line.find(':') + 2));
            break;
        }
    return {cpu, std::thread::hardware_concurrency()};
}

report::RunResult begin_result(const scenario::Scenario& scenario, const Nodes& nodes,
                               const std::vector<Evaluation>& evaluations) {
    report::RunResult result;
    result.scenario = scenario.name;
    result.seed = scenario.seed;
    result.machine = this_machine();
    result.software = {{"unlearnd", UNLEARN_VERSION}, {"libtorch", TORCH_VERSION}};
    result.nodes = nodes.facts();
    std::vector<report::Accuracy> accuracies;
    for (std::size_t i = 0; i < result.nodes.size(); ++i) {
        result.nodes[i].rho = evaluations[i].rho;
        result.nodes[i].accuracy = evaluations[i].scores;
        accuracies.push_back(evaluations[i].scores);
    }
    result.mean = report::mean_of(accuracies);
    result.held_aside = nodes.held_aside();
    return result;
}

void complete(report::ExitResult& exit, const std::vector<Evaluation>& before,
              const std::vector<Evaluation>& after) {
    exit.receipts = exit.per_holder.size();
    exit.certificate = "certificate-" + exit.node + ".json";
    std::vector<double> sorted;
    for (const auto& holder : exit.per_holder)
        sorted.push_back(holder.ms);
    std::sort(sorted.begin(), sorted.end());
    if (!sorted.empty()) {
        exit.p50_ms = report::nearest_rank(sorted, 0.5);
        exit.p99_ms = report::nearest_rank(sorted, 0.99);
        exit.max_ms = sorted.back();
    }
    std::vector<report::Accuracy> accuracies_before;
    std::vector<report::Accuracy> accuracies_after;
    for (const auto& evaluation : after) {
        const auto earlier = std::find_if(before.begin(), before.end(),
                                          [&](const Evaluation& e) { return e.name == evaluation.name; });
        exit.survivors.push_back(
            {evaluation.name, earlier->rho, evaluation.rho, earlier->scores, evaluation.scores});
        accuracies_before.push_back(earlier->scores);
        accuracies_after.push_back(evaluation.scores);
    }
    exit.before = report::mean_of(accuracies_before);
    exit.after = report::mean_of(accuracies_after);
}

report::TrafficResult traffic_of(std::span<const network::TrafficCount> sent,
                                 std::optional<std::uint64_t> handshake_bytes, std::uint64_t raw_seed_bytes) {
    const auto bytes_of = [&](protocol::Kind kind) { return sent[static_cast<std::size_t>(kind)].bytes; };
    report::TrafficResult traffic;
    std::uint64_t total = handshake_bytes.value_or(0);
    for (std::size_t kind = 1; kind < sent.size(); ++kind) {
        total += sent[kind].bytes;
        if (sent[kind].messages == 0) continue;
        traffic.by_kind.push_back({std::string(protocol::name_of(static_cast<protocol::Kind>(kind))),
                                   sent[kind].messages, static_cast<double>(sent[kind].bytes)});
    }
    if (handshake_bytes)
        traffic.by_kind.push_back({"handshake", std::nullopt, static_cast<double>(*handshake_bytes)});
    report::sort_by_bytes(traffic.by_kind);
    const std::uint64_t transfer = bytes_of(protocol::Kind::get) + bytes_of(protocol::Kind::chunk);
    traffic.bytes = static_cast<double>(total);
    traffic.seed_bytes = static_cast<double>(raw_seed_bytes);
    traffic.seed_transfer_bytes = static_cast<double>(transfer);
    traffic.control_bytes = static_cast<double>(total - transfer);
    traffic.overhead = traffic.seed_transfer_bytes / traffic.seed_bytes - 1.0;
    return traffic;
}

Result<void> write_result(const std::filesystem::path& folder, const report::RunResult& result,
                          const topologies::Graph& graph) {
    if (auto ok = support::write_file(folder / "result.json", to_json(result).dump(2) + "\n"); !ok) return ok;
    return support::write_file(folder / "report.html", report::render_report(result, graph));
}

}  // namespace unlearn::sim::run
