#include "node/learning/ridge.hpp"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include "node/learning/ridge_regression.hpp"
#include "tests/unit/learning/synthetic.hpp"

using namespace unlearn::learning;
using namespace synthetic;

namespace {

const Architecture kRidge{ArchitectureKind::ridge, {}, 0};
const Architecture kHead{ArchitectureKind::head, {}, 0};

/// The points as rows of a table.
LabelledData table_of_points(std::size_t per_class, std::uint64_t seed,
                             const std::vector<std::int64_t>& classes = {0, 1, 2, 3}) {
    auto data = points(per_class, seed, 0.35, classes);
    data.shape = {1, 1, data.shape.size()};
    return data;
}

const FeatureMap& feature_map() {
    static const FeatureMap map =
        FeatureMap::learn(parse_feature_recipe("fourier:60").value(), table_of_points(50, 900)).value();
    return map;
}

ReferenceSet reference_with_features() {
    return ReferenceSet::from_table(table_of_points(50, 900), &feature_map());
}

ValidationSplit split_with_features(std::uint64_t seed,
                                    const std::vector<std::int64_t>& classes = {0, 1, 2, 3}) {
    return split_validation(Dataset::from_table(table_of_points(40, seed, classes), &feature_map()), 0.2,
                            seed);
}

double accuracy_of(const Classifier& model, const Dataset& data) {
    return predict_logits(model, data.inputs())
        .argmax(1)
        .eq(data.labels())
        .to(at::kDouble)
        .mean()
        .item<double>();
}

at::Tensor one_hot(const Dataset& data) {
    return at::one_hot(data.labels(), data.classes()).to(at::kDouble);
}

std::vector<std::uint8_t> head_payload(const MainModel& main) {
    return distil(main, reference_with_features(), kHead, {}, make_generator(1)).value().payload();
}

std::shared_ptr<const OwnPart> own_part(std::uint64_t seed, const std::string& main = "ridge") {
    const auto own = Dataset::from_table(table_of_points(40, seed), &feature_map());
    const auto split = split_validation(own, 0.2, seed);
    auto model = learn(architecture(main), split, quick_training(), make_generator(seed)).value();
    return OwnPart::make(std::move(model), own, split.validation, reference_with_features());
}

}  // namespace

TEST_CASE("rows and their features stay together") {
    const auto data = Dataset::from_table(table_of_points(5, 1), &feature_map());
    const Inputs& inputs = data.inputs();
    CHECK(inputs.shape() == InputShape{1, 1, 16, 76});
    CHECK(data.shape() == inputs.shape());
    CHECK(inputs.shape().size() == 16);
    const auto numbers = at::tensor({7, 2, 7}, at::kLong);
    const Inputs chosen = inputs.index_select(numbers);
    CHECK(same_bits(chosen.rows(), inputs.rows().index_select(0, numbers)));
    CHECK(same_bits(chosen.feature_steps(), inputs.feature_steps().index_select(0, numbers)));
    const Inputs part = inputs.narrow(3, 4).clone();
    CHECK(part.size() == 4);
    CHECK(same_bits(part.rows(), inputs.rows().narrow(0, 3, 4)));
    CHECK(same_bits(part.feature_steps(), inputs.feature_steps().narrow(0, 3, 4)));
    CHECK(same_bits(part.features(), part.feature_steps().to(at::kFloat) / 64.0));

    const auto plain = Dataset::from_table(table_of_points(5, 1));
    CHECK(plain.shape() == InputShape{1, 1, 16});
    CHECK_FALSE(plain.inputs().narrow(1, 2).feature_steps().defined());
    CHECK(same_bits(plain.inputs().rows(), inputs.rows()));
}

TEST_CASE("sums over examples have the same bits in every order") {
    const auto data = Dataset::from_table(table_of_points(700, 1), &feature_map());
    const auto targets = one_hot(data);
    const auto order = at::randperm(data.size(), make_generator(3), at::TensorOptions(at::kLong));
    const auto sums = RegressionSums::over(data.inputs(), targets).value();
    const auto shuffled =
        RegressionSums::over(data.inputs().index_select(order), targets.index_select(0, order)).value();
    CHECK(same_bits(sums.solve(10.0), shuffled.solve(10.0)));
}

