#include "sim/experiments/network_study.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "node/learning/ensemble/member.hpp"
#include "sim/experiments/network_watch.hpp"
#include "sim/run/learn.hpp"
#include "topologies/generators.hpp"

using namespace unlearn;
using namespace unlearn::sim::experiments;
using namespace unlearn::sim::report;
using namespace unlearn::sim::scenario;
using namespace std::chrono_literals;

namespace {

using Kind = ChurnEvent::Kind;
using Labels = std::map<std::string, Label>;

Scenario scenario(topologies::Graph graph) {
    Scenario scenario;
    scenario.file = "network-study-test.toml";
    scenario.name = "network-study-test";
    scenario.seed = 5;
    scenario.graph = std::move(graph);
    scenario.data.reference = 300;
    scenario.data.images_per_node = 120;
    scenario.data.test_limit = 200;
    scenario.data.validation = 0.2;
    scenario.models.main = {"linear", "mlp:16"};
    scenario.models.seed = {"mlp:8", "linear"};
    scenario.training.epochs = 3;
    scenario.distillation.epochs = 3;
    return scenario;
}

Scenario torus(std::uint32_t nodes) {
    return scenario(*topologies::torus(nodes));
}

NetworkStudySettings without_learning() {
    NetworkStudySettings settings;
    settings.learning = false;
    settings.seed_bytes = 3000;
    settings.duration_seconds = 20;
    settings.sample_every_seconds = 5;
    return settings;
}

std::vector<Row> run(const Scenario& scenario, const NetworkStudySettings& settings,
                     std::shared_ptr<const LearntNetwork> learnt = nullptr) {
    std::FILE* nowhere = std::fopen("/dev/null", "w");
    std::vector<Row> rows;
    {
        Progress progress(nowhere);
        auto made = run_network_study(scenario, settings, progress, std::move(learnt));
        REQUIRE_MESSAGE(made, made.error().message);
        rows = std::move(*made);
    }
    std::fclose(nowhere);
    return rows;
}

/// What has all of these labels, and perhaps more.
std::vector<double> values(const std::vector<Row>& rows, const std::string& metric,
                           const Labels& labels = {}) {
    std::vector<double> out;
    for (const auto& row : rows) {
        const bool fits = std::all_of(labels.begin(), labels.end(), [&](const auto& label) {
            const auto found = row.labels.find(label.first);
            return found != row.labels.end() && found->second == label.second;
        });
        if (row.metric == metric && fits) out.push_back(row.value);
    }
    return out;
}

double only(const std::vector<Row>& rows, const std::string& metric, const Labels& labels = {}) {
    const auto found = values(rows, metric, labels);
    REQUIRE_MESSAGE(found.size() == 1, metric);
    return found.front();
}

double copies(const std::vector<Row>& rows, double milliseconds, const std::string& state) {
    return only(rows, "residual_copies", {{"time_ms", milliseconds}, {"state", state}});
}

std::string text(const std::vector<Row>& rows) {
    std::string out;
    for (const auto& row : rows) {
        out += row.metric + " " + to_text(Label{row.value});
        for (const auto& [name, value] : row.labels)
            out += " " + name + "=" + to_text(value);
        out += "\n";
    }
    return out;
}

/// Learnt once for all tests that look at accuracies.
std::shared_ptr<const LearntNetwork> learnt_torus() {
    static const auto learnt = [] {
        std::FILE* nowhere = std::fopen("/dev/null", "w");
        Progress progress(nowhere);
        auto made = LearntNetwork::learn(torus(9), progress);
        REQUIRE_MESSAGE(made, made.error().message);
        return *made;
    }();
    return learnt;
}

}  // namespace

