#include <algorithm>
#include <numeric>

#include <doctest/doctest.h>
#include <torch/torch.h>

#include "tests/unit/sim_baselines/small_world.hpp"

using namespace small_world;

TEST_CASE("on a complete graph with equal shares D-PSGD is FedAvg with everybody") {
    Team team(2);
    auto decentralised = network(*topologies::full(6), team, {local_options(), 0});
    auto federated = server(6, team, {local_options(), 1.0, 0});
    const double before = federated.scores(evaluation())[0];
    run(decentralised, 5);
    run(federated, 5);
    for (std::size_t i = 0; i < 6; ++i)
        CHECK(at::allclose(decentralised.state(i).parameters, federated.state().parameters, 1e-4, 1e-5));
    // And not because nothing was learnt.
    CHECK(federated.scores(evaluation())[0] > before + 0.2);
}

TEST_CASE("the server's mean is weighted by the number of examples") {
    Team team(2);
    auto clients = participants(topologies::default_names(2));
    clients[1].rows.resize(10);
    const auto options = local_options();
    auto both = *FederatedAveraging::create(clients, {options, 1.0, 0}, 7, team);
    auto first = *FederatedAveraging::create({clients[0]}, {options, 1.0, 0}, 7, team);
    auto second = *FederatedAveraging::create({clients[1]}, {options, 1.0, 0}, 7, team);
    run(both, 1);
    run(first, 1);
    run(second, 1);
    REQUIRE(clients[0].rows.size() == 30);
    CHECK(at::allclose(both.state().parameters,
                       0.75 * first.state().parameters + 0.25 * second.state().parameters, 1e-5, 1e-6));
}

TEST_CASE("a fraction of the clients takes part, others in other rounds, and each costs two models") {
    Team team(2);
    auto some = server(10, team, {local_options(), 0.3, 0});
    std::vector<int> times(10);
    for (std::int64_t round = 1; round <= 200; ++round) {
        const auto chosen = some.selected(round);
        CHECK(chosen.size() == 3);
        CHECK(std::is_sorted(chosen.begin(), chosen.end()));
        for (const std::size_t client : chosen)
            ++times[client];
    }
    for (const int count : times)
        CHECK((count > 35 && count < 90));
    run(some, 2);
    const std::uint64_t parameters = 16 * 12 + 12 + 12 * 4 + 4;
    CHECK(some.cost().bytes == 2 * 3 * 2 * 4 * parameters);
    CHECK(some.cost().node_rounds == 6);
    CHECK(server(10, team, {local_options(), 0.01, 0}).selected(1).size() == 1);
    CHECK_FALSE(FederatedAveraging::create(some.clients(), {local_options(), 0.0, 0}, 7, team));
}

TEST_CASE("FedAvg's bits do not depend on the number of workers") {
    Team one(1);
    Team three(3);
    FederatedOptions options{local_options(), 0.5, 0};
    options.local.momentum = 0.9;
    auto first = server(7, one, options);
    auto second = server(7, three, options);
    run(first, 4);
    run(second, 4);
    CHECK(same_bits(first.state().parameters, second.state().parameters));
}
