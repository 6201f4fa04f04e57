#include <thread>

#include <doctest/doctest.h>
#include <torch/torch.h>

#include "node/learning/accuracy.hpp"
#include "node/learning/ensemble/held_seeds.hpp"
#include "tests/unit/learning/synthetic.hpp"

using namespace unlearn::learning;
using namespace synthetic;
using namespace std::chrono_literals;

TEST_CASE("a member knows the classes that its owner had, and nothing hostile becomes one") {
    const Node holder = make_node(1);
    const Node lacking = make_node(2, {0, 1, 3});
    const auto held = member(2, lacking, *holder.own);
    CHECK(held->known_classes() == ClassMask{true, true, false, true});
    CHECK(Member::from_payload(id(2), 1, "mlp:11", lacking.payload, *holder.own)
              .error()
              .message.find("wrong shape") != std::string::npos);
    const auto cut = std::span(lacking.payload).first(lacking.payload.size() - 1);
    CHECK_FALSE(Member::from_payload(id(2), 1, "mlp:10", cut, *holder.own));
}

TEST_CASE("where nodes lack classes, known-classes beats hdus and the main model on all classes") {
    const Node holder = make_node(1, {0, 1, 2});
    const std::vector<Node> peers{make_node(2, {1, 2, 3}), make_node(3, {0, 2, 3}), make_node(4, {0, 1, 3})};
    const auto test = Dataset::from_table(points(150, 4321));
    const auto accuracy = [&](Aggregation aggregation) {
        std::vector<std::shared_ptr<const Member>> members;
        for (std::uint8_t i = 0; i < 3; ++i)
            members.push_back(member(i, peers[i], *holder.own));
        EnsembleOptions options;
        options.aggregation = aggregation;
        const auto ensemble = Ensemble::build(holder.own, members, options);
        return full_accuracy(ensemble->predict(test.inputs(), Prior::uniform)->probabilities, test);
    };
    const auto alone = Ensemble::build(holder.own, {}, {});
    const double main = full_accuracy(alone->predict_main(test.inputs())->probabilities, test);
    CHECK(main < 0.76);
    CHECK(accuracy(Aggregation::known_classes) > main + 0.1);
    CHECK(accuracy(Aggregation::known_classes) > accuracy(Aggregation::hdus) + 0.05);
    CHECK(accuracy(Aggregation::median) > main + 0.1);
}

TEST_CASE("predictions are probabilities, name who took part, and refuse inputs of another shape") {
    const Node holder = make_node(1);
    const auto ensemble = Ensemble::build(
        holder.own, {member(9, make_node(2), *holder.own), member(4, make_node(3), *holder.own)}, {});
    const auto inputs = Dataset::from_table(points(3, 8)).inputs();
    for (const Prior prior : kPriors) {
        const auto prediction = ensemble->predict(inputs, prior);
        REQUIRE(prediction);
        CHECK(at::allclose(prediction->probabilities.sum(1), at::ones({12})));
        CHECK((prediction->participants == std::vector<Participant>{{id(4), 1}, {id(9), 1}}));
        CHECK(at::allclose(ensemble->predict_main(inputs, prior)->probabilities.sum(1), at::ones({12})));
    }
    CHECK_FALSE(ensemble->predict(at::zeros({2, 1, 4, 5}), Prior::own));
    CHECK_FALSE(ensemble->predict(at::zeros({2, 16}), Prior::own));
    CHECK_FALSE(ensemble->predict(at::zeros({2, 1, 4, 4}, at::kDouble), Prior::own));
    CHECK(ensemble->predict(at::zeros({0, 1, 4, 4}), Prior::own)->probabilities.size(0) == 0);
}

TEST_CASE("a dropped seed's memory is zero after wipe_dropped, in the member and in old snapshots") {
    const Node holder = make_node(1);
    const Node peer = make_node(2);
    EnsembleHolder seeds(holder.own, {});
    auto held = member(2, peer, *holder.own);
    const std::vector<at::Tensor> parameters = held->model().parameters();
    const Voter validation = held->validation_voter();
    seeds.install(held);
    const auto old = seeds.snapshot();
    const auto inputs = Dataset::from_table(points(3, 8)).inputs();
    CHECK(old->predict(inputs, Prior::own));
    CHECK(parameters[0].abs().sum().item<float>() > 0.0F);

    CHECK(seeds.drop(id(2)));
    CHECK_FALSE(seeds.drop(id(2)));
    CHECK(seeds.snapshot()->members().empty());
    CHECK(seeds.wipe_dropped(id(2), 5ms) == 1);
    for (const auto& tensor : parameters)
        CHECK(tensor.abs().sum().item<float>() == 0.0F);
    for (const float value : validation.logits)
        CHECK(value == 0.0F);
    CHECK_FALSE(old->predict(inputs, Prior::own));  // its copies are gone, so it may not answer
    CHECK(seeds.predict(inputs, Prior::own)->participants.empty());
    CHECK(seeds.wipe_dropped(id(2), 5ms) == 0);
}