TEST_CASE("an exit reaches every node, and first those that are near") {
    auto settings = without_learning();
    settings.exit_node = "node-0";
    const auto rows = run(torus(36), settings);
    CHECK(only(rows, "unspread") == 0);
    CHECK(only(rows, "holders") == 4);
    CHECK(only(rows, "recipients") == 4);
    CHECK(only(rows, "receipts") == 4);
    CHECK(only(rows, "missing") == 0);
    CHECK(only(rows, "untold") == 0);
    CHECK(values(rows, "time_to_learn_ms").size() == 35);
    CHECK(values(rows, "time_to_forget_ms").size() == 4);
    CHECK(values(rows, "time_to_forget_ms", {{"distance", 1.0}}).size() == 4);
    const auto near = values(rows, "time_to_learn_ms", {{"distance", 1.0}});
    const auto far = values(rows, "time_to_learn_ms", {{"distance", 4.0}});
    REQUIRE(near.size() == 4);
    REQUIRE(!far.empty());
    CHECK(*std::max_element(near.begin(), near.end()) < *std::min_element(far.begin(), far.end()));
    // Everything but the command takes a message's way at least.
    CHECK(*std::min_element(near.begin(), near.end()) >= 15);
    CHECK(only(rows, "time_to_forget_ms_max") <= only(rows, "time_to_erase_ms_max"));
    CHECK(only(rows, "time_to_erase_ms_max") < only(rows, "time_to_receipt_ms_max"));
    CHECK(only(rows, "resurrections") == 0);
    CHECK(only(rows, "blocked_nodes_most") == 0);
    CHECK(only(rows, "churn_events", {{"kind", std::string("exit")}}) == 1);
}

TEST_CASE("copies vanish when the holders have forgotten, from use first") {
    auto settings = without_learning();
    settings.exit_node = "node-0";
    const auto rows = run(torus(9), settings);
    CHECK(copies(rows, 0, "used") == 4);
    CHECK(copies(rows, 0, "held") == 4);
    CHECK(copies(rows, 10, "used") == 4);
    CHECK(copies(rows, 200, "used") == 0);
    CHECK(copies(rows, 1000, "held") == 0);
    for (const int at : {0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000})
        CHECK(copies(rows, at, "used") <= copies(rows, at, "held"));
}

TEST_CASE("the most central node is the middle of a star, whose exit everybody hears at once") {
    auto settings = without_learning();
    settings.exit_node = "most-central";
    const auto rows = run(scenario(*topologies::star(8)), settings);
    CHECK(only(rows, "holders", {{"leaver", std::string("node-0")}, {"degree", 7.0}, {"betweenness", 1.0}}) ==
          7);
    CHECK(only(rows, "receipts") == 7);
}

TEST_CASE("the same seed gives the same rows, another one others") {
    auto settings = without_learning();
    settings.churn.rates.exits = 360;
    settings.churn.rates.crashes = 360;
    settings.churn.rates.back_after_crash_seconds = 5;
    settings.link.loss = 0.1;
    const auto first = text(run(torus(16), settings));
    CHECK(first == text(run(torus(16), settings)));
    auto other = torus(16);
    other.seed = 6;
    CHECK(first != text(run(other, settings)));
}

TEST_CASE("lost messages delay an exit, and resurrect nothing") {
    auto settings = without_learning();
    settings.exit_node = "node-0";
    settings.duration_seconds = 60;
    // Twelve holders: it would be a wonder if all of their notices and receipts arrived at once.
    const auto everybody = scenario(*topologies::full(13));
    const auto clean = run(everybody, settings);
    settings.link.loss = 0.2;
    const auto lossy = run(everybody, settings);
    CHECK(only(lossy, "time_to_forget_ms_max") != only(clean, "time_to_forget_ms_max"));
    CHECK(only(lossy, "time_to_receipt_ms_max") > 2 * only(clean, "time_to_receipt_ms_max"));
    CHECK(only(lossy, "untold") == 0);
    CHECK(only(lossy, "receipts") == only(lossy, "recipients"));
    CHECK(only(lossy, "resurrections") == 0);
    CHECK(only(lossy, "blocked_nodes_most") == 0);
}

