#include "sim/experiments/churn.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include <doctest/doctest.h>
#include <unistd.h>

#include "topologies/generators.hpp"

using namespace unlearn::sim::experiments;
using unlearn::topologies::Graph;

namespace {

using Kind = ChurnEvent::Kind;

Graph star(std::uint32_t nodes) {
    return *unlearn::topologies::star(nodes);
}

std::string error_of(const ChurnSettings& settings) {
    const auto plan = draw_churn(settings, star(5), 100, 1);
    return plan ? "" : plan.error().message;
}

ChurnSettings schedule(std::vector<ChurnEvent> events) {
    ChurnSettings settings;
    settings.schedule = std::move(events);
    return settings;
}

class TraceFile {
  public:
    explicit TraceFile(const std::string& text)
        : path_(std::filesystem::temp_directory_path() /
                ("unlearn-trace-" + std::to_string(::getpid()) + ".csv")) {
        std::ofstream(path_) << text;
    }
    ~TraceFile() { std::filesystem::remove(path_); }
    TraceFile(const TraceFile&) = delete;
    TraceFile& operator=(const TraceFile&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

/// What load_trace says about the text, without the folder.
std::string complaint(const std::string& text) {
    const TraceFile file(text);
    const auto events = load_trace(file.path());
    if (events) return "";
    return events.error().message.substr(file.path().string().size());
}

ChurnSettings busy() {
    ChurnSettings settings;
    settings.rates.joins = 600;
    settings.rates.leaves = 600;
    settings.rates.exits = 300;
    settings.rates.crashes = 300;
    settings.rates.joiners = 20;
    settings.rates.back_after_leave_seconds = 20;
    settings.rates.back_after_crash_seconds = 20;
    return settings;
}

std::map<Kind, std::size_t> counts(const ChurnPlan& plan) {
    std::map<Kind, std::size_t> out;
    for (const auto& event : plan.events)
        ++out[event.kind];
    return out;
}

}  // namespace

TEST_CASE("a schedule is put in order, and who joins first waits") {
    const auto plan = draw_churn(schedule({{9, Kind::exit, "node-1"},
                                           {5, Kind::join, "node-1"},
                                           {1, Kind::crash, "node-2"},
                                           {2, Kind::come_back, "node-2"},
                                           {150, Kind::leave, "node-3"}}),
                                 star(5), 100, 1);
    REQUIRE(plan);
    CHECK(plan->waiting == std::set<std::string>{"node-1"});
    REQUIRE(plan->events.size() == 4);
    CHECK((plan->events[0] == ChurnEvent{1, Kind::crash, "node-2"}));
    CHECK((plan->events[3] == ChurnEvent{9, Kind::exit, "node-1"}));
}

TEST_CASE("the most central node is the middle of a star, and a random one is the seed's") {
    const auto central = draw_churn(schedule({{1, Kind::exit, "most-central"}}), star(5), 100, 1);
    REQUIRE(central);
    CHECK(central->events[0].node == "node-0");
    std::set<std::string> drawn;
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        const auto plan = draw_churn(schedule({{1, Kind::exit, "random"}}), star(5), 100, seed);
        REQUIRE(plan);
        drawn.insert(plan->events[0].node);
    }
    CHECK(drawn.size() == 5);
}

TEST_CASE("what cannot happen is refused with its reason") {
    CHECK(error_of(schedule({{1, Kind::exit, "node-9"}})) ==
          "churn event 1: exit of \"node-9\": there is no such node");
    CHECK(error_of(schedule({{1, Kind::leave, "most-central"}})) ==
          "churn event 1: leave of \"most-central\": there is no such node");
    CHECK(error_of(schedule({{-1, Kind::exit, "node-1"}})) ==
          "churn event 1: exit of \"node-1\": its time is not 0 or later");
    CHECK(error_of(schedule({{2, Kind::come_back, "node-1"}, {1, Kind::exit, "node-1"}})) ==
          "churn event 1: come-back of \"node-1\", which has left for ever then");
    CHECK(error_of(schedule({{1, Kind::leave, "node-1"}, {2, Kind::exit, "node-1"}})) ==
          "churn event 2: exit of \"node-1\", which is away then");
    CHECK(error_of(schedule({{1, Kind::crash, "node-1"}, {2, Kind::join, "node-1"}})) ==
          "churn event 2: join of \"node-1\", which is away then");
    CHECK(error_of(schedule({{1, Kind::come_back, "node-1"}})) ==
          "churn event 1: come-back of \"node-1\", which is up then");
}

TEST_CASE("a trace is read as it stands") {
    const TraceFile file("seconds,event,node\r\n3.5,leave,node-1\n\n1,crash,node-2\n7,come-back,node-1\n");
    const auto events = load_trace(file.path());
    REQUIRE(events);
    CHECK((*events == std::vector<ChurnEvent>{{3.5, Kind::leave, "node-1"},
                                              {1, Kind::crash, "node-2"},
                                              {7, Kind::come_back, "node-1"}}));
    ChurnSettings settings;
    settings.trace = file.path();
    const auto plan = draw_churn(settings, star(5), 100, 1);
    REQUIRE(plan);
    CHECK(plan->events.size() == 3);
    CHECK(plan->events[0].node == "node-2");
}

TEST_CASE("errors of a trace name file and line") {
    CHECK(complaint("") == ": cannot be read, or empty");
    CHECK(complaint("time,node\n") == ":1: the header is not seconds,event,node");
    CHECK(complaint("seconds,event,node\n1,exit\n") == ":2: three values were expected: seconds,event,node");
    CHECK(complaint("seconds,event,node\n1,exit,node-1,x\n") ==
          ":2: three values were expected: seconds,event,node");
    CHECK(complaint("seconds,event,node\n\n1s,exit,node-1\n") == ":3: seconds = \"1s\" is not a number");
    CHECK(complaint("seconds,event,node\n1,quit,node-1\n") ==
          ":2: event = \"quit\"; allowed: \"join\", \"leave\", \"exit\", \"crash\", \"come-back\"");
    ChurnSettings settings;
    settings.trace = "/nowhere/trace.csv";
    CHECK(error_of(settings) == "/nowhere/trace.csv: cannot be read");
    const TraceFile file("seconds,event,node\n1,exit,node-1\n2,come-back,node-1\n");
    settings.trace = file.path();
    CHECK(error_of(settings) ==
          file.path().string() + ":3: come-back of \"node-1\", which has left for ever then");
}

TEST_CASE("random comings and goings are those of their seed") {
    const auto graph = star(100);
    const auto first = draw_churn(busy(), graph, 600, 7);
    const auto again = draw_churn(busy(), graph, 600, 7);
    const auto other = draw_churn(busy(), graph, 600, 8);
    REQUIRE((first && again && other));
    CHECK((first->events == again->events));
    CHECK(first->waiting == again->waiting);
    CHECK((first->events != other->events));
    CHECK(first->waiting.size() == 20);
}

TEST_CASE("random comings and goings could happen in their order") {
    const auto graph = star(100);
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        const auto plan = draw_churn(busy(), graph, 600, seed);
        REQUIRE(plan);
        std::vector<ChurnEvent> all = plan->events;
        // A schedule is checked; those who wait for ever have no event.
        const auto checked = draw_churn(schedule(all), graph, 600, 1);
        CHECK_MESSAGE(checked, checked.error().message);
        CHECK((checked->events == plan->events));
        for (const auto& event : all)
            CHECK(event.at_seconds < 600);
    }
}

