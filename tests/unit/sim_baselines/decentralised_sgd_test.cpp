#include <numeric>

#include <doctest/doctest.h>
#include <torch/torch.h>

#include "node/learning/accuracy.hpp"
#include "node/learning/data/random.hpp"
#include "node/learning/generator.hpp"
#include "sim/baselines/central.hpp"
#include "tests/unit/sim_baselines/small_world.hpp"

using namespace small_world;

namespace {

double mean_score(DecentralisedSgd& network) {
    const auto scores = *network.scores(evaluation());
    return std::accumulate(scores.begin(), scores.end(), 0.0) / static_cast<double>(scores.size());
}

/// Stochastic gradient descent as any book has it, by autograd and torch::optim, for one participant.
at::Tensor by_the_book(const Participant& alone, const LocalOptions& options, std::int64_t rounds) {
    const ModelKind kind = model_kind({alone}, options);
    const auto model = learning::make_model(
        kind.architecture, kind.shape, kind.classes,
        learning::make_generator(learning::stream_seed(7, "", "baseline-initial-weights")));
    for (at::Tensor parameter : model->parameters())
        parameter.requires_grad_(true);
    torch::optim::SGD sgd(model->parameters(),
                          torch::optim::SGDOptions(options.learning_rate).momentum(options.momentum));
    for (std::int64_t round = 1; round <= rounds; ++round) {
        learning::RandomStream random(
            learning::stream_seed(7, alone.name, "baseline-order of round " + std::to_string(round)));
        for (std::int64_t epoch = 0; epoch < options.epochs; ++epoch) {
            auto order = alone.rows;
            random.shuffle(std::span(order));
            for (const auto& rows :
                 torch::tensor(std::vector<std::int64_t>(order.begin(), order.end())).split(options.batch)) {
                sgd.zero_grad();
                at::cross_entropy_loss(model->forward(alone.data.inputs().index_select(rows)),
                                       alone.data.labels().index_select(0, rows))
                    .backward();
                sgd.step();
            }
        }
    }
    std::vector<at::Tensor> all;
    for (at::Tensor parameter : model->parameters()) {
        parameter.requires_grad_(false);
        all.push_back(parameter.flatten());
    }
    return at::cat(all);
}

}  // namespace

TEST_CASE("without neighbours D-PSGD is stochastic gradient descent of that node alone") {
    Team team(1);
    for (const double momentum : {0.0, 0.9}) {
        for (const char* architecture : {"mlp:12", "cnn:4"}) {
            CAPTURE(momentum);
            CAPTURE(architecture);
            DecentralisedOptions options{local_options(architecture), 0};
            options.local.momentum = momentum;
            options.local.epochs = 2;
            options.local.learning_rate = 0.02;
            auto alone = network(*topologies::make_graph({"hermit"}, {}), team, options);
            run(alone, 3);
            CHECK(at::allclose(alone.state(0).parameters,
                               by_the_book(alone.participants()[0], options.local, 3), 1e-3, 1e-4));
            CHECK(alone.cost().bytes == 0);
        }
    }
}

TEST_CASE("nodes that lack a class learn it from their neighbours, as well as one model on all data nearly") {
    Team team(2);
    const DecentralisedOptions options{local_options(), 0};
    auto linked = network(*topologies::random_regular(12, 4, 1), team, options);
    auto apart = network(*topologies::make_graph(linked.graph().names, {}), team, options);
    run(linked, 20);
    run(apart, 20);
    CHECK(mean_score(apart) < 0.76);
    CHECK(mean_score(linked) > mean_score(apart) + 0.1);
    learning::TrainOptions training;
    training.optimisation = {.epochs = 10, .batch = 16, .learning_rate = 1e-2};
    const auto central = CentralModel::train(linked.participants(), options.local.architecture, training, 7);
    REQUIRE(central);
    const double best =
        learning::full_accuracy(central->logits(evaluation().test.inputs().rows()), evaluation().test);
    CHECK(mean_score(linked) > best - 0.1);
}

TEST_CASE("the bits do not depend on the number of workers, nor on LibTorch's global generator") {
    const auto graph = *topologies::small_world(9, 4, 0.3, 3);
    for (const char* architecture : {"mlp:12", "cnn:4"}) {
        DecentralisedOptions options{local_options(architecture), 0};
        options.local.momentum = 0.5;
        Team one(1);
        Team three(3);
        auto first = network(graph, one, options);
        run(first, 4);
        torch::manual_seed(1);
        auto second = network(graph, three, options);
        run(second, 4);
        for (std::size_t i = 0; i < first.size(); ++i)
            CHECK(same_bits(first.state(i).parameters, second.state(i).parameters));
        CHECK_FALSE(same_bits(first.state(0).parameters, first.state(1).parameters));
    }
}