TEST_CASE("the dropped seeds of several owners are wiped together, and nobody else's") {
    const Node holder = make_node(1);
    const Node peer = make_node(2);
    EnsembleHolder seeds(holder.own, {});
    std::vector<at::Tensor> first_layers;
    for (const std::uint8_t owner : {2, 3, 4}) {
        auto held = member(owner, peer, *holder.own);
        first_layers.push_back(held->model().parameters()[0]);
        seeds.install(std::move(held));
    }
    const auto old = seeds.snapshot();
    CHECK(seeds.drop(id(2)));
    CHECK(seeds.drop(id(3)));
    CHECK(seeds.drop(id(4)));
    // Dropped, but not asked for: it is wiped when somebody asks.
    CHECK(seeds.wipe_dropped(std::set<MemberId>{id(2), id(3), id(9)}, 5ms) == 2);
    CHECK(first_layers[0].abs().sum().item<float>() == 0.0F);
    CHECK(first_layers[1].abs().sum().item<float>() == 0.0F);
    CHECK(first_layers[2].abs().sum().item<float>() > 0.0F);
    CHECK_FALSE(old->predict(Dataset::from_table(points(3, 8)).inputs(), Prior::own));
    CHECK(seeds.wipe_dropped(id(4), 5ms) == 1);
    CHECK(first_layers[2].abs().sum().item<float>() == 0.0F);
}

TEST_CASE("predictions go on while seeds come and go, and never use a wiped one") {
    const Node holder = make_node(1);
    const Node peer = make_node(2);
    EnsembleHolder seeds(holder.own, {});
    seeds.install(member(3, make_node(3), *holder.own));
    const auto inputs = Dataset::from_table(points(100, 8)).inputs();
    const auto without = seeds.predict(inputs, Prior::own)->probabilities;
    seeds.install(member(2, peer, *holder.own));
    const auto with = seeds.predict(inputs, Prior::own)->probabilities;
    CHECK_FALSE(same_bits(with, without));

    std::atomic<bool> stop = false;
    std::atomic<int> wrong = 0;
    std::thread reader([&] {
        while (!stop) {
            const auto seen = seeds.predict(inputs, Prior::own);
            const bool knows_two = seen && seen->participants.size() == 2;
            if (!seen || !same_bits(seen->probabilities, knows_two ? with : without)) ++wrong;
        }
    });
    for (int i = 0; i < 20; ++i) {
        seeds.forget(id(2), 0ms);
        seeds.install(member(2, peer, *holder.own));
    }
    stop = true;
    reader.join();
    CHECK(wrong == 0);
}

TEST_CASE("dropping one of 64 seeds and building the next snapshot takes milliseconds") {
    const Node holder = make_node(1);
    const Node peer = make_node(2);
    EnsembleHolder seeds(holder.own, {});
    for (std::uint8_t i = 0; i < 64; ++i)
        seeds.install(member(i, peer, *holder.own));
    auto fastest = 1'000'000us;
    for (std::uint8_t i = 0; i < 5; ++i) {
        const auto start = std::chrono::steady_clock::now();
        CHECK(seeds.drop(id(i)));
        CHECK(seeds.snapshot()->members().size() == 63U - i);
        fastest = std::min(fastest, std::chrono::duration_cast<std::chrono::microseconds>(
                                        std::chrono::steady_clock::now() - start));
    }
    MESSAGE("dropped and rebuilt in ", fastest.count(), " us");
    CHECK(fastest < 50ms);
}

TEST_CASE("a new own part evaluates every held seed again and wipes what was there") {
    const Node holder = make_node(1);
    const Node changed = make_node(5);
    const Node peer = make_node(2);
    EnsembleHolder seeds(holder.own, {});
    auto held = member(2, peer, *holder.own);
    seeds.install(held);
    seeds.replace_own(changed.own);
    CHECK(held->model().parameters()[0].abs().sum().item<float>() == 0.0F);
    const auto fresh = Ensemble::build(changed.own, {member(2, peer, *changed.own)}, {});
    CHECK(seeds.snapshot()->rho() == fresh->rho());
    const auto inputs = Dataset::from_table(points(3, 8)).inputs();
    CHECK(same_bits(seeds.predict(inputs, Prior::own)->probabilities,
                    fresh->predict(inputs, Prior::own)->probabilities));
}
