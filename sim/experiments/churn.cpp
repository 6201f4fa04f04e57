#include "sim/experiments/churn.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fstream>
#include <map>
#include <utility>

#include "node/learning/data/random.hpp"
#include "topologies/measures.hpp"

namespace unlearn::sim::experiments {
namespace {

using Kind = ChurnEvent::Kind;

constexpr std::array<std::string_view, 5> kKinds{"join", "leave", "exit", "crash", "come-back"};
constexpr std::string_view kHeader = "seconds,event,node";
constexpr std::string_view kMostCentral = "most-central";
constexpr std::string_view kRandom = "random";
constexpr double kSecondsPerHour = 3600.0;

/// An event, and its source as errors name it.
struct Sourced {
    ChurnEvent event;
    std::string source;
};

using SourcedEvents = Result<std::vector<Sourced>>;

Result<ChurnEvent> parse_line(std::string_view line) {
    const auto first = line.find(',');
    const auto second = first == std::string_view::npos ? first : line.find(',', first + 1);
    if (second == std::string_view::npos || line.find(',', second + 1) != std::string_view::npos)
        return failed_with("three values were expected: " + std::string(kHeader));
    const auto seconds = line.substr(0, first);
    const auto kind = line.substr(first + 1, second - first - 1);
    ChurnEvent event;
    event.node = line.substr(second + 1);
    const auto [end, error] =
        std::from_chars(seconds.data(), seconds.data() + seconds.size(), event.at_seconds);
    if (error != std::errc{} || end != seconds.data() + seconds.size())
        return failed_with("seconds = \"" + std::string(seconds) + "\" is not a number");
    const auto parsed = parse_churn_kind(kind);
    if (!parsed)
        return failed_with("event = \"" + std::string(kind) +
                           "\"; allowed: \"join\", \"leave\", \"exit\", \"crash\", \"come-back\"");
    event.kind = *parsed;
    return event;
}

SourcedEvents read_trace(const std::filesystem::path& file) {
    std::ifstream in(file);
    if (!in) return failed_with(file.string() + ": cannot be read");
    std::vector<Sourced> events;
    std::string line;
    std::size_t number = 1;
    for (; std::getline(in, line); ++number) {
        if (!line.empty() && line.back() == '\r') line.pop_back();
        const std::string source = file.string() + ":" + std::to_string(number);
        if (number == 1) {
            if (line != kHeader) return failed_with(source + ": the header is not " + std::string(kHeader));
            continue;
        }
        if (line.empty()) continue;
        auto event = parse_line(line);
        if (!event) return failed_with(source + ": " + event.error().message);
        events.push_back({std::move(*event), source});
    }
    if (in.bad() || number == 1) return failed_with(file.string() + ": cannot be read, or empty");
    return events;
}

/// The state of a node at one time of a plan.
enum class State { waiting, up, away, gone };

/// The state that an event requires. `after` returns the state that follows it.
State needed(Kind kind) {
    switch (kind) {
        case Kind::join:
            return State::waiting;
        case Kind::come_back:
            return State::away;
        case Kind::leave:
        case Kind::exit:
        case Kind::crash:
            return State::up;
    }
    return State::up;
}

State after(Kind kind) {
    switch (kind) {
        case Kind::join:
        case Kind::come_back:
            return State::up;
        case Kind::leave:
        case Kind::crash:
            return State::away;
        case Kind::exit:
            return State::gone;
    }
    return State::gone;
}

std::string_view words(State state) {
    switch (state) {
        case State::waiting:
            return "has not joined yet";
        case State::up:
            return "is up";
        case State::away:
            return "is away";
        case State::gone:
            return "has left for ever";
    }
    return "";
}

bool by_time(const Sourced& a, const Sourced& b) {
    return a.event.at_seconds < b.event.at_seconds;
}

/// Replaces "most-central" and "random" by names of nodes.
Result<void> resolve(Sourced& sourced, const topologies::Graph& graph, learning::RandomStream& random) {
    ChurnEvent& event = sourced.event;
    const std::string what =
        sourced.source + ": " + std::string(to_text(event.kind)) + " of \"" + event.node + "\"";
    if (!std::isfinite(event.at_seconds) || event.at_seconds < 0.0)
        return failed_with(what + ": its time is not 0 or later");
    if (graph.index_of(event.node)) return {};
    const bool is_exit = event.kind == Kind::exit;
    if (is_exit && event.node == kMostCentral)
        event.node = graph.names[most_central(graph)];
    else if (is_exit && event.node == kRandom)
        event.node = graph.names[random.below(graph.size())];
    else
        return failed_with(what + ": there is no such node");
    return {};
}

SourcedEvents scheduled(const ChurnSettings& settings, const topologies::Graph& graph,
                        learning::RandomStream& random) {
    std::vector<Sourced> events;
    for (std::size_t i = 0; i < settings.schedule.size(); ++i)
        events.push_back({settings.schedule[i], "churn event " + std::to_string(i + 1)});
    if (!settings.trace.empty()) {
        auto trace = read_trace(settings.trace);
        if (!trace) return trace;
        std::move(trace->begin(), trace->end(), std::back_inserter(events));
    }
    for (auto& event : events)
        if (auto ok = resolve(event, graph, random); !ok) return failed_with(ok.error());
    std::stable_sort(events.begin(), events.end(), by_time);
    return events;
}

/// Checks that the events can happen in this order. Fills in the waiting nodes.
Result<void> check(const std::vector<Sourced>& events, ChurnPlan& plan) {
    std::map<std::string, State> states;
    for (const auto& [event, source] : events) {
        const bool first = !states.contains(event.node);
        State& state = states.try_emplace(event.node, State::up).first->second;
        if (first && event.kind == Kind::join) {
            state = State::waiting;
            plan.waiting.insert(event.node);
        }
        if (state != needed(event.kind))
            return failed_with(source + ": " + std::string(to_text(event.kind)) + " of \"" + event.node +
                               "\", which " + std::string(words(state)) + " then");
        state = after(event.kind);
    }
    return {};
}

/// Draws random churn event by event: the time to the next event is exponential in the sum of all rates
/// (Gillespie, 1976).
class RandomChurn {
  public:
    RandomChurn(const ChurnRates& rates, std::vector<std::string> nodes, learning::RandomStream random)
        : rates_(rates), nodes_(std::move(nodes)), states_(nodes_.size(), State::up), random_(random) {
        random_.shuffle(std::span(nodes_));
        const auto joiners = std::min<std::size_t>(rates.joiners, nodes_.size());
        std::fill_n(states_.begin(), joiners, State::waiting);
    }