TEST_CASE("as much happens as the rates say") {
    const auto graph = star(2000);
    ChurnSettings settings;
    settings.rates.exits = 400;
    settings.rates.crashes = 200;
    const auto of_network = draw_churn(settings, graph, 3600, 3);
    REQUIRE(of_network);
    // Five standard deviations.
    CHECK(std::abs(static_cast<double>(counts(*of_network)[Kind::exit]) - 400) < 100);
    CHECK(std::abs(static_cast<double>(counts(*of_network)[Kind::crash]) - 200) < 71);
    CHECK(counts(*of_network)[Kind::come_back] == 0);
    settings.rates.exits = 0;
    settings.rates.crashes = 0.2;
    settings.rates.per_node = true;
    settings.rates.back_after_crash_seconds = 1;
    const auto of_nodes = draw_churn(settings, graph, 3600, 3);
    REQUIRE(of_nodes);
    CHECK(std::abs(static_cast<double>(counts(*of_nodes)[Kind::crash]) - 400) < 100);
    CHECK(counts(*of_nodes)[Kind::come_back] >= counts(*of_nodes)[Kind::crash] - 5);
}

TEST_CASE("some nodes always stay, and nodes of a schedule are left alone") {
    ChurnSettings settings = schedule({{1, Kind::leave, "node-0"}});
    settings.rates.exits = 1e6;
    settings.rates.keep = 3;
    const auto plan = draw_churn(settings, star(10), 3600, 1);
    REQUIRE(plan);
    CHECK(counts(*plan)[Kind::exit] == 6);
    CHECK(std::none_of(plan->events.begin(), plan->events.end(),
                       [](const auto& event) { return event.kind == Kind::exit && event.node == "node-0"; }));
}
