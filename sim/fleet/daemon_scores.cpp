#include "sim/fleet/daemon_scores.hpp"

#include <algorithm>
#include <fstream>
#include <span>
#include <vector>

#include "node/learning/training.hpp"
#include "protocol/digest.hpp"
#include "sim/fleet/data_files.hpp"

namespace unlearn::sim::fleet {
namespace {

using nlohmann::json;

/// The number of rows in a request. For images, that is some hundred kilobytes.
constexpr std::int64_t kRowsInRequest = 256;
/// The file with the main model in a daemon's data folder: a fingerprint, then safetensors.
constexpr const char* kModelFile = "main-model";

/// The test examples as the models see them.
learning::Inputs scaled(const learning::Dataset& test, const config::Scaling& scaling) {
    const at::Tensor& rows = test.inputs().rows();
    std::vector<float> values(rows.data_ptr<float>(), rows.data_ptr<float>() + rows.numel());
    scaling.apply_to_loaded(values);
    return learning::inputs_of(values, test.shape());
}

}  // namespace

TestSet::TestSet(const learning::Dataset& test, scenario::DataSettings::Kind kind,
                 const config::Scaling& scaling)
    : test_(test), kind_(kind), inputs_(scaled(test, scaling)) {}

/// Makes a request with rows as they are in data files.
json TestSet::request(std::int64_t first, std::int64_t rows) const {
    const auto width = test_.shape().size();
    const float* values = test_.inputs().rows().data_ptr<float>() + first * width;
    json inputs = json::array();
    for (std::int64_t row = 0; row < rows; ++row) {
        json numbers = json::array();
        for (std::int64_t i = 0; i < width; ++i) {
            const float value = raw_value(kind_, values[row * width + i]);
            // Whole numbers make a shorter text.
            numbers.push_back(kind_ == scenario::DataSettings::Kind::idx ? json(static_cast<int>(value))
                                                                         : json(value));
        }
        inputs.push_back(std::move(numbers));
    }
    return {{"inputs", std::move(inputs)}};
}

at::Tensor TestSet::to_predictions(const std::vector<float>& values) const {
    return learning::inputs_of(values, {1, 1, test_.classes()}).rows().view({test_.size(), test_.classes()});
}

Result<run::Evaluation> TestSet::evaluate(Daemon& daemon, const at::Tensor& main,
                                          const std::function<bool(const std::string&)>& is_forgotten) const {
    const std::string& name = daemon.setup().name;
    run::Evaluation out;
    out.name = name;
    std::vector<float> own;
    std::vector<float> uniform;
    for (std::int64_t first = 0; first < test_.size(); first += kRowsInRequest) {
        const json body = request(first, std::min(kRowsInRequest, test_.size() - first));
        for (const auto& [prior, all] : {std::pair("own", &own), std::pair("uniform", &uniform)}) {
            const auto answer = daemon.post(std::string("/v1/predict?prior=") + prior, body);
            if (!answer) return failed_with(answer.error());
            for (const auto& row : answer->at("probabilities"))
                for (const auto& value : row)
                    all->push_back(value.get<float>());
            for (const auto& participant : answer->at("participants"))
                if (is_forgotten(participant.at("owner")))
                    return failed_with(name + ": still predicts with a seed that it signed to have erased");
            out.rho = answer->at("rho");
        }
    }
    const auto expected = static_cast<std::size_t>(test_.size() * test_.classes());
    if (own.size() != expected || uniform.size() != expected)
        return failed_with(name + ": prediction: an answer has another size than the request");
    out.own_prior = to_predictions(own);
    out.uniform_prior = to_predictions(uniform);
    out.score(main, test_, daemon.setup().own);
    return out;
}

Result<at::Tensor> TestSet::main_predictions(const Daemon& daemon) const {
    const auto file = daemon.files().data_dir / kModelFile;
    std::ifstream in(file, std::ios::binary);
    const std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(in), {}};
    if (bytes.size() <= protocol::Digest::kSize) return failed_with(file.string() + ": holds no model");
    const auto main =
        learning::MainModel::restore(daemon.setup().main_architecture, test_.shape(), test_.classes(),
                                     std::span(bytes).subspan(protocol::Digest::kSize));
    if (!main) return failed_with(file.string() + ": " + main.error().message);
    return learning::predict_logits(main->model(), inputs_);
}

}  // namespace unlearn::sim::fleet
