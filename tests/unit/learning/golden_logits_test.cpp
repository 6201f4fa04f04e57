#include <cstring>

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include "node/learning/models.hpp"
#include "tests/support/golden.hpp"

/// The vectors of tests/golden/logits.json, which the second implementation made (tests/interop): what the
/// seeds of seeds.json compute.

namespace {

using namespace unlearn::learning;
using namespace unlearn::testing;
using nlohmann::json;

Model model_of(const json& seed) {
    const auto& sizes = seed["input_shape"];
    const InputShape shape{sizes[0], sizes[1], sizes[2]};
    const auto checked = check_seed_payload(seed["architecture"].get<std::string>(), shape, seed["classes"],
                                            from_hex(seed["payload"]));
    REQUIRE_MESSAGE(checked, checked.error().message);
    auto model = load_model(checked->architecture, shape, seed["classes"], checked->tensors);
    REQUIRE(model);
    return std::move(*model);
}

TEST_CASE("seeds compute what tests/golden/logits.json says") {
    const auto seeds = golden_vectors("seeds.json")["seeds"];
    const auto expected = golden_vectors("logits.json")["seeds"];
    REQUIRE(seeds.size() == expected.size());
    for (std::size_t i = 0; i < seeds.size(); ++i) {
        INFO(seeds[i]["architecture"]);
        REQUIRE(seeds[i]["architecture"] == expected[i]["architecture"]);
        const auto model = model_of(seeds[i]);
        const auto bytes = from_hex(expected[i]["seen"]);
        std::vector<float> seen(bytes.size() / sizeof(float));
        std::memcpy(seen.data(), bytes.data(), bytes.size());
        const auto& shape = model.input_shape();
        const auto rows = static_cast<std::int64_t>(seen.size()) / shape.size();
        const auto inputs =
            at::from_blob(seen.data(), {rows, shape.channels, shape.height, shape.width}, at::kFloat);
        const at::Tensor logits = predict_logits(model, inputs);
        REQUIRE(static_cast<std::size_t>(rows) == expected[i]["logits"].size());
        for (std::int64_t row = 0; row < rows; ++row)
            for (std::int64_t c = 0; c < model.classes(); ++c) {
                const double wanted =
                    expected[i]["logits"][static_cast<std::size_t>(row)][static_cast<std::size_t>(c)];
                CHECK(logits[row][c].item<double>() == doctest::Approx(wanted).epsilon(1e-4));
            }
    }
}

}  // namespace
