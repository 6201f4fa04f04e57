#include <doctest/doctest.h>
#include <torch/torch.h>

#include "tests/unit/learning/synthetic.hpp"

using namespace unlearn::learning;
using namespace synthetic;

namespace {

MainModel main_model() {
    return *train(architecture("mlp:16"), Dataset::from_table(points(40, 5)), quick_training(),
                  make_generator(1));
}

}  // namespace

TEST_CASE("a seed answers like the main model it was distilled from") {
    const auto main = main_model();
    const auto inputs = Dataset::from_table(points(100, 77)).inputs();
    const auto agreement = [&](const Model& model) {
        const auto same =
            predict_logits(model, inputs).argmax(1).eq(predict_logits(main.model(), inputs).argmax(1));
        return same.to(at::kFloat).mean().item<double>();
    };
    for (const double temperature : {1.0, 3.0}) {
        auto options = quick_distilling();
        options.temperature = temperature;
        const auto seed = distil(main, reference(), architecture("mlp:10"), options, make_generator(2));
        REQUIRE(seed);
        CHECK(agreement(seed->model()) > 0.85);
    }
    auto none = quick_distilling();
    none.optimisation.epochs = 0;
    CHECK(agreement(distil(main, reference(), architecture("mlp:10"), none, make_generator(2))->model()) <
          0.7);
}

TEST_CASE("distillation is a cold start, repeatable bit for bit, and other streams do not matter") {
    const auto main = main_model();
    const auto payload = [&](std::uint64_t seed) {
        return distil(main, reference(), architecture("mlp:10"), quick_distilling(), make_generator(seed))
            ->payload();
    };
    const auto first = payload(2);
    torch::manual_seed(1);
    CHECK(payload(2) == first);
    CHECK(payload(3) != first);
}

TEST_CASE("options and architectures that cannot work are refused") {
    const auto main = main_model();
    auto frozen = quick_distilling();
    frozen.temperature = 0.0;
    CHECK_FALSE(distil(main, reference(), architecture("mlp:10"), frozen, make_generator(2)));
    CHECK_FALSE(distil(main, reference(), architecture("cnn:4x4x4"), quick_distilling(), make_generator(2)));
}
