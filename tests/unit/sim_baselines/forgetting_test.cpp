#include "sim/baselines/forgetting.hpp"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include "node/learning/generator.hpp"
#include "tests/unit/sim_baselines/small_world.hpp"

using namespace small_world;

namespace {

/// Exactly that many rounds: nobody reaches twice the score.
ForgettingOptions rounds(std::int64_t count) {
    ForgettingOptions options;
    options.share = 2.0;
    options.most_rounds = count;
    options.rounds_a_check = count;
    return options;
}

const DecentralisedOptions kKeeping{local_options(), 10};

DecentralisedSgd trained(const topologies::Graph& graph, Team& team, const std::string& changed = "") {
    auto made = network(graph, team, kKeeping, changed);
    run(made, 10);
    return made;
}

template <typename T>
T must(unlearn::sim::Result<T> result) {
    REQUIRE_MESSAGE(result, result.error().message);
    return std::move(*result);
}

bool same_parts(const DecentralisedForgetting& a, const DecentralisedForgetting& b) {
    if (a.parts.size() != b.parts.size()) return false;
    for (std::size_t part = 0; part < a.parts.size(); ++part)
        for (std::size_t i = 0; i < a.parts[part].network.size(); ++i)
            if (!same_bits(a.parts[part].network.state(i).parameters,
                           b.parts[part].network.state(i).parameters))
                return false;
    return true;
}

}  // namespace

TEST_CASE(
    "full retraining gives the bits of a network that never had the leaver, whatever the leaver's data") {
    Team team(2);
    const auto graph = *topologies::small_world(10, 4, 0.3, 3);
    auto one = trained(graph, team);
    auto other = trained(graph, team, "node-4");
    REQUIRE_FALSE(same_bits(one.state(7).parameters, other.state(7).parameters));
    const auto first = must(retrain_without(one, "node-4", rounds(6), evaluation()));
    const auto second = must(retrain_without(other, "node-4", rounds(6), evaluation()));
    REQUIRE(first.parts.size() == 1);
    CHECK(same_parts(first, second));

    auto never = network(*graph.induced_subgraph_without("node-4"), team, kKeeping);
    run(never, 6);
    const auto& again = first.parts[0].network;
    REQUIRE(again.graph() == never.graph());
    for (std::size_t i = 0; i < never.size(); ++i) {
        CHECK(same_bits(again.state(i).parameters, never.state(i).parameters));
        CHECK_FALSE(same_bits(again.state(i).parameters, one.state(i < 4 ? i : i + 1).parameters));
    }
    CHECK(first.all.cost.rounds == 6);
    CHECK(first.all.cost.node_rounds == 54);
    CHECK_FALSE(first.all.reached);
}

TEST_CASE("retraining stops at the target and says what it took") {
    Team team(2);
    auto network = trained(*topologies::random_regular(10, 4, 1), team);
    std::vector<double> seen;
    ForgettingOptions options;
    options.progress = [&](std::int64_t, double score, double) { seen.push_back(score); };
    const auto again = must(retrain_without(network, "node-3", options, evaluation()));
    const Recovery& all = again.all;
    CHECK(all.reached);
    CHECK(all.score >= all.target);
    CHECK(all.target == doctest::Approx(0.99 * all.score_before));
    CHECK(all.score_restored < all.target);
    REQUIRE(seen.size() == static_cast<std::size_t>(all.cost.rounds) + 1);
    CHECK(seen[seen.size() - 2] < all.target);
    CHECK(all.cost.cpu_seconds > 0.0);
    CHECK(again.restored.node_rounds == 0);
}