    void draw(double seconds, ChurnPlan& plan) {
        for (std::size_t i = 0; i < nodes_.size(); ++i)
            if (states_[i] == State::waiting) plan.waiting.insert(nodes_[i]);
        double now = 0.0;
        for (;;) {
            const auto next = weights();
            const double sum = next[0] + next[1] + next[2] + next[3];
            double then = sum > 0.0 ? now + exponential(kSecondsPerHour / sum) : seconds;
            // The events are memoryless, so the time to the next one is drawn anew whenever the rates change.
            const bool back_first = !back_.empty() && back_.begin()->first <= then;
            if (back_first) then = back_.begin()->first;
            if (then >= seconds) return;
            now = then;
            if (back_first) {
                const std::size_t node = back_.begin()->second;
                back_.erase(back_.begin());
                happens(now, Kind::come_back, node, plan);
            } else {
                one_of(next, sum, now, plan);
            }
        }
    }

  private:
    static constexpr std::array kDrawn{Kind::join, Kind::leave, Kind::exit, Kind::crash};
    using Weights = std::array<double, kDrawn.size()>;

    [[nodiscard]] std::size_t count(State state) const {
        return static_cast<std::size_t>(std::count(states_.begin(), states_.end(), state));
    }
    [[nodiscard]] Weights weights() const {
        const std::size_t waiting = count(State::waiting);
        const std::size_t up = count(State::up);
        const bool may_go = up > rates_.keep;
        Weights weights{waiting > 0 ? rates_.joins : 0.0, may_go ? rates_.leaves : 0.0,
                        may_go ? rates_.exits : 0.0, may_go ? rates_.crashes : 0.0};
        if (!rates_.per_node) return weights;
        weights[0] *= static_cast<double>(waiting);
        for (std::size_t i = 1; i < weights.size(); ++i)
            weights[i] *= static_cast<double>(up);
        return weights;
    }
    void one_of(const Weights& weights, double sum, double now, ChurnPlan& plan) {
        double at = random_.uniform() * sum;
        std::size_t chosen = 0;
        // If rounding leads past the end, the last kind with a weight above 0 is taken.
        for (std::size_t i = 0; i < weights.size(); ++i) {
            if (weights[i] <= 0.0) continue;
            chosen = i;
            if ((at -= weights[i]) < 0.0) break;
        }
        const Kind kind = kDrawn[chosen];
        std::vector<std::size_t> able;
        for (std::size_t i = 0; i < states_.size(); ++i)
            if (states_[i] == needed(kind)) able.push_back(i);
        happens(now, kind, able[random_.below(able.size())], plan);
    }
    void happens(double now, Kind kind, std::size_t node, ChurnPlan& plan) {
        states_[node] = after(kind);
        plan.events.push_back({now, kind, nodes_[node]});
        if (kind != Kind::leave && kind != Kind::crash) return;
        const auto& mean =
            kind == Kind::leave ? rates_.back_after_leave_seconds : rates_.back_after_crash_seconds;
        if (mean) back_.emplace(now + exponential(*mean), node);
    }
    [[nodiscard]] double exponential(double mean) { return -std::log1p(-random_.uniform()) * mean; }