TEST_CASE("coefficients solve the equations of ridge regression, intercept included") {
    const auto data = Dataset::from_table(table_of_points(30, 1), &feature_map());
    const auto targets = one_hot(data);
    const auto found = RegressionSums::over(data.inputs(), targets).value().solve(7.0);
    const auto features = data.inputs().features().to(at::kDouble);
    const auto rows = at::cat({features, at::ones({features.size(0), 1}, at::kDouble)}, 1);
    const auto system = at::mm(rows.t(), rows) + 7.0 * at::eye(rows.size(1), at::kDouble);
    CHECK((at::mm(system, found) - at::mm(rows.t(), targets)).abs().max().item<double>() < 1e-9);
    CHECK(found.sizes() == at::IntArrayRef{77, 4});
}

TEST_CASE("a sum that is cancelled ends with an error") {
    const auto data = Dataset::from_table(table_of_points(10, 1), &feature_map());
    const std::atomic<bool> cancelled = true;
    const auto sums = RegressionSums::over(data.inputs(), one_hot(data), &cancelled);
    REQUIRE_FALSE(sums);
    CHECK(sums.error().message == "training was cancelled");
    CHECK_FALSE(fit_ridge(split_with_features(1), &cancelled));
}

TEST_CASE("a ridge model tells classes apart, and is as sure as it is right") {
    const auto main = fit_ridge(split_with_features(1)).value();
    const auto unseen = Dataset::from_table(table_of_points(100, 2), &feature_map());
    CHECK(accuracy_of(main.model(), unseen) > 0.9);
    const auto logits = predict_logits(main.model(), unseen.inputs());
    const auto cost_of = [&](double factor) {
        return at::cross_entropy_loss(logits * factor, unseen.labels()).item<double>();
    };
    CHECK(cost_of(1.0) < cost_of(0.3));
    CHECK(cost_of(1.0) < cost_of(3.0));
}

TEST_CASE("a ridge model is the same each time, whatever the generator") {
    const auto split = split_with_features(1);
    std::size_t reports = 0;
    const auto first = learn(kRidge, split, {}, make_generator(1),
                             [&](const EpochReport& report) { reports += report.epoch == report.epochs; });
    const auto second = learn(kRidge, split, {}, make_generator(2));
    REQUIRE(first);
    REQUIRE(second);
    CHECK(first->save() == second->save());
    CHECK(reports == 1);
    const auto restored = MainModel::restore(kRidge, split.train.shape(), kClasses, first->save()).value();
    CHECK(same_bits(predict_logits(restored.model(), split.train.inputs()),
                    predict_logits(first->model(), split.train.inputs())));
}

TEST_CASE("a ridge model learns without validation examples, and from one class alone") {
    const auto data = Dataset::from_table(table_of_points(40, 1), &feature_map());
    const auto none = split_validation(data, 0.0, 1);
    REQUIRE(none.validation.size() == 0);
    CHECK(accuracy_of(fit_ridge(none).value().model(), data) > 0.9);
    const auto one_class = split_with_features(1, {2});
    const auto main = fit_ridge(one_class).value();
    CHECK(accuracy_of(main.model(), one_class.train) == 1.0);
}

TEST_CASE("models of features are refused where there are none") {
    const auto plain = split_validation(Dataset::from_table(table_of_points(20, 1)), 0.2, 1);
    const auto main = learn(kRidge, plain, {}, make_generator(1));
    REQUIRE_FALSE(main);
    CHECK(main.error().message == "architecture ridge needs public features, and there is no feature map");
    const auto mlp = learn(architecture("mlp:8"), plain, quick_training(), make_generator(1)).value();
    const auto head =
        distil(mlp, ReferenceSet::from_table(table_of_points(20, 2)), kHead, {}, make_generator(1));
    REQUIRE_FALSE(head);
    CHECK(head.error().message == "architecture head needs public features, and there is no feature map");
    const auto trained = train(kRidge, split_with_features(1).train, {}, make_generator(1));
    REQUIRE_FALSE(trained);
    CHECK(trained.error().message == "architecture ridge is solved, not trained");
}

TEST_CASE("the head of a ridge model is that model") {
    const auto main = fit_ridge(split_with_features(1)).value();
    const auto seed = distil(main, reference_with_features(), kHead, {}, make_generator(1)).value();
    const auto unseen = Dataset::from_table(table_of_points(100, 2), &feature_map());
    CHECK(same_bits(predict_logits(seed.model(), unseen.inputs()),
                    predict_logits(main.model(), unseen.inputs())));
}

