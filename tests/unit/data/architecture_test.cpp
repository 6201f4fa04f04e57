#include "node/learning/data/architecture.hpp"

#include <doctest/doctest.h>

namespace {

using namespace unlearn::learning;

const InputShape kImage{1, 28, 28};

std::vector<NamedTensor> zeros_for(const std::string& text) {
    std::vector<NamedTensor> tensors;
    const auto expected = expected_tensors(*parse_architecture(text), kImage, 10);
    for (const auto& wanted : *expected) {
        tensors.push_back(
            {wanted.name, wanted.shape, std::vector<float>(static_cast<std::size_t>(wanted.elements()))});
    }
    return tensors;
}

std::string seed_error(const std::string& text, const std::vector<NamedTensor>& tensors) {
    const auto checked = check_seed_payload(text, kImage, 10, write_safetensors(tensors));
    return checked ? "" : checked.error().message;
}

bool mentions(const std::string& message, const std::string& part) {
    return message.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("one architecture has one text") {
    for (const std::string text :
         {"linear", "mlp:32", "mlp:64x32", "cnn:8x16", "cnn:16x32+64", "resnet:8x12+1"}) {
        const auto architecture = parse_architecture(text);
        REQUIRE(architecture);
        CHECK(architecture->text() == text);
    }
    for (const std::string text :
         {"",        "mlp",      "mlp:",        "mlp:0",        "mlp:032",
          "mlp:32x", "mlp:x32",  "mlp:32,10",   "mlp:-3",       "mlp:99999",
          "mlp:3+1", "MLP:32",   "linear:3",    "cnn:",         "cnn:8+",
          "cnn:8+0", "resnet:8", "resnet:8+99", "resnet:8+1+1", "mlp:1x1x1x1x1x1x1x1x1",
          "tree:3",  "mlp: 32",  "mlp:32 "}) {
        CAPTURE(text);
        CHECK_FALSE(parse_architecture(text));
    }
    CHECK_FALSE(parse_architecture(std::string(100'000, 'x')));
}

TEST_CASE("a kind that is not allowed is refused, and the message lists those that are") {
    constexpr std::array allowed{ArchitectureKind::linear, ArchitectureKind::cnn};
    CHECK(parse_architecture("cnn:8", allowed));
    const auto refused = parse_architecture("mlp:32", allowed);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message ==
          "unknown architecture \"mlp:32\": expected linear, cnn:16x32 or cnn:16x32+64");
    CHECK(parse_architecture("?").error().message ==
          "unknown architecture \"?\": expected linear, mlp:32, mlp:64x32, cnn:16x32, cnn:16x32+64 or "
          "resnet:8x12+1");
}

TEST_CASE("parameter counts are those of the literature") {
    const auto count = [](const std::string& text) {
        return *parameter_count(*parse_architecture(text), kImage, 10);
    };
    CHECK(count("linear") == 7850);
    CHECK(count("mlp:32") == 25'450);
    CHECK(count("cnn:8x16") == 80 + 1168 + 7850);
    CHECK(count("resnet:16x32x64+3") == doctest::Approx(272'000).epsilon(0.01));
    CHECK(count("resnet:8x12+1") == doctest::Approx(4'000).epsilon(0.15));
}

TEST_CASE("a model that cannot exist is refused before anything is allocated") {
    CHECK_FALSE(expected_tensors(*parse_architecture("cnn:4x4x4x4x4"), kImage, 10));
    CHECK_FALSE(expected_tensors(*parse_architecture("mlp:4096x4096"), kImage, 10));
    CHECK_FALSE(expected_tensors(*parse_architecture("mlp:32"), kImage, 1));
    CHECK_FALSE(expected_tensors(*parse_architecture("mlp:32"), {1, 0, 28}, 10));
    CHECK_FALSE(expected_tensors(*parse_architecture("mlp:32"), {1 << 20, 1 << 20, 1 << 20}, 10));
    CHECK(expected_tensors(*parse_architecture("mlp:2048"), kImage, 10));
    CHECK_FALSE(expected_tensors(*parse_architecture("mlp:2048"), kImage, 10, kSeedLimits));
}

TEST_CASE("a seed that peers could not read for its many tensors is refused where it would be made") {
    CHECK(expected_tensors(*parse_architecture("resnet:2x2+32"), kImage, 10, kSeedLimits));
    const auto deep = parse_architecture("resnet:2x2x2+32");
    CHECK(expected_tensors(*deep, kImage, 10));
    const auto refused = expected_tensors(*deep, kImage, 10, kSeedLimits);
    REQUIRE_FALSE(refused);
    CHECK(mentions(refused.error().message, "resnet:2x2x2+32 has 583 tensors, more than 512"));
}

TEST_CASE("a seed must hold exactly the tensors of its architecture") {
    for (const std::string text : {"linear", "mlp:32", "cnn:8x16", "resnet:8x12+1"}) {
        CHECK(seed_error(text, zeros_for(text)).empty());
    }
    CHECK(mentions(seed_error("mlp:33", zeros_for("mlp:32")), "wrong shape"));
    CHECK(mentions(seed_error("linear", zeros_for("mlp:32")), "has 4 tensors, expected 2"));
    CHECK(mentions(seed_error("lstm:3", zeros_for("linear")), "unknown architecture"));
    auto renamed = zeros_for("mlp:32");
    renamed[0].name = "other";
    CHECK(mentions(seed_error("mlp:32", renamed), "tensor 1 is not named \"hidden1.weight\""));
    auto reordered = zeros_for("mlp:32");
    std::swap(reordered[0], reordered[2]);
    CHECK_FALSE(seed_error("mlp:32", reordered).empty());
    auto reshaped = zeros_for("mlp:32");
    std::swap(reshaped[0].shape[0], reshaped[0].shape[1]);
    CHECK(mentions(seed_error("mlp:32", reshaped), "wrong shape"));
    auto huge = zeros_for("mlp:32");
    huge[3].values[9] = 1e30F;
    CHECK(mentions(seed_error("mlp:32", huge), "not finite or beyond"));
}

TEST_CASE("the header of a small seed takes a few hundred bytes at most") {
    const auto bytes = write_safetensors(zeros_for("mlp:32"));
    CHECK(bytes.size() - 25'450 * 4 < 400);
}
