#include "node/learning/script_model.hpp"

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/script.h>

#include "node/learning/failure.hpp"
#include "node/learning/product_turn.hpp"
#include "node/learning/wipe.hpp"

namespace unlearn::learning {
namespace {

std::string size_text(const at::Tensor& tensor) {
    std::string out = "[";
    for (std::int64_t i = 0; i < tensor.dim(); ++i)
        out += (i > 0 ? ", " : "") + std::to_string(tensor.size(i));
    return out + "]";
}

class ScriptModel final : public Classifier {
  public:
    ScriptModel(std::string file, torch::jit::Module module, const InputShape& shape, std::int64_t classes)
        : file_(std::move(file)), module_(std::move(module)), shape_(shape), classes_(classes) {}
    ScriptModel(const ScriptModel&) = delete;
    ScriptModel& operator=(const ScriptModel&) = delete;
    ~ScriptModel() override {
        for (const at::Tensor& parameter : module_.parameters())
            wipe(parameter);
    }

    [[nodiscard]] at::Tensor forward(const Inputs& inputs) const override {
        const at::Tensor answer = answer_to(inputs.rows());
        if (const auto problem = problem_with(answer, inputs.size()))
            throw std::runtime_error(file_ + ": " + *problem);
        return answer.contiguous();
    }
    [[nodiscard]] const InputShape& input_shape() const override { return shape_; }
    [[nodiscard]] std::int64_t classes() const override { return classes_; }
    [[nodiscard]] std::int64_t parameter_count() const override {
        std::int64_t total = 0;
        for (const at::Tensor& parameter : module_.parameters())
            total += parameter.numel();
        return total;
    }
    [[nodiscard]] std::vector<NamedTensor> export_tensors() const override { return {}; }
    /// Returns copies of all parameters and buffers of the module.
    [[nodiscard]] std::vector<at::Tensor> numbers() const {
        std::vector<at::Tensor> copies;
        for (const at::Tensor& parameter : module_.parameters())
            copies.push_back(parameter.clone());
        for (const at::Tensor& buffer : module_.buffers())
            copies.push_back(buffer.clone());
        return copies;
    }

  private:
    [[nodiscard]] at::Tensor answer_to(const at::Tensor& inputs) const {
        const at::NoGradGuard no_gradients;
        // This setting belongs to the calling thread.
        const torch::jit::GraphOptimizerEnabledGuard unoptimised(false);
        torch::jit::Module module = module_;  // shares the weights; calls are not const
        try {
            // Passes a copy, because layers that work in place would change what the peers' seeds are given.
            const auto answer = module.forward({inputs.clone()});
            if (!answer.isTensor())
                throw std::runtime_error("it gives a " + answer.tagKind() + ", not a tensor");
            return answer.toTensor();
        } catch (const std::exception& error) {
            throw std::runtime_error(file_ + ": cannot answer " + std::to_string(inputs.size(0)) +
                                     (inputs.size(0) == 1 ? " row: " : " rows: ") + cause_of(error));
        }
    }

    [[nodiscard]] std::optional<std::string> problem_with(const at::Tensor& answer, std::int64_t rows) const {
        if (answer.layout() != at::kStrided) return "gives a sparse tensor, where a dense one is expected";
        if (answer.dim() != 2 || answer.size(0) != rows || answer.size(1) != classes_)
            return "gives numbers of shape " + size_text(answer) + " for " + std::to_string(rows) +
                   " rows, where logits of shape [" + std::to_string(rows) + ", " + std::to_string(classes_) +
                   "] are expected: one for each class of the network";
        if (answer.scalar_type() != at::kFloat)
            return std::string("gives ") + c10::toString(answer.scalar_type()) +
                   " numbers, where float32 (Float) is expected";
        if (!at::isfinite(answer).all().item<bool>()) return "gives logits that are not finite";
        return std::nullopt;
    }

