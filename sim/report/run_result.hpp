#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>
#include <tl/expected.hpp>

namespace unlearn::sim::report {

// result.json (sim/README.md) as the report and the summary see it. A number that the file does not have is
// NaN, so that a page of an interrupted or older run shows a dash there instead of nothing at all.

inline constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

struct Scores {
    double main = kNotMeasured;
    double ensemble = kNotMeasured;

    [[nodiscard]] double gain() const { return ensemble - main; }
};

struct Accuracy {
    Scores own;   ///< on the node's own distribution of classes
    Scores full;  ///< on the whole test set
};

struct NodeResult {
    std::string name;
    std::string id;
    std::uint64_t degree = 0;
    std::string main_architecture;
    std::string seed_architecture;
    std::uint64_t main_parameters = 0;
    std::uint64_t seed_parameters = 0;
    std::uint64_t training_images = 0;
    std::vector<std::string> missing_classes;
    std::vector<std::string> neighbours;
    double rho = kNotMeasured;
    Accuracy accuracy;  ///< before any exit
};

/// One survivor of one exit.
struct SurvivorResult {
    std::string name;
    double rho_before = kNotMeasured;
    double rho_after = kNotMeasured;
    Accuracy before;
    Accuracy after;
};

struct HolderTime {
    std::string node;
    double ms = kNotMeasured;
};

/// A seed that arrived, and that its holder does not use because it would do harm.
struct AsideResult {
    std::string holder;
    std::string owner;
    std::string why;
};

struct ExitResult {
    std::string node;
    std::vector<std::string> holders;
    std::uint64_t receipts = 0;
    std::vector<std::string> missing;
    std::map<std::string, std::string> why_missing;  ///< by holder, where anything is known
    bool virtual_time = false;                       ///< the times below are those of a simulated network
    double p50_ms = kNotMeasured;
    double p99_ms = kNotMeasured;
    double max_ms = kNotMeasured;
    std::vector<HolderTime> per_holder;
    std::string certificate;
    Accuracy before;  ///< means over the survivors
    Accuracy after;
    std::vector<SurvivorResult> survivors;
};

struct ExactnessResult {
    bool checked = false;
    std::optional<std::string> reason;  ///< why it was not checked, where that was meant to be
    std::uint64_t nodes = 0;
    std::uint64_t predictions = 0;
    std::uint64_t differing = 0;
    bool bit_identical = false;
    std::vector<std::string> vacuous;
    double world_b_seconds = kNotMeasured;
    std::optional<std::string> violation;  ///< the rule that the run broke on purpose
};

struct MessageTraffic {
    std::string kind;
    std::optional<std::uint64_t> messages;  ///< absent for what is not messages, as the handshakes
    double bytes = kNotMeasured;
};

struct TrafficResult {
    double bytes = kNotMeasured;
    double seed_bytes = kNotMeasured;
    double seed_transfer_bytes = kNotMeasured;
    double overhead = kNotMeasured;  ///< of seed transfers over raw seed bytes, as a part of one
    double control_bytes = kNotMeasured;
    std::vector<MessageTraffic> by_kind;  ///< most bytes first
};

struct RunResult {
    std::string scenario;
    std::uint64_t seed = 0;
    std::vector<std::pair<std::string, std::string>> machine;
    std::vector<std::pair<std::string, std::string>> software;
    std::vector<NodeResult> nodes;
    Accuracy mean;                        ///< over all nodes, before any exit
    std::vector<AsideResult> held_aside;  ///< before any exit
    std::vector<ExitResult> exits;
    ExactnessResult exactness;
    TrafficResult traffic;
    std::vector<std::pair<std::string, double>>
        seconds;  ///< in the order in which the phases happen; "total" last

    /// What the survivor `name` became in the last exit that it saw; null for a leaver, or when nobody left.
    [[nodiscard]] const SurvivorResult* last_change_of(const std::string& name) const;

    /// Whether `name` has exited.
    [[nodiscard]] bool has_left(const std::string& name) const;

    /// The names of those who exited, in order.
    [[nodiscard]] std::vector<std::string> leavers() const;
};

/// Reads a parsed result.json. An error, one line, when it is not an object of schema 1.
[[nodiscard]] tl::expected<RunResult, std::string> read_result(const nlohmann::json& json);

}  // namespace unlearn::sim::report