TEST_CASE("packets that are sent again delay an exit less") {
    auto settings = without_learning();
    settings.exit_node = "node-0";
    settings.link.loss = 0.2;
    settings.link.lost = LinkSettings::Lost::packet;
    const auto rows = run(torus(16), settings);
    CHECK(only(rows, "receipts") == only(rows, "recipients"));
    CHECK(only(rows, "untold") == 0);
    CHECK(only(rows, "time_to_learn_ms_max") < 5000);
}

TEST_CASE("a network that loses everything blocks its nodes") {
    auto settings = without_learning();
    settings.link.loss = 1.0;
    settings.spread_limit_seconds = 5;
    settings.patience_seconds = 10;
    const auto rows = run(torus(9), settings);
    CHECK(only(rows, "unspread") == 36);
    CHECK(only(rows, "blocked_nodes_most") == 9);
}

TEST_CASE("a crash blocks nobody, whether the node comes back or not") {
    auto settings = without_learning();
    settings.patience_seconds = 15;
    settings.duration_seconds = 60;
    settings.churn.schedule = {{1, Kind::crash, "node-0"},      {2, Kind::crash, "node-1"},
                               {10, Kind::come_back, "node-1"}, {3, Kind::leave, "node-2"},
                               {12, Kind::come_back, "node-2"}, {5, Kind::join, "node-3"}};
    const auto rows = run(torus(9), settings);
    CHECK(only(rows, "blocked_nodes_most") == 0);
    CHECK(only(rows, "nodes_up", {{"time_s", 0.0}}) == 8);
    CHECK(only(rows, "nodes_up", {{"time_s", 5.0}}) >= 5);
    CHECK(only(rows, "nodes_up", {{"time_s", 60.0}}) == 8);
    // node-0's seed stays with its holders: 8 nodes have 4 seeds each, but for node-3, which came too late.
    CHECK(only(rows, "seeds_in_use", {{"time_s", 60.0}}) == 31.0 / 8);
}

TEST_CASE("an exit whose holder has crashed ends when its owner gives up") {
    auto settings = without_learning();
    settings.churn.schedule = {{1, Kind::crash, "node-1"}, {5, Kind::exit, "node-0"}};
    settings.give_up_seconds = 10;
    const auto rows = run(torus(9), settings);
    CHECK(only(rows, "recipients") == 4);
    CHECK(only(rows, "receipts") == 3);
    CHECK(only(rows, "missing") == 1);
    CHECK(only(rows, "holders") == 3);
    CHECK(only(rows, "untold") == 0);
}

TEST_CASE("nodes that nobody could tell are cut off, others untold") {
    auto settings = without_learning();
    settings.churn.schedule = {{1, Kind::crash, "node-1"}, {5, Kind::exit, "node-0"}};
    auto rows = run(scenario(*topologies::line(4)), settings);
    CHECK(only(rows, "cut_off") == 2);
    CHECK(only(rows, "untold") == 0);
    CHECK(values(rows, "time_to_learn_ms").empty());
    settings.churn.schedule = {{19.97, Kind::exit, "node-0"}};
    rows = run(scenario(*topologies::line(4)), settings);
    CHECK(only(rows, "cut_off") == 0);
    CHECK(only(rows, "untold") >= 2);
}

TEST_CASE("who was away during an exit forgets when it comes back") {
    auto settings = without_learning();
    settings.duration_seconds = 30;
    settings.churn.schedule = {
        {1, Kind::crash, "node-1"}, {5, Kind::exit, "node-0"}, {12, Kind::come_back, "node-1"}};
    const auto rows = run(torus(9), settings);
    CHECK(only(rows, "receipts") == 4);
    CHECK(copies(rows, 20000, "held") == 0);
    CHECK(only(rows, "resurrections") == 0);
}

TEST_CASE("a seed in use whose owner is known to have left is a resurrection") {
    const auto id = [](std::uint8_t number) {
        std::array<std::uint8_t, 32> seed{};
        seed[0] = number;
        return protocol::Identity::from_seed(seed).id();
    };
    const std::vector exited{id(1), id(2), id(3)};
    const auto found =
        resurrected(exited, [&](const auto& owner) { return owner == id(2) || owner == id(9); });
    CHECK((found == std::vector{id(2)}));
    CHECK(resurrected({}, [](const auto&) { return true; }).empty());
}

