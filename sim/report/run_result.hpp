#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>
#include <tl/expected.hpp>

namespace unlearn::sim::report {

// The result of a run, and result.json (sim/run/results.md) in both directions. A number that was not
// measured, or that a file does not have, is NaN: pages show a dash there, and the file has null or nothing.

inline constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

/// Parts of one: of the main model alone and of the ensemble.
struct Scores {
    double main = kNotMeasured;
    double ensemble = kNotMeasured;

    [[nodiscard]] double gain() const { return ensemble - main; }
};

struct Accuracy {
    Scores
        own;  ///< the test set weighted by the node's own distribution of classes; asked under its own prior
    Scores full;  ///< the whole test set; asked under the uniform prior
};

/// The mean of each number; all NaN when there are none.
[[nodiscard]] Accuracy mean_of(std::span<const Accuracy> accuracies);

struct NodeResult {
    std::string name;
    std::string id;
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

/// How long after the command to leave the holder's receipt was stored at the leaver.
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
    std::vector<std::string> holders;  ///< on record as having been served
    std::uint64_t receipts = 0;
    std::vector<std::string> missing;                ///< holders without a receipt in time
    std::map<std::string, std::string> why_missing;  ///< by holder, where anything is known
    double p50_ms = kNotMeasured;
    double p99_ms = kNotMeasured;
    double max_ms = kNotMeasured;
    std::vector<HolderTime> per_holder;
    std::string certificate;  ///< its file
    Accuracy before;          ///< means over the survivors
    Accuracy after;
    std::vector<SurvivorResult> survivors;
};

/// The comparison with a world in which the leavers never existed.
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

/// All messages of one kind.
struct MessageTraffic {
    std::string kind;
    std::optional<std::uint64_t> messages;  ///< absent for the handshakes, which are no messages
    double bytes = kNotMeasured;
};

/// Most bytes first.
void sort_by_bytes(std::vector<MessageTraffic>& kinds);

/// What all nodes together sent, in bytes on the wire.
struct TrafficResult {
    double bytes = kNotMeasured;
    double seed_bytes = kNotMeasured;
    double seed_transfer_bytes = kNotMeasured;
    double overhead = kNotMeasured;  ///< of seed transfers over raw seed bytes, as a part of one
    double control_bytes = kNotMeasured;
    std::vector<MessageTraffic> by_kind;  ///< most bytes first
};

/// Seconds by phase, in the order in which the phases happen; "total" last.
[[nodiscard]] std::vector<std::pair<std::string, double>> in_order(
    const std::map<std::string, double>& seconds);

struct MachineResult {
    std::string cpu;
    std::uint64_t cores = 0;
};

struct RunResult {
    std::string scenario;
    std::uint64_t seed = 0;
    bool processes = false;  ///< every node was a process of its own
    std::string transport;   ///< empty: not known
    MachineResult machine;
    std::map<std::string, std::string> software;  ///< versions
    std::vector<NodeResult> nodes;
    Accuracy mean;                        ///< over all nodes, before any exit
    std::vector<AsideResult> held_aside;  ///< before any exit
    std::vector<ExitResult> exits;
    ExactnessResult exactness;
    TrafficResult traffic;
    std::vector<std::pair<std::string, double>> seconds;  ///< by phase; `in_order`

    /// What the survivor `name` became in the last exit that it saw; null for a leaver, or when nobody left.
    [[nodiscard]] const SurvivorResult* last_change_of(const std::string& name) const;

    /// Whether `name` has exited.
    [[nodiscard]] bool has_left(const std::string& name) const;

    /// The names of those who exited, in order.
    [[nodiscard]] std::vector<std::string> leavers() const;

    /// Whether times are those of a simulated network.
    [[nodiscard]] bool in_virtual_time() const { return transport == "virtual"; }
};

/// result.json, schema 1.
[[nodiscard]] nlohmann::json to_json(const RunResult& result);

/// Reads a parsed result.json. An error, one line, when it is not an object of schema 1.
[[nodiscard]] tl::expected<RunResult, std::string> read_result(const nlohmann::json& json);

}  // namespace unlearn::sim::report