    const ChurnRates& rates_;
    std::vector<std::string> nodes_;
    std::vector<State> states_;
    learning::RandomStream random_;
    std::multimap<double, std::size_t> back_;  ///< the nodes that come back, by time
};

}  // namespace

std::string_view to_text(ChurnEvent::Kind kind) {
    return kKinds[static_cast<std::size_t>(kind)];
}

std::optional<ChurnEvent::Kind> parse_churn_kind(std::string_view text) {
    const auto found = std::find(kKinds.begin(), kKinds.end(), text);
    if (found == kKinds.end()) return std::nullopt;
    return static_cast<Kind>(found - kKinds.begin());
}

Result<std::vector<ChurnEvent>> load_trace(const std::filesystem::path& file) {
    auto sourced = read_trace(file);
    if (!sourced) return failed_with(sourced.error());
    std::vector<ChurnEvent> events;
    for (auto& one : *sourced)
        events.push_back(std::move(one.event));
    return events;
}

Result<ChurnPlan> draw_churn(const ChurnSettings& settings, const topologies::Graph& graph, double seconds,
                             std::uint64_t seed) {
    learning::RandomStream random(seed);
    const auto events = scheduled(settings, graph, random);
    if (!events) return failed_with(events.error());
    ChurnPlan plan;
    if (auto ok = check(*events, plan); !ok) return failed_with(ok.error());
    std::set<std::string> named;
    for (const auto& [event, source] : *events) {
        named.insert(event.node);
        if (event.at_seconds < seconds) plan.events.push_back(event);
    }
    std::vector<std::string> others;
    std::copy_if(graph.names.begin(), graph.names.end(), std::back_inserter(others),
                 [&](const std::string& name) { return !named.contains(name); });
    // Named nodes may be away, so they do not count for `keep`.
    RandomChurn(settings.rates, std::move(others), learning::RandomStream(random.next())).draw(seconds, plan);
    std::stable_sort(plan.events.begin(), plan.events.end(),
                     [](const ChurnEvent& a, const ChurnEvent& b) { return a.at_seconds < b.at_seconds; });
    return plan;
}

topologies::NodeIndex most_central(const topologies::Graph& graph) {
    const auto betweenness = topologies::betweenness_of(graph);
    return static_cast<topologies::NodeIndex>(std::max_element(betweenness.begin(), betweenness.end()) -
                                              betweenness.begin());
}

}  // namespace unlearn::sim::experiments