TEST_CASE("settings that make no sense are refused") {
    std::FILE* nowhere = std::fopen("/dev/null", "w");
    Progress progress(nowhere);
    auto settings = without_learning();
    settings.exit_node = "nobody";
    auto rows = run_network_study(torus(9), settings, progress);
    REQUIRE(!rows);
    CHECK(rows.error().message == "churn event 1: exit of \"nobody\": there is no such node");
    settings.exit_node.reset();
    settings.link.loss = 1.5;
    rows = run_network_study(torus(9), settings, progress);
    REQUIRE(!rows);
    CHECK(rows.error().message == "network study: loss is not between 0 and 1");
}

TEST_CASE("answers from logits that were looked up are those of the production ensemble, bit for bit") {
    const auto learnt = learnt_torus();
    const auto torus_scenario = torus(9);
    for (const auto aggregation : {learning::Aggregation::known_classes, learning::Aggregation::hdus}) {
        auto settings = torus_scenario.ensemble;
        settings.aggregation = aggregation;
        learning::EnsembleHolder holder(learnt->nodes()[0].own, settings);
        for (const std::size_t owner : {1U, 2U, 3U, 6U}) {
            const auto& node = learnt->nodes()[owner];
            auto member = learning::Member::from_payload(node.id.bytes(), 1, node.seed_architecture,
                                                         node.seed_payload, *learnt->nodes()[0].own);
            REQUIRE(member);
            holder.install(std::move(*member));
        }
        const auto snapshot = holder.snapshot();
        const auto answers = learnt->answers(0, *snapshot);
        const auto own = snapshot->predict(learnt->test().inputs(), learning::Prior::own);
        const auto uniform = snapshot->predict(learnt->test().inputs(), learning::Prior::uniform);
        REQUIRE((own && uniform));
        CHECK(answers.own_prior == learning::to_vector(own->probabilities));
        CHECK(answers.uniform_prior == learning::to_vector(uniform->probabilities));
    }
}

TEST_CASE("accuracies are those of the seeds in use") {
    auto settings = without_learning();
    settings.learning = true;
    settings.exit_node = "node-0";
    settings.exit_at_seconds = 7;
    const auto rows = run(torus(9), settings, learnt_torus());
    const Labels full_ensemble{{"scope", std::string("full")}, {"method", std::string("ensemble")}};
    const Labels full_main{{"scope", std::string("full")}, {"method", std::string("main")}};
    CHECK(values(rows, "accuracy", full_ensemble).size() == 5);
    CHECK(values(rows, "node_accuracy", full_ensemble).size() == 9);
    auto at = [](Labels labels, double seconds) {
        labels.emplace("time_s", seconds);
        return labels;
    };
    // Two classes are missing at each node: its neighbours' seeds help.
    CHECK(only(rows, "accuracy", at(full_ensemble, 5)) > only(rows, "accuracy", at(full_main, 5)) + 0.01);
    CHECK(only(rows, "accuracy", at(full_ensemble, 0)) == only(rows, "accuracy", at(full_ensemble, 5)));
    CHECK(only(rows, "accuracy", at(full_ensemble, 10)) != only(rows, "accuracy", at(full_ensemble, 5)));
    double sum = 0;
    for (const double one : values(rows, "node_accuracy", full_ensemble))
        sum += one;
    CHECK(std::abs(sum / 9 - only(rows, "accuracy", at(full_ensemble, 0))) < 1e-9);
    CHECK(std::abs(only(rows, "accuracy_lost", {{"scope", std::string("full")}})) < 0.2);
    CHECK(values(rows, "accuracy_lost").size() == 2);
    CHECK(only(rows, "blocked_nodes_most") == 0);
    CHECK(only(rows, "resurrections") == 0);
    CHECK(text(rows) == text(run(torus(9), settings, learnt_torus())));
}