    std::string file_;
    torch::jit::Module module_;
    InputShape shape_;
    std::int64_t classes_;
};

/// Returns as many rows as asked for by repeating the rows of the trial.
at::Tensor rows_of(const at::Tensor& trial, std::int64_t count) {
    return trial.index_select(0, at::arange(count, at::kLong).remainder(trial.size(0)));
}

bool are_equal(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
    for (std::size_t i = 0; i < a.size(); ++i)
        if (!at::equal(a[i], b[i])) return false;
    return true;
}

/// Whether each of the first rows gets about the same answer alone as among others.
bool rows_are_alone(const ScriptModel& model, const at::Tensor& rows, const at::Tensor& together) {
    constexpr std::int64_t kLooked = 8;
    constexpr double kTolerance = 1e-3;  // the last bits depend on the size of the batch in any model
    const double largest = together.abs().max().item<double>();
    for (std::int64_t i = 0; i < std::min(kLooked, rows.size(0)); ++i) {
        const at::Tensor alone = model.forward(rows.narrow(0, i, 1));
        const double apart = (alone - together.narrow(0, i, 1)).abs().max().item<double>();
        if (apart > kTolerance * (1.0 + largest)) return false;
    }
    return true;
}

/// Returns what is wrong with the model, or nothing. Throws what forward() throws.
std::optional<std::string> problem_in_trial(const ScriptModel& model, const at::Tensor& trial) {
    // The largest batch comes first: in few rows a random layer can give the same answer twice by chance.
    constexpr std::int64_t kSizes[] = {kPredictionRows, 1, 2, 3};
    const auto before = model.numbers();
    for (const std::int64_t size : kSizes) {
        const at::Tensor rows = rows_of(trial, size);
        const at::Tensor answer = model.forward(rows);
        if (!at::equal(answer, model.forward(rows)))
            return "answers the same input differently each time: dropout or another random layer is on; "
                   "call eval() before torch.jit.trace or torch.jit.script";
        if (!are_equal(before, model.numbers()))
            return "changes its own numbers when it answers: batch normalisation is in training mode, "
                   "perhaps; call eval() before torch.jit.trace or torch.jit.script";
        if (!rows_are_alone(model, rows, answer))
            return "answers a row differently when other rows stand beside it: batch normalisation is in "
                   "training mode, perhaps; call eval() before torch.jit.trace or torch.jit.script";
    }
    return std::nullopt;
}

/// LibTorch's own messages mean little to users who saved the wrong thing.
std::string hint_for(const std::string& cause) {
    if (cause.find("constants.pkl") != std::string::npos)
        return "; the file holds numbers without a program, such as a state_dict: save the module itself "
               "with "
               "torch.jit.save";
    if (cause.find("zip archive") != std::string::npos)
        return "; the file is cut off, or was not made by torch.jit.save";
    return "";
}

}  // namespace

Result<std::shared_ptr<const Classifier>> load_script(const std::filesystem::path& file,
                                                      const InputShape& shape, std::int64_t classes,
                                                      const at::Tensor& trial) {
    const auto refuse = [&](const std::string& why) {
        return tl::unexpected(Error{file.string() + ": " + why});
    };
    std::error_code error;
    const auto status = std::filesystem::status(file, error);
    if (status.type() == std::filesystem::file_type::not_found) return refuse("no such file");
    if (!std::filesystem::is_regular_file(status)) return refuse(error ? error.message() : "is not a file");
    std::shared_ptr<const ScriptModel> model;
    try {
        torch::jit::getExecutorMode() = false;
        auto module = torch::jit::load(file.string(), at::kCPU);
        module.eval();
        model = std::make_shared<const ScriptModel>(file.string(), std::move(module), shape, classes);
    } catch (const std::exception& failure) {
        const std::string cause = cause_of(failure);
        return refuse("is not a TorchScript module: " + cause + hint_for(cause));
    }
    const ProductTurn turn;
    try {
        const at::Tensor rows =
            trial.size(0) > 0 ? trial : at::zeros({1, shape.channels, shape.height, shape.width}, at::kFloat);
        if (const auto problem = problem_in_trial(*model, rows)) return refuse(*problem);
        return model;
    } catch (const std::exception& failure) {
        return fail(failure.what());
    }
}

}  // namespace unlearn::learning