TEST_CASE("an exit that tears the graph apart leaves parts that recover on their own") {
    Team team(2);
    auto line = trained(*topologies::line(7), team);
    const auto torn = must(retrain_without(line, "node-2", rounds(3), evaluation()));
    CHECK(torn.torn_apart());
    REQUIRE(torn.parts.size() == 2);
    CHECK(torn.parts[0].network.graph().names == std::vector<std::string>{"node-0", "node-1"});
    CHECK(torn.parts[1].network.size() == 4);
    CHECK(torn.parts[1].network.graph().edges == std::vector<topologies::Edge>{{0, 1}, {1, 2}, {2, 3}});
    CHECK(torn.all.cost.rounds == 3);
    CHECK(torn.all.cost.node_rounds == 18);
    // A part is what the whole torn graph gives.
    auto whole = network(*line.graph().induced_subgraph_without("node-2"), team, kKeeping);
    run(whole, 3);
    CHECK(same_bits(torn.parts[0].network.state(1).parameters, whole.state(1).parameters));
    CHECK(same_bits(torn.parts[1].network.state(2).parameters, whole.state(4).parameters));
}

TEST_CASE("a state is clean for one round less than there are hops to the leaver") {
    constexpr std::int64_t kEver = INT64_MAX;
    const auto graph =
        *topologies::make_graph(topologies::default_names(6), {{0, 1}, {1, 2}, {2, 3}, {4, 5}});
    CHECK(clean_rounds(graph, 0) == std::vector<std::int64_t>{0, 0, 1, 2, kEver, kEver});
    CHECK(clean_rounds(graph, 2) == std::vector<std::int64_t>{1, 0, 0, 0, kEver, kEver});
}

TEST_CASE("a roll-back restores the latest states without the leaver's data, and no later ones") {
    Team team(2);
    const auto line = *topologies::line(6);
    auto one = trained(line, team);
    auto other = trained(line, team, "node-0");
    const auto first = must(roll_back_without(one, "node-0", rounds(4), evaluation()));
    const auto second = must(roll_back_without(other, "node-0", rounds(4), evaluation()));
    CHECK(same_parts(first, second));
    CHECK(first.restored.node_rounds == 0 + 1 + 2 + 3 + 4);
    CHECK(first.restored.kept_bytes == one.kept_bytes());
    const auto& network = first.parts.at(0).network;
    for (std::size_t i = 0; i < 5; ++i)
        CHECK(network.state(i).rounds == static_cast<std::int64_t>(i) + 4);
    // One round more, and it would have been in them.
    for (std::size_t i = 1; i < 6; ++i) {
        const auto hops = static_cast<std::int64_t>(i);
        CHECK(same_bits(one.kept_state(i, hops - 1).parameters, other.kept_state(i, hops - 1).parameters));
        CHECK_FALSE(same_bits(one.kept_state(i, hops).parameters, other.kept_state(i, hops).parameters));
    }
    // Far nodes begin with something, and so all are better off than with fresh weights.
    const auto anew = must(retrain_without(one, "node-0", rounds(4), evaluation()));
    CHECK(first.all.score_restored > anew.all.score_restored);
    CHECK_FALSE(same_parts(first, anew));
}

TEST_CASE("a roll-back equals full retraining bit for bit where all survivors are the leaver's neighbours") {
    Team team(2);
    struct Case {
        topologies::Graph graph;
        std::string leaver;
    };
    for (const auto& [graph, leaver] :
         {Case{*topologies::full(6), "node-2"}, Case{*topologies::star(6), "node-0"},
          Case{*topologies::wheel(6), "node-0"}}) {
        auto network = trained(graph, team);
        const auto back = must(roll_back_without(network, leaver, rounds(3), evaluation()));
        CHECK(back.restored.node_rounds == 0);
        CHECK(same_parts(back, must(retrain_without(network, leaver, rounds(3), evaluation()))));
    }
}