TEST_CASE("the head of another model answers nearly as that model does") {
    const auto split = split_with_features(1);
    const auto main = learn(architecture("mlp:16"), split, quick_training(), make_generator(1)).value();
    const auto seed = distil(main, reference_with_features(), kHead, {}, make_generator(1)).value();
    const auto unseen = Dataset::from_table(table_of_points(100, 2), &feature_map());
    const auto same = predict_logits(seed.model(), unseen.inputs())
                          .argmax(1)
                          .eq(predict_logits(main.model(), unseen.inputs()).argmax(1));
    CHECK(same.to(at::kDouble).mean().item<double>() > 0.9);
    const auto again = distil(main, reference_with_features(), kHead, {}, make_generator(9)).value();
    CHECK(again.payload() == seed.payload());
}

TEST_CASE("a node mixes heads with seeds of other kinds, and forgets one as if it had never held it") {
    const auto holder = own_part(1);
    const auto other = own_part(2, "mlp:16");
    const auto third = own_part(3);
    const auto mlp = distil(other->main(), reference_with_features(), architecture("mlp:10"),
                            quick_distilling(), make_generator(2))
                         .value();
    const auto first = Member::from_payload(id(1), 1, "head", head_payload(other->main()), *holder).value();
    const auto second = Member::from_payload(id(2), 1, "mlp:10", mlp.payload(), *holder).value();
    const auto last = Member::from_payload(id(3), 1, "head", head_payload(third->main()), *holder).value();
    const auto unseen = Dataset::from_table(table_of_points(100, 9), &feature_map());

    const auto with_all = Ensemble::build(holder, {first, second, last}, {});
    const auto without = Ensemble::build(holder, {second, last}, {});
    const auto prediction = with_all->predict(unseen.inputs(), Prior::uniform).value();
    CHECK(prediction.participants.size() == 3);
    CHECK(prediction.probabilities.argmax(1).eq(unseen.labels()).to(at::kDouble).mean().item<double>() > 0.9);
    CHECK_FALSE(same_bits(prediction.probabilities,
                          without->predict(unseen.inputs(), Prior::uniform).value().probabilities));
    // Dropping the first head gives what a node has that never held it.
    const auto never = Ensemble::build(own_part(1), {second, last}, {});
    CHECK(same_bits(without->predict(unseen.inputs(), Prior::own).value().probabilities,
                    never->predict(unseen.inputs(), Prior::own).value().probabilities));
}

TEST_CASE("an ensemble in a network with a map refuses rows without features") {
    const auto ensemble = Ensemble::build(own_part(1), {}, {});
    const auto plain = Dataset::from_table(table_of_points(3, 1));
    const auto prediction = ensemble->predict(plain.inputs(), Prior::own);
    REQUIRE_FALSE(prediction);
    CHECK(prediction.error().message ==
          "prediction: inputs must be float32 of shape [rows, 1, 1, 16] with 76 features");
}

TEST_CASE("a head from a peer with wrong sizes or numbers is refused") {
    const auto holder = own_part(1);
    const auto problem_of = [&](const auto& change) {
        auto tensors = read_safetensors(head_payload(holder->main())).value();
        change(tensors);
        const auto made = Member::from_payload(id(1), 1, "head", write_safetensors(tensors), *holder);
        return made ? std::string() : made.error().message;
    };
    using Tensors = std::vector<NamedTensor>;
    CHECK(problem_of([](Tensors&) {}) == "");
    CHECK(problem_of([](Tensors& all) { all[0].values[3] = 10'001.0F; }) ==
          "model head: tensor 1 (\"out.weight\") holds a number that is not finite or beyond 10000");
    CHECK(problem_of([](Tensors& all) {
              all[0].shape = {2, 152};
          }) == "model head: tensor 1 (\"out.weight\") has the wrong shape");
    CHECK(problem_of([](Tensors& all) { all.pop_back(); }) == "model head: has 1 tensors, expected 2");
    // A node without a map has no use for a head.
    const auto plain = make_node(1);
    CHECK_FALSE(Member::from_payload(id(1), 1, "head", head_payload(holder->main()), *plain.own));
}

TEST_CASE("heads that are evaluated together answer as each would alone") {
    const auto holder = own_part(1);
    const auto one =
        Member::from_payload(id(1), 1, "head", head_payload(own_part(2)->main()), *holder).value();
    const auto two =
        Member::from_payload(id(2), 1, "head", head_payload(own_part(3)->main()), *holder).value();
    const std::array<const Model*, 2> both{&one->model(), &two->model()};
    const std::array<const Model*, 1> alone{&two->model()};
    const auto features = Dataset::from_table(table_of_points(20, 9), &feature_map()).inputs().features();
    const auto together = FusedMlp(both).forward(features);
    CHECK(same_bits(together.select(0, 1), FusedMlp(alone).forward(features).select(0, 0)));
    CHECK_FALSE(same_bits(together.select(0, 0), together.select(0, 1)));
}
