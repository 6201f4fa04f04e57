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

/// A string as it is, anything else as JSON writes it; empty when absent.
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

std::vector<std::pair<std::string, std::string>> pairs(const Json& json) {
    std::vector<std::pair<std::string, std::string>> result;
    if (!json.is_object()) return result;
    for (const auto& [key, value] : json.items())
        result.emplace_back(key, as_text(value));
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
    node.degree = count(json, "degree");
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
    if (const Json& why = child(json, "why_missing"); why.is_object())
        for (const auto& [holder, reason] : why.items())
            exit.why_missing[holder] = as_text(reason);
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
    std::stable_sort(
        traffic.by_kind.begin(), traffic.by_kind.end(), [](const MessageTraffic& a, const MessageTraffic& b) {
            // NaN is less than everything here: a comparison must not contradict itself.
            return (std::isnan(a.bytes) ? -1.0 : a.bytes) > (std::isnan(b.bytes) ? -1.0 : b.bytes);
        });
    return traffic;
}

std::vector<std::pair<std::string, double>> read_seconds(const Json& json) {
    // JSON objects have no order; phases do. Phases that came later than this list are shown before the
    // total.
    constexpr std::array<std::string_view, 9> kOrder = {
        "load", "train", "distil", "exchange", "evaluate", "exit", "counterfactual", "", "total"};
    constexpr std::size_t kOthers = 7;
    const auto rank = [&](const std::string& phase) {
        const auto found = std::find(kOrder.begin(), kOrder.end(), phase);
        return found == kOrder.end() ? kOthers : static_cast<std::size_t>(found - kOrder.begin());
    };
    std::vector<std::pair<std::string, double>> result;
    if (!json.is_object()) return result;
    for (const auto& [phase, value] : json.items()) {
        if (value.is_number()) result.emplace_back(phase, value.get<double>());
    }
    std::stable_sort(result.begin(), result.end(),
                     [&](const auto& a, const auto& b) { return rank(a.first) < rank(b.first); });
    return result;
}

}  // namespace

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

tl::expected<RunResult, std::string> read_result(const nlohmann::json& json) {
    if (!json.is_object()) return tl::unexpected(std::string("not a result: the file holds no JSON object"));
    if (count(json, "schema") != 1) {
        return tl::unexpected("a result of schema '" + text(json, "schema") +
                              "'; this program reads schema 1");
    }
    RunResult result;
    result.scenario = text(json, "scenario");
    result.seed = count(json, "seed");
    result.machine = pairs(child(json, "machine"));
    result.software = pairs(child(json, "software"));
    result.nodes = each(json, "nodes", read_node);
    result.mean = read_accuracy(child(child(json, "summary"), "accuracy"));
    result.held_aside = each(json, "held_aside", read_aside);
    result.exits = each(json, "exits", read_exit);
    for (auto& exit : result.exits)
        exit.virtual_time = text(json, "transport") == "virtual";
    result.exactness = read_exactness(child(json, "exactness"));
    result.traffic = read_traffic(child(json, "traffic"));
    result.seconds = read_seconds(child(json, "seconds"));
    return result;
}

}  // namespace unlearn::sim::report
