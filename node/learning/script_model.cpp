#include "node/learning/script_model.hpp"

#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/script.h>

#include "node/learning/product_turn.hpp"
#include "node/learning/wipe.hpp"

namespace unlearn::learning {
namespace {

class ScriptModel final : public Classifier {
  public:
    ScriptModel(torch::jit::Module module, const InputShape& shape, std::int64_t classes)
        : module_(std::move(module)), shape_(shape), classes_(classes) {}
    ScriptModel(const ScriptModel&) = delete;
    ScriptModel& operator=(const ScriptModel&) = delete;
    ~ScriptModel() override {
        for (const at::Tensor& parameter : module_.parameters())
            wipe(parameter);
    }

    [[nodiscard]] at::Tensor forward(const at::Tensor& inputs) const override {
        const at::NoGradGuard no_gradients;
        // The settings belong to the calling thread.
        const torch::jit::GraphOptimizerEnabledGuard unoptimised(false);
        torch::jit::Module module = module_;  // shares the weights; calls are not const
        return module.forward({inputs}).toTensor().contiguous();
    }
    [[nodiscard]] const InputShape& input_shape() const override { return shape_; }
    [[nodiscard]] std::int64_t classes() const override { return classes_; }
    [[nodiscard]] std::int64_t parameter_count() const override {
        std::int64_t total = 0;
        for (const at::Tensor& parameter : module_.parameters())
            total += parameter.numel();
        return total;
    }

  private:
    torch::jit::Module module_;
    InputShape shape_;
    std::int64_t classes_;
};

// The message of LibTorch without its stack trace.
std::string first_line(const std::string& text) {
    return text.substr(0, text.find('\n'));
}

}  // namespace

Result<std::shared_ptr<const Classifier>> load_script(const std::filesystem::path& file,
                                                      const InputShape& shape, std::int64_t classes) {
    const auto refuse = [&](const std::string& why) {
        return tl::unexpected(Error{file.string() + ": " + why});
    };
    if (!std::filesystem::is_regular_file(file)) return refuse("no such file");
    try {
        torch::jit::getExecutorMode() = false;
        auto module = torch::jit::load(file.string(), at::kCPU);
        module.eval();
        auto model = std::make_shared<const ScriptModel>(std::move(module), shape, classes);
        const ProductTurn turn;
        const auto answer =
            model->forward(at::zeros({2, shape.channels, shape.height, shape.width}, at::kFloat));
        if (answer.scalar_type() != at::kFloat || answer.dim() != 2 || answer.size(0) != 2 ||
            answer.size(1) != classes)
            return refuse("does not give float32 logits of shape [rows, " + std::to_string(classes) + "]");
        if (!at::isfinite(answer).all().item<bool>()) return refuse("gives logits that are not finite");
        return model;
    } catch (const std::exception& error) {
        return refuse("is no TorchScript module that takes these inputs: " + first_line(error.what()));
    }
}

}  // namespace unlearn::learning
