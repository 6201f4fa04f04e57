#include "node/learning/models.hpp"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include "node/learning/ensemble/fused_mlp.hpp"
#include "node/learning/threads.hpp"
#include "node/learning/wipe.hpp"
#include "tests/unit/learning/synthetic.hpp"

using namespace unlearn::learning;
using synthetic::architecture;
using synthetic::same_bits;

namespace {
const InputShape kShape{1, 12, 12};
}

TEST_CASE("every kind of model gives logits, and its exported tensors make the same model") {
    const auto inputs = at::rand({5, 1, 12, 12}, make_generator(1));
    for (const char* text : {"linear", "mlp:9", "mlp:9x7", "cnn:4x6", "cnn:4+8", "resnet:4x6+2"}) {
        CAPTURE(text);
        const auto model = make_model(architecture(text), kShape, 3, make_generator(7));
        REQUIRE(model);
        const auto logits = predict_logits(*model, inputs);
        CHECK(logits.sizes() == at::IntArrayRef({5, 3}));
        CHECK(model->parameter_count() == *parameter_count(architecture(text), kShape, 3));
        const auto copy = load_model(architecture(text), kShape, 3, model->export_tensors());
        REQUIRE(copy);
        CHECK(same_bits(predict_logits(*copy, inputs), logits));
        CHECK_FALSE(load_model(architecture(text), kShape, 4, model->export_tensors()));
    }
}

TEST_CASE("a convolutional net gives the bits of LibTorch's plain pooling, in logits and gradients") {
    for (const std::int64_t side : {12, 11}) {
        CAPTURE(side);
        const auto model = make_model(architecture("cnn:4x6"), {1, side, side}, 3, make_generator(7));
        REQUIRE(model);
        // Of black and white there are many squares with more than one largest value.
        const auto inputs = at::rand({5, 1, side, side}, make_generator(1)).round();
        std::vector<at::Tensor> plain;
        for (const at::Tensor& parameter : model->parameters()) {
            parameter.requires_grad_(true);
            plain.push_back(parameter.detach().clone().requires_grad_(true));
        }
        at::Tensor x = inputs;
        for (const std::size_t layer : {0, 2})
            x = at::relu(at::max_pool2d(at::conv2d(x, plain[layer], plain[layer + 1], 1, 1), 2));
        const auto expected = at::linear(x.flatten(1), plain[4], plain[5]);
        const auto logits = model->forward(inputs);
        CHECK(same_bits(logits.detach(), expected.detach()));
        logits.square().sum().backward();
        expected.square().sum().backward();
        for (std::size_t i = 0; i < plain.size(); ++i)
            CHECK(same_bits(model->parameters()[i].grad(), plain[i].grad()));
    }
}

TEST_CASE("initial weights come from the given generator alone") {
    const auto weights = [](std::uint64_t seed) {
        return make_model(architecture("mlp:8"), kShape, 3, make_generator(seed))->parameters()[0].clone();
    };
    const auto first = weights(1);
    CHECK_FALSE(same_bits(first, weights(2)));
    torch::manual_seed(12345);
    static_cast<void>(torch::rand({1000}));
    CHECK(same_bits(first, weights(1)));
}

TEST_CASE("fused models give each the bits it gets alone, whatever their number and width") {
    for (const std::int64_t width : {10, 16, 32, 33}) {
        for (const std::int64_t rows : {1, 7, 256}) {
            CAPTURE(width);
            CAPTURE(rows);
            const auto text = "mlp:" + std::to_string(width);
            std::vector<Model> models;
            for (std::uint64_t i = 0; i < 5; ++i) {
                models.push_back(*make_model(architecture(text), kShape, 3, make_generator(i)));
            }
            const auto inputs = at::rand({rows, 1, 12, 12}, make_generator(1));
            const std::vector<const Model*> five{&models[0], &models[1], &models[2], &models[3], &models[4]};
            const std::vector<const Model*> two{&models[1], &models[3]};
            const std::vector<const Model*> one{&models[3]};
            const auto of_five = FusedMlp(five).forward(inputs);
            const auto of_two = FusedMlp(two).forward(inputs);
            CHECK(same_bits(of_five[1], of_two[0]));
            CHECK(same_bits(of_five[3], of_two[1]));
            CHECK(same_bits(of_five[3], FusedMlp(one).forward(inputs)[0]));
            CHECK(at::allclose(of_five[3], models[3].forward(inputs), 1e-4, 1e-5));
            CHECK_FALSE(same_bits(of_five[3], of_five[1]));
        }
    }
}

TEST_CASE("wiping zeroes the memory itself, and so does the end of a model") {
    auto model = make_model(architecture("cnn:4+8"), kShape, 3, make_generator(7));
    const std::vector<at::Tensor> shared = model->parameters();
    CHECK(shared[0].abs().sum().item<float>() > 0.0F);
    { const Model dying = std::move(*model); }
    for (const auto& tensor : shared)
        CHECK(tensor.abs().sum().item<float>() == 0.0F);

    const auto all = at::ones({10});
    wipe(all.narrow(0, 3, 2));
    CHECK(all.sum().item<float>() == 0.0F);
}

TEST_CASE("the speed of BLAS is measured and judged") {
    CHECK(measure_blas().gigaflops > 0.0);
    CHECK(slow_blas_warning({100.0, false}).empty());
    CHECK(slow_blas_warning({0.5, true}).find("libopenblas") != std::string::npos);
}
