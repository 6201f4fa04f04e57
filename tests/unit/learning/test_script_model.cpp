#include <filesystem>
#include <fstream>

#include <ATen/ATen.h>
#include <doctest/doctest.h>
#include <torch/script.h>
#include <unistd.h>

#include "node/learning/script_model.hpp"
#include "node/learning/training.hpp"

using namespace unlearn::learning;

namespace {

constexpr InputShape kShape{1, 1, 3};

struct ScriptFile {
    std::filesystem::path path =
        std::filesystem::temp_directory_path() / ("unlearnd-script-" + std::to_string(::getpid()) + ".pt");
    ~ScriptFile() { std::filesystem::remove(path); }

    // A module with a weight [2, 3] of ones and this body.
    void save(const std::string& body) const {
        torch::jit::Module module("Users");
        module.register_parameter("weight", at::ones({2, 3}), false);
        module.define("def forward(self, x):\n    " + body + "\n");
        module.save(path.string());
    }
};

}  // namespace

TEST_CASE("a user's TorchScript module is a main model") {
    const ScriptFile file;
    file.save("return torch.matmul(x.flatten(1), self.weight.t()) * 2.0");
    const auto main = MainModel::from_script(file.path, kShape, 2);
    REQUIRE_MESSAGE(main, main.error().message);
    const auto inputs = at::arange(6, at::kFloat).view({2, 1, 1, 3});
    const auto expected = at::tensor({6.0F, 6.0F, 24.0F, 24.0F}).view({2, 2});
    CHECK(at::equal(predict_logits(main->model(), inputs), expected));
    CHECK(main->model().parameter_count() == 6);
}

TEST_CASE("its answers have the same bits however often it is asked") {
    const ScriptFile file;
    file.save(
        "return torch.softmax(torch.sigmoid(torch.matmul(x.flatten(1), self.weight.t())) * 0.3 + 0.1, 1)");
    const auto main = MainModel::from_script(file.path, kShape, 2);
    REQUIRE(main);
    const auto inputs = at::arange(300, at::kFloat).view({100, 1, 1, 3}) * 0.01;
    const auto first = predict_logits(main->model(), inputs);
    for (int i = 0; i < 5; ++i)
        CHECK(at::equal(predict_logits(main->model(), inputs), first));
}

TEST_CASE("what is no usable module is refused in one line that names the file") {
    const ScriptFile file;
    SUBCASE("wrong number of classes") {
        file.save("return torch.matmul(x.flatten(1), self.weight.t())[:, :1]");
    }
    SUBCASE("not finite") {
        file.save("return torch.matmul(x.flatten(1), self.weight.t()) / 0.0");
    }
    SUBCASE("wants other inputs") {
        file.save("return torch.matmul(x, self.weight)");
    }
    SUBCASE("no module") {
        std::ofstream(file.path) << "hello";
    }
    SUBCASE("no file") {}
    const auto main = MainModel::from_script(file.path, kShape, 2);
    REQUIRE_FALSE(main);
    CHECK(main.error().message.find(file.path.string()) == 0);
    CHECK(main.error().message.find('\n') == std::string::npos);
}