TEST_CASE("what a node learns travels one hop a round") {
    Team team(2);
    const auto line = *topologies::line(6);
    const DecentralisedOptions options{local_options(), 0};
    auto first = network(line, team, options);
    auto second = network(line, team, options, "node-0");
    for (std::int64_t round = 1; round <= 5; ++round) {
        run(first, 1);
        run(second, 1);
        for (std::int64_t i = 0; i < 6; ++i) {
            const auto node = static_cast<std::size_t>(i);
            const bool same = same_bits(first.state(node).parameters, second.state(node).parameters);
            CHECK(same == (i > round));
        }
    }
}

TEST_CASE("participants that share a data set learn what they would from copies of their own") {
    Team team(2);
    const auto graph = *topologies::ring(3);
    const auto all = points(30, 5);
    std::vector<Participant> sharing;
    std::vector<Participant> copying;
    for (std::size_t i = 0; i < 3; ++i) {
        std::vector<std::size_t> rows(40);
        std::iota(rows.begin(), rows.end(), 40 * i);
        sharing.push_back({graph.names[i], all, rows});
        copying.push_back(participant(graph.names[i], all.subset(rows)));
    }
    CHECK(same_bits(union_of(sharing).inputs().rows(), all.inputs().rows()));
    CHECK(same_bits(union_of(copying).labels(), all.labels()));
    const DecentralisedOptions options{local_options(), 0};
    auto first = *DecentralisedSgd::create(graph, sharing, options, 7, team);
    auto second = *DecentralisedSgd::create(graph, copying, options, 7, team);
    // The order is a shuffle of rows, drawn alike.
    run(first, 2);
    run(second, 2);
    for (std::size_t i = 0; i < 3; ++i)
        CHECK(same_bits(first.state(i).parameters, second.state(i).parameters));
}

TEST_CASE("costs are counted: rounds, CPU time, and 4 bytes a parameter on each directed link") {
    Team team(2);
    auto ring = network(*topologies::ring(5), team, {local_options(), 2});
    std::vector<std::int64_t> reported;
    REQUIRE(ring.run(3, [&](const RoundReport& report) {
        reported.push_back(report.round);
        CHECK(report.rounds == 3);
        CHECK(report.mean_loss > 0.0);
    }));
    CHECK(reported == std::vector<std::int64_t>{1, 2, 3});
    const std::uint64_t parameters = 16 * 12 + 12 + 12 * 4 + 4;
    CHECK(ring.cost().rounds == 3);
    CHECK(ring.cost().node_rounds == 15);
    CHECK(ring.cost().bytes == 3 * 10 * 4 * parameters);
    CHECK(ring.cost().cpu_seconds > 0.0);
    CHECK(ring.kept_bytes() == 2 * 5 * 4 * parameters);
    CHECK(ring.kept_state(3, 0).rounds == 0);
    CHECK(ring.kept_state(3, 1).rounds == 1);
    CHECK(ring.kept_state(3, 3).rounds == 2);
}

TEST_CASE("what cannot work is refused with its reason") {
    Team team(1);
    const auto graph = *topologies::ring(3);
    const auto refused = [&](std::vector<Participant> all, const LocalOptions& options) {
        const auto made = DecentralisedSgd::create(graph, std::move(all), {options, 0}, 7, team);
        return made ? std::string() : made.error().message;
    };
    auto all = participants(graph.names);
    CHECK(refused(all, local_options()).empty());
    std::swap(all[0], all[1]);
    CHECK(refused(all, local_options()).find("order") != std::string::npos);
    all.pop_back();
    CHECK_FALSE(refused(all, local_options()).empty());
    all = participants(graph.names);
    all[1].rows.clear();
    CHECK(refused(all, local_options()).find("node-1 has no examples") != std::string::npos);
    all[1].rows = {1000};
    CHECK_FALSE(refused(all, local_options()).empty());
    auto options = local_options();
    options.batch = 0;
    CHECK_FALSE(refused(participants(graph.names), options).empty());
    options = local_options("cnn:4x4x4");
    CHECK_FALSE(refused(participants(graph.names), options).empty());

    options = local_options();
    options.learning_rate = 1e30;
    auto wild = network(graph, team, {options, 0});
    const auto done = wild.run(20);
    REQUIRE_FALSE(done);
    CHECK(done.error().message.find("not finite") != std::string::npos);
}
