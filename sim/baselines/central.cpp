#include "sim/baselines/central.hpp"

#include "node/learning/data/random.hpp"
#include "node/learning/generator.hpp"
#include "sim/baselines/cpu_clock.hpp"

namespace unlearn::sim::baselines {

Result<CentralModel> CentralModel::train(const std::vector<Participant>& participants,
                                         const learning::Architecture& architecture,
                                         const std::optional<learning::TrainOptions>& options,
                                         std::uint64_t scenario_seed, const learning::Progress& progress) {
    if (auto fine = check(participants); !fine)
        return failed_with("one model on all data: " + fine.error().message);
    const double started = thread_cpu_seconds();
    const auto stream = learning::stream_seed(scenario_seed, "", "baseline-central-model");
    auto model = learning::train(architecture, union_of(participants),
                                 options.value_or(learning::default_training(architecture)),
                                 learning::make_generator(stream), progress);
    if (!model) return failed_with("one model on all data: " + model.error().message);
    return CentralModel(std::move(*model), thread_cpu_seconds() - started);
}

at::Tensor CentralModel::logits(const at::Tensor& inputs) const {
    return learning::predict_logits(model_.model(), inputs);
}

}  // namespace unlearn::sim::baselines
