#include "node/learning/training.hpp"

#include <atomic>
#include <set>
#include <thread>
#include <type_traits>

#include <doctest/doctest.h>
#include <torch/torch.h>

#include "node/learning/accuracy.hpp"
#include "tests/unit/learning/synthetic.hpp"

using namespace unlearn::learning;
using namespace synthetic;

namespace {

at::Tensor trained_weights(const TrainOptions& options, std::uint64_t seed, const char* kind = "cnn:4+8") {
    const auto main =
        train(architecture(kind), Dataset::from_table(points(20, 5)), options, make_generator(seed));
    REQUIRE(main);
    return dynamic_cast<const Model&>(main->model()).parameters()[0].clone();
}

}  // namespace

// The exactness rule, as the compiler sees it: only who holds a MainModelKey makes a main model, nobody else
// can make that key, and what train() takes cannot be made from tensors, and so not from predictions.
static_assert(!std::is_constructible_v<MainModel, Model>);
static_assert(!std::is_constructible_v<MainModel, std::shared_ptr<const Classifier>>);
static_assert(!std::is_default_constructible_v<MainModelKey>);
static_assert(!std::is_aggregate_v<MainModelKey>);
static_assert(!std::is_constructible_v<Dataset, at::Tensor, at::Tensor, std::int64_t, InputShape>);
static_assert(!std::is_invocable_v<decltype(&train), Architecture, const Ensemble&, TrainOptions,
                                   at::Generator, Progress, CancelFlag>);
static_assert(!std::is_invocable_v<decltype(&distil), const Ensemble&, ReferenceSet, Architecture,
                                   DistilOptions, at::Generator, Progress, CancelFlag>);
static_assert(!std::is_invocable_v<decltype(&distil), const Member&, ReferenceSet, Architecture,
                                   DistilOptions, at::Generator, Progress, CancelFlag>);

TEST_CASE("training learns, and reports each epoch") {
    const auto data = Dataset::from_table(points(60, 5));
    const auto test = Dataset::from_table(points(60, 6));
    std::vector<double> losses;
    const auto main = train(architecture("mlp:16"), data, quick_training(), make_generator(1),
                            [&](const EpochReport& report) { losses.push_back(report.mean_loss); });
    REQUIRE(main);
    CHECK(losses.size() == 8);
    CHECK(losses.back() < 0.7 * losses.front());
    CHECK(full_accuracy(predict_logits(main->model(), test.inputs()), test) > 0.8);
    const auto untrained = make_model(architecture("mlp:16"), data.shape(), kClasses, make_generator(1));
    CHECK(full_accuracy(predict_logits(*untrained, test.inputs()), test) < 0.6);
}

TEST_CASE("training is repeatable bit for bit, and the default generator has no part in it") {
    auto options = quick_training();
    options.shift_pixels = 1;
    const auto first = trained_weights(options, 3);
    torch::manual_seed(4711);
    std::atomic<bool> stop = false;
    std::thread noise([&] {
        while (!stop)
            static_cast<void>(torch::rand({10}));
    });
    const auto second = trained_weights(options, 3);
    stop = true;
    noise.join();
    CHECK(same_bits(first, second));
    CHECK_FALSE(same_bits(first, trained_weights(options, 4)));
}

TEST_CASE("training stops when it is cancelled, and says no to nothing to learn from") {
    const std::atomic<bool> cancelled = true;
    const auto data = Dataset::from_table(points(10, 5));
    const auto main =
        train(architecture("linear"), data, quick_training(), make_generator(1), {}, &cancelled);
    CHECK(main.error().message == "training was cancelled");
    CHECK_FALSE(train(architecture("linear"), Dataset::from_table(points(0, 5)), quick_training(),
                      make_generator(1)));
}

TEST_CASE("a main model is read back as it was stored") {
    const auto main = train(architecture("mlp:16"), Dataset::from_table(points(10, 5)), quick_training(),
                            make_generator(1));
    const auto again = MainModel::restore(architecture("mlp:16"), {1, 4, 4}, kClasses, main->save());
    REQUIRE(again);
    CHECK(again->save() == main->save());
    CHECK_FALSE(MainModel::restore(architecture("mlp:17"), {1, 4, 4}, kClasses, main->save()));
}

TEST_CASE("the validation split takes its share of every class and depends on its seed alone") {
    const auto own = Dataset::from_table(points(40, 5, 0.3, {0, 2}));
    const auto split = split_validation(own, 0.25, 8);
    CHECK(split.validation.size() == 20);
    CHECK(split.train.size() == 60);
    CHECK(split.validation.class_distribution() == std::vector<double>{0.5, 0.0, 0.5, 0.0});
    CHECK(same_bits(split.validation.inputs().rows(),
                    split_validation(own, 0.25, 8).validation.inputs().rows()));
    CHECK_FALSE(same_bits(split.validation.inputs().rows(),
                          split_validation(own, 0.25, 9).validation.inputs().rows()));
    CHECK(split_validation(own, 0.0, 8).validation.size() == 0);
}

TEST_CASE("accuracy in the own world weights each class by the own distribution") {
    const auto test = Dataset::from_table(points(1, 5));  // labels 0, 1, 2, 3
    const auto scores = at::eye(4).index_select(0, torch::tensor({0, 1, 2, 0}));
    CHECK(full_accuracy(scores, test) == doctest::Approx(0.75));
    CHECK(own_accuracy(scores, test, std::vector<double>{0.5, 0.5, 0.0, 0.0}) == doctest::Approx(1.0));
    CHECK(own_accuracy(scores, test, std::vector<double>{0.2, 0.0, 0.0, 0.8}) == doctest::Approx(0.2));
}
