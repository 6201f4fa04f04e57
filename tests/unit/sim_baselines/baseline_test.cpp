#include "sim/baselines/baseline.hpp"

#include <set>

#include <doctest/doctest.h>
#include <torch/torch.h>

#include "tests/unit/sim_baselines/small_world.hpp"

using namespace small_world;

namespace {

constexpr std::int64_t kRounds = 6;

/// Trained on the graph; the participant `changed` has other data.
std::unique_ptr<Baseline> trained_by(BaselineOrError (*make)(const BaselineSetup&, Team&),
                                     const topologies::Graph& graph, Team& team,
                                     const std::string& changed = "") {
    auto baseline = make({graph, participants(graph.names, changed), local_options(), kRounds, 1}, team);
    REQUIRE_MESSAGE(baseline, baseline.error().message);
    std::int64_t seen = 0;
    REQUIRE((*baseline)->train([&](const RoundReport& report) { seen = report.round; }));
    CHECK(seen == kRounds);
    return std::move(*baseline);
}

std::set<std::string> names_of(const Predictions& predictions) {
    std::set<std::string> names;
    for (const auto& [name, table] : predictions)
        names.insert(name);
    return names;
}

/// Nobody reaches twice the score, so that it ends after exactly so many rounds.
ForgettingOptions all_rounds() {
    ForgettingOptions options;
    options.share = 2.0;
    options.most_rounds = kRounds;
    options.rounds_a_check = kRounds;
    return options;
}

}  // namespace

TEST_CASE("every baseline trains, predicts for everybody, and forgets exactly in its first way") {
    Team team(2);
    const auto graph = *topologies::small_world(8, 4, 0.2, 3);
    const std::set<std::string> everybody(graph.names.begin(), graph.names.end());
    const auto test = evaluation();
    for (const auto& make : kBaselines) {
        const auto one = trained_by(make, graph, team);
        const auto other = trained_by(make, graph, team, "node-4");
        CAPTURE(one->name());
        const auto before = one->predict(test.test.inputs().rows());
        CHECK(names_of(before) == everybody);
        // The leaver's data is in what a survivor predicts.
        REQUIRE_FALSE(same_bits(before.at("node-1"), other->predict(test.test.inputs().rows()).at("node-1")));

        std::set<std::string> survivors = everybody;
        survivors.erase("node-4");
        REQUIRE(one->ways_to_forget().front() == "retrain");
        for (const auto& way : one->ways_to_forget()) {
            CAPTURE(way);
            const auto first = one->forget("node-4", way, all_rounds(), test);
            const auto second = other->forget("node-4", way, all_rounds(), test);
            REQUIRE_MESSAGE(first, first.error().message);
            REQUIRE_MESSAGE(second, second.error().message);
            CHECK(names_of(first->logits) == survivors);
            for (const auto& survivor : first->logits)
                CHECK(same_bits(survivor.second, second->logits.at(survivor.first)));
            CHECK(first->recovery.cost.rounds > 0);
        }
        CHECK(same_bits(one->predict(test.test.inputs().rows()).at("node-1"), before.at("node-1")));
        CHECK_FALSE(one->forget("nobody", "retrain", all_rounds(), test));
    }
}
