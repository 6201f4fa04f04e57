#include "sim/report/run_result.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include <nlohmann/json.hpp>

namespace unlearn::sim::report {
namespace {

using Json = nlohmann::json;

const Json& child(const Json& json, const char* key) {
    static const Json kNull;
    if (!json.is_object()) return kNull;
    const auto found = json.find(key);
    return found == json.end() ? kNull : *found;
}

double number(const Json& json, const char* key) {
    const Json& value = child(json, key);
    return value.is_number() ? value.get<double>() : kNotMeasured;
}

std::uint64_t count(const Json& json, const char* key) {
    const Json& value = child(json, key);
    if (value.is_number_unsigned()) return value.get<std::uint64_t>();
    return value.is_number_integer()
               ? static_cast<std::uint64_t>(std::max<std::int64_t>(0, value.get<std::int64_t>()))
               : 0;
}

bool flag(const Json& json, const char* key) {
    const Json& value = child(json, key);
    return value.is_boolean() && value.get<bool>();
}

/// Returns a string as it is, and anything else as JSON text. Returns an empty string for null.
std::string as_text(const Json& value) {
    if (value.is_null()) return "";
    if (value.is_string()) return value.get<std::string>();
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string text(const Json& json, const char* key) {
    return as_text(child(json, key));
}

std::vector<std::string> texts(const Json& json, const char* key) {
    std::vector<std::string> result;
    const Json& value = child(json, key);
    if (!value.is_array()) return result;
    for (const auto& element : value)
        result.push_back(as_text(element));
    return result;
}

std::map<std::string, std::string> text_map(const Json& json) {
    std::map<std::string, std::string> result;
    if (!json.is_object()) return result;
    for (const auto& [key, value] : json.items())
        result[key] = as_text(value);
    return result;
}

template <typename T>
std::vector<T> each(const Json& json, const char* key, T (*read)(const Json&)) {
    std::vector<T> result;
    const Json& value = child(json, key);
    if (!value.is_array()) return result;
    for (const auto& element : value)
        result.push_back(read(element));
    return result;
}

Scores read_scores(const Json& json) {
    return {number(json, "main"), number(json, "ensemble")};
}

Accuracy read_accuracy(const Json& json) {
    return {read_scores(child(json, "own")), read_scores(child(json, "full"))};
}

NodeResult read_node(const Json& json) {
    NodeResult node;
    node.name = text(json, "name");
    node.id = text(json, "id");
    node.main_architecture = text(json, "main_architecture");
    node.seed_architecture = text(json, "seed_architecture");
    node.main_parameters = count(json, "main_parameters");
    node.seed_parameters = count(json, "seed_parameters");
    node.training_images = count(json, "training_images");
    node.missing_classes = texts(json, "missing_classes");
    node.neighbours = texts(json, "neighbours");
    node.rho = number(json, "rho");
    node.accuracy = read_accuracy(child(json, "accuracy"));
    return node;
}

SurvivorResult read_survivor(const Json& json) {
    return {text(json, "name"), number(json, "rho_before"), number(json, "rho_after"),
            read_accuracy(child(json, "before")), read_accuracy(child(json, "after"))};
}

HolderTime read_holder(const Json& json) {
    return {text(json, "node"), number(json, "ms")};
}

ExitResult read_exit(const Json& json) {
    ExitResult exit;
    exit.node = text(json, "node");
    exit.holders = texts(json, "holders");
    exit.receipts = count(json, "receipts");
    exit.missing = texts(json, "missing");
    exit.why_missing = text_map(child(json, "why_missing"));
    const Json& time = child(json, "time_to_forget_ms");
    exit.p50_ms = number(time, "p50");
    exit.p99_ms = number(time, "p99");
    exit.max_ms = number(time, "max");
    exit.per_holder = each(json, "per_holder", read_holder);
    exit.certificate = text(json, "certificate");
    exit.before = read_accuracy(child(child(json, "accuracy"), "before"));
    exit.after = read_accuracy(child(child(json, "accuracy"), "after"));
    exit.survivors = each(json, "nodes", read_survivor);
    return exit;
}

AsideResult read_aside(const Json& json) {
    return {text(json, "holder"), text(json, "owner"), text(json, "why")};
}

ExactnessResult read_exactness(const Json& json) {
    ExactnessResult exactness;
    exactness.checked = flag(json, "checked");
    if (child(json, "reason").is_string()) exactness.reason = text(json, "reason");
    exactness.nodes = count(json, "nodes");
    exactness.predictions = count(json, "predictions");
    exactness.differing = count(json, "differing");
    exactness.bit_identical = flag(json, "bit_identical");
    exactness.vacuous = texts(json, "vacuous");
    exactness.world_b_seconds = number(json, "world_b_seconds");
    if (child(json, "violation").is_string()) exactness.violation = text(json, "violation");
    return exactness;
}

TrafficResult read_traffic(const Json& json) {
    TrafficResult traffic;
    traffic.bytes = number(json, "bytes");
    traffic.seed_bytes = number(json, "seed_bytes");
    traffic.seed_transfer_bytes = number(json, "seed_transfer_bytes");
    traffic.overhead = number(json, "overhead");
    traffic.control_bytes = number(json, "control_bytes");
    const Json& kinds = child(json, "by_kind");
    if (kinds.is_object()) {
        for (const auto& [kind, value] : kinds.items()) {
            MessageTraffic entry{kind, std::nullopt, number(value, "bytes")};
            if (!child(value, "messages").is_null()) entry.messages = count(value, "messages");
            traffic.by_kind.push_back(std::move(entry));
        }
    }
    sort_by_bytes(traffic.by_kind);
    return traffic;
}

std::map<std::string, double> read_seconds(const Json& json) {
    std::map<std::string, double> seconds;
    if (!json.is_object()) return seconds;
    for (const auto& [phase, value] : json.items())
        if (value.is_number()) seconds[phase] = value.get<double>();
    return seconds;
}

// ---- Writing ----

Json to_json(const Scores& scores) {
    return {{"main", scores.main}, {"ensemble", scores.ensemble}};
}

Json to_json(const Accuracy& accuracy) {
    return {{"own", to_json(accuracy.own)}, {"full", to_json(accuracy.full)}};
}

Json to_json(const NodeResult& node) {
    return {{"name", node.name},
            {"id", node.id},
            {"degree", node.neighbours.size()},
            {"neighbours", node.neighbours},
            {"main_architecture", node.main_architecture},
            {"seed_architecture", node.seed_architecture},
            {"main_parameters", node.main_parameters},
            {"seed_parameters", node.seed_parameters},
            {"training_images", node.training_images},
            {"missing_classes", node.missing_classes},
            {"rho", node.rho},
            {"accuracy", to_json(node.accuracy)}};
}

Json to_json(const SurvivorResult& survivor) {
    return {{"name", survivor.name},
            {"rho_before", survivor.rho_before},
            {"rho_after", survivor.rho_after},
            {"before", to_json(survivor.before)},
            {"after", to_json(survivor.after)}};
}

Json to_json(const HolderTime& holder) {
    return {{"node", holder.node}, {"ms", holder.ms}};
}

Json to_json(const AsideResult& aside) {
    return {{"holder", aside.holder}, {"owner", aside.owner}, {"why", aside.why}};
}

Json to_json(const ExitResult& exit);

template <typename T>
Json list_of(const std::vector<T>& elements) {
    Json out = Json::array();
    for (const auto& element : elements)
        out.push_back(to_json(element));
    return out;
}

Json to_json(const ExitResult& exit) {
    Json out{{"node", exit.node},
             {"holders", exit.holders},
             {"receipts", exit.receipts},
             {"missing", exit.missing},
             {"why_missing", exit.why_missing},
             {"certificate", exit.certificate},
             {"per_holder", list_of(exit.per_holder)},
             {"accuracy", {{"before", to_json(exit.before)}, {"after", to_json(exit.after)}}},
             {"nodes", list_of(exit.survivors)}};
    if (!exit.per_holder.empty())
        out["time_to_forget_ms"] = {{"p50", exit.p50_ms}, {"p99", exit.p99_ms}, {"max", exit.max_ms}};
    return out;
}

Json to_json(const ExactnessResult& exactness) {
    Json out{{"checked", exactness.checked}};
    if (exactness.reason) out["reason"] = *exactness.reason;
    if (!exactness.checked) return out;
    out["nodes"] = exactness.nodes;
    out["predictions"] = exactness.predictions;
    out["differing"] = exactness.differing;
    out["bit_identical"] = exactness.bit_identical;
    out["vacuous"] = exactness.vacuous;
    out["world_b_seconds"] = exactness.world_b_seconds;
    out["violation"] = exactness.violation ? Json(*exactness.violation) : Json(nullptr);
    return out;
}

/// Writes a count of bytes as a whole number, or as null if it was not measured.
Json whole(double bytes) {
    return std::isnan(bytes) ? Json(nullptr) : Json(static_cast<std::uint64_t>(bytes));
}

Json to_json(const TrafficResult& traffic) {
    Json by_kind = Json::object();
    for (const auto& kind : traffic.by_kind) {
        by_kind[kind.kind] = {{"bytes", whole(kind.bytes)}};
        if (kind.messages) by_kind[kind.kind]["messages"] = *kind.messages;
    }
    return {{"bytes", whole(traffic.bytes)},
            {"seed_bytes", whole(traffic.seed_bytes)},
            {"seed_transfer_bytes", whole(traffic.seed_transfer_bytes)},
            {"control_bytes", whole(traffic.control_bytes)},
            {"overhead", traffic.overhead},
            {"by_kind", std::move(by_kind)}};
}

}  // namespace

std::vector<std::pair<std::string, double>> in_order(const std::map<std::string, double>& seconds) {
    // Phases that are missing in this list are shown before the total.
    constexpr std::array<std::string_view, 9> kOrder = {
        "load", "train", "distil", "exchange", "evaluate", "exit", "counterfactual", "", "total"};
    constexpr std::size_t kOthers = 7;
    const auto rank = [&](const std::string& phase) {
        const auto found = std::find(kOrder.begin(), kOrder.end(), phase);
        return found == kOrder.end() ? kOthers : static_cast<std::size_t>(found - kOrder.begin());
    };
    std::vector<std::pair<std::string, double>> result(seconds.begin(), seconds.end());
    std::stable_sort(result.begin(), result.end(),
                     [&](const auto& a, const auto& b) { return rank(a.first) < rank(b.first); });
    return result;
}

void sort_by_bytes(std::vector<MessageTraffic>& kinds) {
    std::stable_sort(kinds.begin(), kinds.end(), [](const MessageTraffic& a, const MessageTraffic& b) {
        // NaN counts as less than all other values, because the comparison must be consistent.
        return (std::isnan(a.bytes) ? -1.0 : a.bytes) > (std::isnan(b.bytes) ? -1.0 : b.bytes);
    });
}

Accuracy mean_of(std::span<const Accuracy> accuracies) {
    if (accuracies.empty()) return {};
    Accuracy sum{{0.0, 0.0}, {0.0, 0.0}};
    for (const auto& accuracy : accuracies) {
        sum.own.main += accuracy.own.main;
        sum.own.ensemble += accuracy.own.ensemble;
        sum.full.main += accuracy.full.main;
        sum.full.ensemble += accuracy.full.ensemble;
    }
    const auto n = static_cast<double>(accuracies.size());
    return {{sum.own.main / n, sum.own.ensemble / n}, {sum.full.main / n, sum.full.ensemble / n}};
}

nlohmann::json to_json(const RunResult& result) {
    Json out{{"schema", 1},
             {"scenario", result.scenario},
             {"seed", result.seed},
             {"machine", {{"cpu", result.machine.cpu}, {"cores", result.machine.cores}}},
             {"software", result.software},
             {"nodes", list_of(result.nodes)},
             {"held_aside", list_of(result.held_aside)},
             {"summary", {{"accuracy", to_json(result.mean)}}},
             {"exits", list_of(result.exits)},
             {"exactness", to_json(result.exactness)},
             {"traffic", to_json(result.traffic)},
             {"seconds", Json::object()}};
    if (result.processes) out["processes"] = true;
    if (!result.transport.empty()) out["transport"] = result.transport;
    for (const auto& [phase, seconds] : result.seconds)
        out["seconds"][phase] = seconds;
    return out;
}

const SurvivorResult* RunResult::last_change_of(const std::string& name) const {
    if (has_left(name)) return nullptr;
    for (auto exit = exits.rbegin(); exit != exits.rend(); ++exit) {
        for (const auto& survivor : exit->survivors) {
            if (survivor.name == name) return &survivor;
        }
    }
    return nullptr;
}

bool RunResult::has_left(const std::string& name) const {
    return std::any_of(exits.begin(), exits.end(), [&](const ExitResult& exit) { return exit.node == name; });
}

std::vector<std::string> RunResult::leavers() const {
    std::vector<std::string> names;
    for (const auto& exit : exits)
        names.push_back(exit.node);
    return names;
}

Result<RunResult> read_result(const nlohmann::json& json) {
    if (!json.is_object()) return failed_with(std::string("not a result: the file holds no JSON object"));
    if (count(json, "schema") != 1) {
        return failed_with("a result of schema '" + text(json, "schema") + "'; this program reads schema 1");
    }
    RunResult result;
    result.scenario = text(json, "scenario");
    result.seed = count(json, "seed");
    result.processes = flag(json, "processes");
    result.transport = text(json, "transport");
    result.machine = {text(child(json, "machine"), "cpu"), count(child(json, "machine"), "cores")};
    result.software = text_map(child(json, "software"));
    result.nodes = each(json, "nodes", read_node);
    result.mean = read_accuracy(child(child(json, "summary"), "accuracy"));
    result.held_aside = each(json, "held_aside", read_aside);
    result.exits = each(json, "exits", read_exit);
    result.exactness = read_exactness(child(json, "exactness"));
    result.traffic = read_traffic(child(json, "traffic"));
    result.seconds = in_order(read_seconds(child(json, "seconds")));
    return result;
}

}  // namespace unlearn::sim::report
