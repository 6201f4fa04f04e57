#include <utility>

#include "sim/baselines/baseline.hpp"
#include "sim/baselines/decentralised_sgd.hpp"
#include "sim/result.hpp"

namespace unlearn::sim::baselines {
namespace {

constexpr const char* kRetrain = "retrain";

class DecentralisedBaseline final : public Baseline {
  public:
    DecentralisedBaseline(DecentralisedSgd network, std::int64_t rounds)
        : network_(std::move(network)), rounds_(rounds) {}

    [[nodiscard]] std::string name() const override { return "D-PSGD"; }

    [[nodiscard]] Result<void> train(const RoundProgress& progress) override {
        return network_.run(rounds_, progress);
    }

    [[nodiscard]] Predictions predict(const at::Tensor& inputs) override {
        Predictions out;
        for (std::size_t i = 0; i < network_.size(); ++i)
            out.emplace(network_.participants()[i].name, network_.logits(i, inputs));
        return out;
    }

    [[nodiscard]] std::vector<std::string> ways_to_forget() const override { return {kRetrain, "roll back"}; }

    [[nodiscard]] Result<Forgotten> forget(const std::string& leaver, const std::string& way,
                                           const ForgettingOptions& options,
                                           const Evaluation& evaluation) override {
        auto forgotten = way == kRetrain ? retrain_without(network_, leaver, options, evaluation)
                                         : roll_back_without(network_, leaver, options, evaluation);
        if (!forgotten) return failed_with(forgotten.error());
        Forgotten out{forgotten->all, {}};
        for (auto& part : forgotten->parts)
            for (std::size_t i = 0; i < part.network.size(); ++i)
                out.logits.emplace(part.network.participants()[i].name,
                                   part.network.logits(i, evaluation.test.inputs().rows()));
        return out;
    }

  private:
    DecentralisedSgd network_;
    std::int64_t rounds_;
};

}  // namespace

BaselineOrError make_decentralised_baseline(const BaselineSetup& setup, Team& team) {
    auto network = DecentralisedSgd::create(setup.graph, setup.participants, {setup.local, setup.rounds},
                                            setup.scenario_seed, team);
    if (!network) return failed_with("D-PSGD: " + network.error().message);
    return std::make_unique<DecentralisedBaseline>(std::move(*network), setup.rounds);
}

}  // namespace unlearn::sim::baselines
