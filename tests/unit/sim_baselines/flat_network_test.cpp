#include "sim/baselines/flat_network.hpp"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include "node/learning/generator.hpp"
#include "node/learning/models.hpp"
#include "tests/unit/sim_baselines/small_world.hpp"

using namespace small_world;

namespace {

ModelKind kind(const std::string& architecture) {
    return {*learning::parse_architecture(architecture), {1, 8, 8}, kClasses};
}

struct Sample {
    at::Tensor inputs = at::randn({5, 1, 8, 8}, learning::make_generator(1));
    std::vector<std::int64_t> labels{0, 3, 1, 1, 2};
    [[nodiscard]] Batch batch() const { return {inputs, labels.data()}; }
};

}  // namespace

TEST_CASE("the gradient by hand is that of autograd") {
    for (const char* text : {"linear", "mlp:12", "mlp:12x9", "mlp:7x6x5"}) {
        CAPTURE(text);
        const auto by_hand = make_network(kind(text));
        const auto reference = make_autograd_network(kind(text));
        REQUIRE(by_hand);
        REQUIRE(reference);
        const auto parameters = fresh_parameters(kind(text), 5);
        const Sample sample;
        const auto gradient = at::zeros_like(parameters);
        const auto wanted = at::zeros_like(parameters);
        const double loss = (*by_hand)->add_gradient(parameters, sample.batch(), gradient, 0.0, 1.0);
        const double wanted_loss = (*reference)->add_gradient(parameters, sample.batch(), wanted, 0.0, 1.0);
        CHECK(loss == doctest::Approx(wanted_loss).epsilon(1e-5));
        CHECK((gradient - wanted).abs().max().item<float>() < 1e-5F);
        CHECK(wanted.abs().max().item<float>() > 1e-2F);
    }
}

TEST_CASE("autograd through views gives the gradient of the model itself") {
    for (const char* text : {"mlp:6", "cnn:3x4+5", "resnet:4x6+1"}) {
        CAPTURE(text);
        const auto network = make_autograd_network(kind(text));
        REQUIRE(network);
        const Sample sample;
        const auto model = learning::make_model(kind(text).architecture, kind(text).shape, kClasses,
                                                learning::make_generator(5));
        std::vector<at::Tensor> gradients;
        for (at::Tensor parameter : model->parameters())
            parameter.requires_grad_(true);
        at::cross_entropy_loss(model->forward(sample.inputs), torch::tensor(sample.labels)).backward();
        for (at::Tensor parameter : model->parameters()) {
            gradients.push_back(parameter.grad().flatten());
            parameter.requires_grad_(false);
        }
        const auto parameters = fresh_parameters(kind(text), 5);
        const auto gradient = at::ones_like(parameters);
        // Twice: what the first call leaves behind must not count.
        for (int i = 0; i < 2; ++i)
            (*network)->add_gradient(parameters, sample.batch(), gradient, i == 0 ? 1.0 : 0.5, 1.0);
        CHECK(at::allclose(gradient, 0.5 + 1.5 * at::cat(gradients), 1e-4, 1e-5));
        CHECK(at::allclose((*network)->logits(parameters, sample.inputs), model->forward(sample.inputs), 1e-5,
                           1e-6));
    }
}

TEST_CASE("the target may be the parameters themselves, and is scaled before") {
    const auto network = make_network(kind("mlp:12x9"));
    const auto parameters = fresh_parameters(kind("mlp:12x9"), 5);
    const Sample sample;
    const auto gradient = at::zeros_like(parameters);
    (*network)->add_gradient(parameters, sample.batch(), gradient, 0.0, 1.0);
    const auto stepped = parameters.clone();
    (*network)->add_gradient(stepped, sample.batch(), stepped, 1.0, -0.5);
    CHECK(at::allclose(stepped, parameters - 0.5 * gradient, 1e-5, 1e-6));
    const auto velocity = at::ones_like(parameters);
    (*network)->add_gradient(parameters, sample.batch(), velocity, 0.25, 2.0);
    CHECK(at::allclose(velocity, 0.25 + 2.0 * gradient, 1e-5, 1e-6));
}

TEST_CASE("logits are those of the registry's model") {
    const auto inputs = at::randn({300, 1, 8, 8}, learning::make_generator(2));
    const auto model = learning::make_model(kind("mlp:12").architecture, kind("mlp:12").shape, kClasses,
                                            learning::make_generator(5));
    const auto parameters = fresh_parameters(kind("mlp:12"), 5);
    const auto network = make_network(kind("mlp:12"));
    CHECK(at::allclose((*network)->logits(parameters, inputs), learning::predict_logits(*model, inputs), 1e-5,
                       1e-6));
    CHECK_FALSE(make_network(kind("cnn:4x4x4x4")));
    CHECK_FALSE(make_network(kind("mlp:4096x4096")));
}
