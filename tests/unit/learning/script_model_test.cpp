#include "node/learning/script_model.hpp"

#include <filesystem>
#include <fstream>

#include <ATen/ATen.h>
#include <doctest/doctest.h>
#include <torch/script.h>
#include <unistd.h>

#include "node/learning/training.hpp"

using namespace unlearn::learning;

namespace {

/// Rows of three numbers, [N, 1, 1, 3], of two classes.
Dataset rows(std::size_t count = 40) {
    LabelledData table;
    table.count = count;
    table.shape = {1, 1, 3};
    table.class_names = {"a", "b"};
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t j = 0; j < 3; ++j)
            table.features.push_back(static_cast<float>((i * 7 + j * 3) % 11) * 0.25F - 1.0F);
        table.labels.push_back(static_cast<std::int64_t>(i % 2));
    }
    return Dataset::from_table(table);
}

struct ScriptFile {
    std::filesystem::path path =
        std::filesystem::temp_directory_path() / ("unlearnd-script-" + std::to_string(::getpid()) + ".pt");
    ~ScriptFile() { std::filesystem::remove(path); }

    // A module with a weight [2, 3] of ones, a buffer [2] of zeros, and these lines of a body.
    void save(const std::string& body) const {
        torch::jit::Module module("Users");
        module.register_parameter("weight", at::ones({2, 3}), false);
        module.register_buffer("seen", at::zeros({2}));
        module.define("def forward(self, x):\n    " + body + "\n");
        module.save(path.string());
    }
    // What the refusal of such a module says after the file's name.
    [[nodiscard]] std::string refusal(const std::string& body) const {
        save(body);
        const auto main = MainModel::from_script(path, rows());
        if (main) return "no refusal";
        CHECK(main.error().message.find('\n') == std::string::npos);
        REQUIRE(main.error().message.starts_with(path.string() + ": "));
        return main.error().message.substr(path.string().size() + 2);
    }
};

}  // namespace

TEST_CASE("a user's TorchScript module is a main model") {
    const ScriptFile file;
    file.save("return torch.matmul(x.flatten(1), self.weight.t()) * 2.0");
    const auto main = MainModel::from_script(file.path, rows());
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
    const auto main = MainModel::from_script(file.path, rows());
    REQUIRE(main);
    const auto inputs = at::arange(300, at::kFloat).view({100, 1, 1, 3}) * 0.01;
    const auto first = predict_logits(main->model(), inputs);
    for (int i = 0; i < 5; ++i)
        CHECK(at::equal(predict_logits(main->model(), inputs), first));
}

TEST_CASE("what is no usable module is refused in one line that names the file") {
    const ScriptFile file;
    SUBCASE("a tuple") {
        file.save("return (torch.matmul(x.flatten(1), self.weight.t()), x)");
    }
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
    const auto main = MainModel::from_script(file.path, rows());
    REQUIRE_FALSE(main);
    CHECK(main.error().message.find(file.path.string()) == 0);
    CHECK(main.error().message.find('\n') == std::string::npos);
}

TEST_CASE("a refusal says the cause in LibTorch's own last line") {
    const ScriptFile file;
    const std::string product = "torch.matmul(x.flatten(1), self.weight.t())";
    CHECK(file.refusal("return " + product) == "no refusal");
    // Traced with a batch of two rows.
    CHECK(file.refusal("return torch.matmul(x.reshape([2, 3]), self.weight.t())") ==
          "cannot answer 256 rows: RuntimeError: shape '[2, 3]' is invalid for input of size 768");
    CHECK(file.refusal("return torch.matmul(x.flatten(1), self.weight.t().double())")
              .find("RuntimeError: expected") != std::string::npos);
    CHECK(file.refusal("return " + product + ".double()") ==
          "gives Double numbers, where float32 (Float) is expected");
    CHECK(file.refusal("return torch.cat([" + product + ", " + product + "], 1)") ==
          "gives numbers of shape [256, 4] for 256 rows, where logits of shape [256, 2] are expected: one "
          "for each "
          "class of the network");
    CHECK(
        file.refusal("return " + product + ".sum(0)").starts_with("gives numbers of shape [2] for 256 rows"));
    CHECK(file.refusal("return " + product + " / 0.0 * 0.0") == "gives logits that are not finite");
    CHECK(file.refusal("return 5").find("it gives a Int, not a tensor") != std::string::npos);
}