TEST_CASE("a part of the graph that the leaver never reached keeps what it has") {
    Team team(2);
    const auto graph = *topologies::make_graph(topologies::default_names(5), {{0, 1}, {2, 3}, {3, 4}});
    auto network = trained(graph, team);
    auto options = rounds(5);
    options.share = 1.0;
    const auto back = must(roll_back_without(network, "node-0", options, evaluation()));
    REQUIRE(back.parts.size() == 2);
    CHECK(back.parts[1].recovery.reached);
    CHECK(back.parts[1].recovery.cost.rounds == 0);
    CHECK(back.restored.node_rounds == 30);
    for (std::size_t i = 0; i < 3; ++i)
        CHECK(same_bits(back.parts[1].network.state(i).parameters, network.state(i + 2).parameters));
    // Which is what training it again for as long would give.
    const auto again = must(retrain_without(network, "node-0", rounds(10), evaluation()));
    CHECK(same_bits(back.parts[1].network.state(1).parameters, again.parts[1].network.state(1).parameters));
}

TEST_CASE("FedAvg rolls back to before the leaver first took part") {
    Team team(2);
    const FederatedOptions options{local_options(), 0.2, 20};
    auto one = server(10, team, options);
    run(one, 20);
    std::string late;
    for (const Participant& client : one.clients())
        if (const auto clean = clean_rounds(one, client.name); clean >= 2 && clean < 20) late = client.name;
    REQUIRE_FALSE(late.empty());
    const std::int64_t clean = clean_rounds(one, late);
    auto other = server(10, team, options, late);
    run(other, 20);
    CHECK_FALSE(same_bits(one.state().parameters, other.state().parameters));
    const auto back = must(roll_back_without(one, late, rounds(4), evaluation()));
    const auto elsewhere = must(roll_back_without(other, late, rounds(4), evaluation()));
    CHECK(same_bits(back.network.state().parameters, elsewhere.network.state().parameters));
    CHECK(back.restored.node_rounds == 2 * clean);
    CHECK(back.network.state().rounds == clean + 4);
    // Two of ten and two of nine clients take part: the choices are the same where the leaver is in neither.
    const auto again = must(retrain_without(one, late, rounds(clean + 4), evaluation()));
    CHECK(same_bits(back.network.state().parameters, again.network.state().parameters));
    CHECK(again.recovery.cost.rounds == clean + 4);

    auto everybody = server(5, team, {local_options(), 1.0, 20});
    run(everybody, 5);
    CHECK(clean_rounds(everybody, "node-1") == 0);
    CHECK(same_bits(
        must(roll_back_without(everybody, "node-1", rounds(3), evaluation())).network.state().parameters,
        must(retrain_without(everybody, "node-1", rounds(3), evaluation())).network.state().parameters));
}

TEST_CASE("forgetting somebody who is not there, or the last one, is refused") {
    Team team(1);
    auto pair = network(*topologies::line(2), team, kKeeping);
    CHECK_FALSE(retrain_without(pair, "nobody", rounds(1), evaluation()));
    CHECK_FALSE(roll_back_without(pair, "nobody", rounds(1), evaluation()));
    auto hermit = network(*topologies::make_graph({"hermit"}, {}), team, kKeeping);
    CHECK_FALSE(retrain_without(hermit, "hermit", rounds(1), evaluation()));
    auto one = server(1, team, {local_options(), 1.0, 0});
    CHECK_FALSE(retrain_without(one, "node-0", rounds(1), evaluation()));
    CHECK_FALSE(roll_back_without(one, "nobody", rounds(1), evaluation()));
}

TEST_CASE("the distance between two tables of probabilities") {
    const auto a = torch::tensor({{1.0, 0.0}, {0.6, 0.4}, {0.2, 0.8}});
    const auto b = torch::tensor({{1.0, 0.0}, {0.3, 0.7}, {0.0, 1.0}});
    const auto apart = distance_between(a, b);
    CHECK(apart.total_variation == doctest::Approx((0.0 + 0.3 + 0.2) / 3.0));
    CHECK(apart.disagreement == doctest::Approx(1.0 / 3.0));
    CHECK(distance_between(a, a).total_variation == 0.0);
    CHECK(distance_between(a, a).disagreement == 0.0);
}
