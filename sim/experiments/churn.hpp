#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "topologies/graph.hpp"

/// Who comes and goes while a network is studied.
namespace unlearn::sim::experiments {

/// One node comes or goes.
struct ChurnEvent {
    enum class Kind {
        join,       ///< starts for the first time; it waited until then
        leave,      ///< says Bye, as for a reboot: its seed stays with its holders until the lease ends
        exit,       ///< for ever, with an exit notice; nothing can happen to the node afterwards
        crash,      ///< the power fails: no word, and what its disk had not synced may be lost
        come_back,  ///< starts again, with what its disk has, after leave or crash
    };
    double at_seconds = 0.0;  ///< of the study, which begins when the seeds have spread
    Kind kind = Kind::join;
    std::string node;  ///< a name in the graph; for exits also "most-central" or "random"
    friend bool operator==(const ChurnEvent&, const ChurnEvent&) = default;
};

/// "join", "leave", "exit", "crash", "come-back".
[[nodiscard]] std::string_view to_text(ChurnEvent::Kind kind);
[[nodiscard]] std::optional<ChurnEvent::Kind> parse_churn_kind(std::string_view text);

/// Comings and goings at random: independent, memoryless events (Poisson processes).
struct ChurnRates {
    // Events an hour: of the whole network, or, with `per_node`, of each node to which it can happen.
    double joins = 0.0;
    double leaves = 0.0;
    double exits = 0.0;
    double crashes = 0.0;
    bool per_node = false;
    std::uint32_t joiners = 0;  ///< nodes that wait at the beginning, drawn at random; each joins once
    /// Mean times away, exponentially distributed; nothing: for ever.
    std::optional<double> back_after_leave_seconds = 60.0;
    std::optional<double> back_after_crash_seconds;
    std::uint32_t keep = 2;  ///< so many nodes stay up whatever happens
};

/// A fixed schedule, a trace from a file, random rates, or any of them together: nodes that a schedule or
/// trace names are left alone by the rates.
struct ChurnSettings {
    std::vector<ChurnEvent> schedule;  ///< in any order
    std::filesystem::path trace;       ///< see load_trace; empty: none
    ChurnRates rates;
};

/// What happens in one study.
struct ChurnPlan {
    std::set<std::string> waiting;   ///< nodes that are not there at the beginning
    std::vector<ChurnEvent> events;  ///< by time
};

/// Reads a trace: CSV with the header "seconds,event,node" and one event a line, in any order; empty lines
/// are passed over. @return one line, "FILE:LINE: ...", when it cannot be read or a line is none.
[[nodiscard]] tl::expected<std::vector<ChurnEvent>, std::string> load_trace(
    const std::filesystem::path& file);

/// All that happens in the first `seconds` of a study of `graph`. A pure function, but for the trace file
/// that it reads: everything random is drawn from the stream of `seed`. A scheduled node whose first event is
/// a join waits at the beginning. @return one line that names the event, and a trace's file and line, when a
/// node does not exist, a time is impossible, or nothing of the kind can happen to the node then: one cannot
/// come back without having been away, or do anything after its exit.
[[nodiscard]] tl::expected<ChurnPlan, std::string> draw_churn(const ChurnSettings& settings,
                                                              const topologies::Graph& graph, double seconds,
                                                              std::uint64_t seed);

/// The node that lies on most shortest paths (the first of equal ones); `graph` has at least one.
[[nodiscard]] topologies::NodeIndex most_central(const topologies::Graph& graph);

}  // namespace unlearn::sim::experiments