TEST_CASE("a module that answers the same input differently is refused") {
    const ScriptFile file;
    const std::string product = "torch.matmul(x.flatten(1), self.weight.t())";
    // Dropout that was left on, a counter, batch normalisation in training mode without and with memory.
    CHECK(file.refusal("return torch.dropout(" + product + ", 0.5, True)").find("differently each time") !=
          std::string::npos);
    CHECK(file.refusal("self.seen.add_(1)\n    return " + product + " + self.seen")
              .find("differently each time") != std::string::npos);
    CHECK(file.refusal("self.seen.add_(1)\n    return " + product).find("changes its own numbers") !=
          std::string::npos);
    CHECK(file.refusal("y = " + product + "\n    return y - y.mean(0)")
              .find("when other rows stand beside it") != std::string::npos);
    // The control: in evaluation mode all of this is as it should be.
    CHECK(file.refusal("return torch.dropout(" + product + ", 0.5, False)") == "no refusal");
}

TEST_CASE("what was saved by mistake is told apart") {
    const ScriptFile file;
    file.save("return torch.matmul(x.flatten(1), self.weight.t())");
    std::ifstream in(file.path, std::ios::binary);
    const std::string whole{std::istreambuf_iterator<char>(in), {}};
    std::ofstream(file.path, std::ios::binary) << whole.substr(0, whole.size() / 2);
    const auto cut = MainModel::from_script(file.path, rows());
    REQUIRE_FALSE(cut);
    CHECK(cut.error().message.find("the file is cut off, or was not made by torch.jit.save") !=
          std::string::npos);
    const auto none = MainModel::from_script("/no/such/net.pt", rows());
    REQUIRE_FALSE(none);
    CHECK(none.error().message == "/no/such/net.pt: no such file");
}

TEST_CASE("a module that works in place changes nobody else's inputs") {
    const ScriptFile file;
    file.save("return torch.matmul(x.mul_(2.0).flatten(1), self.weight.t())");
    const auto main = MainModel::from_script(file.path, rows());
    REQUIRE_MESSAGE(main, main.error().message);
    const auto inputs = at::arange(6, at::kFloat).view({2, 1, 1, 3});
    const auto expected = at::tensor({6.0F, 6.0F, 24.0F, 24.0F}).view({2, 2});
    CHECK(at::equal(predict_logits(main->model(), inputs), expected));
    CHECK(at::equal(inputs, at::arange(6, at::kFloat).view({2, 1, 1, 3})));
}

TEST_CASE("a folder, a sparse answer and an error of several lines are one line that says so") {
    const ScriptFile file;
    CHECK(file.refusal("return torch.matmul(x.flatten(1), self.weight.t()).to_sparse()") ==
          "gives a sparse tensor, where a dense one is expected");
    CHECK(file.refusal("assert bool((x > 9.0).all()), \"first line\\nsecond line\"\n    return x")
              .find("AssertionError: first line") != std::string::npos);
    const auto folder = MainModel::from_script(std::filesystem::temp_directory_path(), rows());
    REQUIRE_FALSE(folder);
    CHECK(folder.error().message.ends_with(": is not a file"));
}

TEST_CASE("a module that throws at a later input throws one line that names it") {
    const ScriptFile file;
    file.save(
        "assert not bool((x > 100.0).any()), \"too large\"\n"
        "    return torch.matmul(x.flatten(1), self.weight.t())");
    const auto main = MainModel::from_script(file.path, rows());
    REQUIRE_MESSAGE(main, main.error().message);
    std::string said;
    try {
        static_cast<void>(predict_logits(main->model(), at::full({5, 1, 1, 3}, 101.0F)));
    } catch (const std::exception& error) {
        said = error.what();
    }
    CHECK(said.starts_with(file.path.string() + ": cannot answer 5 rows: "));
    CHECK(said.find("too large") != std::string::npos);
    CHECK(said.find('\n') == std::string::npos);
    CHECK_THROWS(static_cast<void>(predict_logits(main->model(), at::full({1, 1, 1, 3}, 3e38F))));
    CHECK(predict_logits(main->model(), at::ones({1, 1, 1, 3})).size(0) == 1);
}
