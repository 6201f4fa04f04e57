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

#include "sim/result.hpp"

namespace unlearn::sim::report {

// The result of a run, and its conversion to and from result.json (sim/run/results.md). A number that was not
// measured, or that a file lacks, is NaN. Pages show it as a dash; in the file it is null or absent.

/// The value of a number that was not measured.
inline constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

/// Accuracies from 0 to 1 of the main model alone and of the ensemble.
struct Scores {
    double main = kNotMeasured;
    double ensemble = kNotMeasured;

    [[nodiscard]] double gain() const { return ensemble - main; }
};

/// The accuracy of one node, or a mean over nodes, on two weightings of the test set.
struct Accuracy {
    Scores own;   ///< the test set weighted by the node's own classes; predicted under its own prior
    Scores full;  ///< the whole test set; predicted under the uniform prior
};

/// Returns the mean of each number. All are NaN when there are no accuracies.
[[nodiscard]] Accuracy mean_of(std::span<const Accuracy> accuracies);

/// A node, its models and data, and its accuracy before any exit.
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

/// The rho and the accuracy of one survivor before and after one exit.
struct SurvivorResult {
    std::string name;
    double rho_before = kNotMeasured;
    double rho_after = kNotMeasured;
    Accuracy before;
    Accuracy after;
};

/// The time from the command to leave until the holder's receipt was stored at the leaver.
struct HolderTime {
    std::string node;
    double ms = kNotMeasured;
};

/// A seed that arrived but is not used by its holder, because it would do harm.
struct AsideResult {
    std::string holder;
    std::string owner;
    std::string why;
};

/// One exit: its holders and receipts, the times to forget, and the accuracies before and after it.
struct ExitResult {
    std::string node;
    std::vector<std::string> holders;  ///< nodes that the leaver recorded as served
    std::uint64_t receipts = 0;
    std::vector<std::string> missing;                ///< holders whose receipt did not come in time
    std::map<std::string, std::string> why_missing;  ///< reason by holder, where one is known
    double p50_ms = kNotMeasured;
    double p99_ms = kNotMeasured;
    double max_ms = kNotMeasured;
    std::vector<HolderTime> per_holder;
    std::string certificate;  ///< its file name
    Accuracy before;          ///< means over the survivors
    Accuracy after;
    std::vector<SurvivorResult> survivors;
};

/// The comparison with a world in which the leavers never existed.
struct ExactnessResult {
    bool checked = false;
    std::optional<std::string> reason;  ///< why it was not checked, if no check was intended
    std::uint64_t nodes = 0;
    std::uint64_t predictions = 0;
    std::uint64_t differing = 0;
    bool bit_identical = false;
    std::vector<std::string> vacuous;
    double world_b_seconds = kNotMeasured;
    std::optional<std::string> violation;  ///< the rule that the run broke on purpose
};

/// The traffic of one kind of message.
struct MessageTraffic {
    std::string kind;
    std::optional<std::uint64_t> messages;  ///< absent for handshakes, which are not messages
    double bytes = kNotMeasured;
};

/// Sorts the kinds by their bytes, largest first.
void sort_by_bytes(std::vector<MessageTraffic>& kinds);

/// What all nodes together sent, in bytes on the wire.
struct TrafficResult {
    double bytes = kNotMeasured;
    double seed_bytes = kNotMeasured;
    double seed_transfer_bytes = kNotMeasured;
    double overhead = kNotMeasured;  ///< bytes of seed transfers over raw seed bytes, minus one
    double control_bytes = kNotMeasured;
    std::vector<MessageTraffic> by_kind;  ///< largest first
};

/// Returns the seconds by phase in the order in which the phases happen, with "total" last.
[[nodiscard]] std::vector<std::pair<std::string, double>> in_order(
    const std::map<std::string, double>& seconds);

/// The machine on which a run was made.
struct MachineResult {
    std::string cpu;
    std::uint64_t cores = 0;
};

/// Everything that a run measured.
struct RunResult {
    std::string scenario;
    std::uint64_t seed = 0;
    bool processes = false;  ///< whether every node was a separate process
    std::string transport;   ///< empty if unknown
    MachineResult machine;
    std::map<std::string, std::string> software;  ///< version by name
    std::vector<NodeResult> nodes;
    Accuracy mean;                        ///< over all nodes, before any exit
    std::vector<AsideResult> held_aside;  ///< before any exit
    std::vector<ExitResult> exits;
    ExactnessResult exactness;
    TrafficResult traffic;
    std::vector<std::pair<std::string, double>> seconds;  ///< by phase, sorted by `in_order`

    /// Returns the change of the survivor `name` in the last exit that it saw. Null for a leaver, and when no
    /// node left.
    [[nodiscard]] const SurvivorResult* last_change_of(const std::string& name) const;

    /// Returns whether `name` has exited.
    [[nodiscard]] bool has_left(const std::string& name) const;

    /// Returns the names of the nodes that exited, in order.
    [[nodiscard]] std::vector<std::string> leavers() const;

    /// Returns whether times are those of a simulated network.
    [[nodiscard]] bool in_virtual_time() const { return transport == "virtual"; }
};

/// Converts a result to the JSON of result.json, schema 1.
[[nodiscard]] nlohmann::json to_json(const RunResult& result);

/// Reads a parsed result.json. Returns an error of one line when it is not an object of schema 1.
[[nodiscard]] Result<RunResult> read_result(const nlohmann::json& json);

}  // namespace unlearn::sim::report
