#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sim/result.hpp"
#include "topologies/graph.hpp"

/// Which nodes come and go while a network is studied.
namespace unlearn::sim::experiments {

/// One node that comes or goes.
struct ChurnEvent {
    enum class Kind {
        join,       ///< starts for the first time; until then it waits
        leave,      ///< stops with a Bye, as for a reboot; holders keep its seed until the lease ends
        exit,       ///< leaves for good with an exit notice; no event of this node may follow
        crash,      ///< stops without a Bye, as in a power cut; its disk may lose what was not synced
        come_back,  ///< starts again with what its disk has, after leave or crash
    };
    double at_seconds = 0.0;  ///< since the start of the study, when the seeds have spread
    Kind kind = Kind::join;
    std::string node;  ///< a name in the graph; for exits also "most-central" or "random"
    friend bool operator==(const ChurnEvent&, const ChurnEvent&) = default;
};

/// Returns "join", "leave", "exit", "crash" or "come-back".
[[nodiscard]] std::string_view to_text(ChurnEvent::Kind kind);
/// Parses what `to_text` returns. Returns nothing for any other text.
[[nodiscard]] std::optional<ChurnEvent::Kind> parse_churn_kind(std::string_view text);

/// Random churn: independent, memoryless events (Poisson processes).
struct ChurnRates {
    /// Events per hour: of the whole network, or, with `per_node`, of each node to which the event can
    /// happen.
    double joins = 0.0;
    double leaves = 0.0;
    double exits = 0.0;
    double crashes = 0.0;
    bool per_node = false;
    std::uint32_t joiners = 0;  ///< nodes that wait at the beginning, drawn at random; each joins once
    /// The mean times away, exponentially distributed. Without a value the node never comes back.
    std::optional<double> back_after_leave_seconds = 60.0;
    std::optional<double> back_after_crash_seconds;
    std::uint32_t keep = 2;  ///< at least this many nodes always stay up
};

/// A fixed schedule, a trace from a file, random rates, or any combination of them. The rates do not apply to
/// nodes that the schedule or the trace names.
struct ChurnSettings {
    std::vector<ChurnEvent> schedule;  ///< in any order
    std::filesystem::path trace;       ///< a file for load_trace; empty: no trace
    ChurnRates rates;
};

/// The events of one study.
struct ChurnPlan {
    std::set<std::string> waiting;   ///< nodes that have not joined at the beginning
    std::vector<ChurnEvent> events;  ///< by time
};

/// Reads a trace: CSV with the header "seconds,event,node" and one event per line, in any order. Empty lines
/// are skipped. @return an error of one line, "FILE:LINE: ...", when the file cannot be read or a line is not
/// an event.
[[nodiscard]] Result<std::vector<ChurnEvent>> load_trace(const std::filesystem::path& file);

/// Draws all events in the first `seconds` of a study of `graph`. Apart from reading the trace file this is a
/// pure function: everything random is drawn from the stream of `seed`. A scheduled node whose first event is
/// a join waits at the beginning. @return an error of one line that names the event, and the file and line of
/// a trace, when a node does not exist, a time is impossible, or the event cannot happen to the node at that
/// time: a node cannot come back without having been away, or do anything after its exit.
[[nodiscard]] Result<ChurnPlan> draw_churn(const ChurnSettings& settings, const topologies::Graph& graph,
                                           double seconds, std::uint64_t seed);

/// Returns the node that lies on most shortest paths, or the first of equal ones. `graph` must have at least
/// one node.
[[nodiscard]] topologies::NodeIndex most_central(const topologies::Graph& graph);

}  // namespace unlearn::sim::experiments
