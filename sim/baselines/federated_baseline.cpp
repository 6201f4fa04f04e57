#include <utility>

#include "sim/baselines/baseline.hpp"
#include "sim/baselines/federated_averaging.hpp"
#include "sim/result.hpp"

namespace unlearn::sim::baselines {
namespace {

/// All clients take part in every round, so a roll-back would go back to the initial model. That is full
/// retraining, the only way here.
class FederatedBaseline final : public Baseline {
  public:
    FederatedBaseline(FederatedAveraging network, std::int64_t rounds)
        : network_(std::move(network)), rounds_(rounds) {}

    [[nodiscard]] std::string name() const override { return "FedAvg"; }

    [[nodiscard]] Result<void> train(const RoundProgress& progress) override {
        return network_.run(rounds_, progress);
    }

    [[nodiscard]] Predictions predict(const at::Tensor& inputs) override {
        return by_client(network_.clients(), network_.logits(inputs));
    }

    [[nodiscard]] std::vector<std::string> ways_to_forget() const override { return {"retrain"}; }

    [[nodiscard]] Result<Forgotten> forget(const std::string& leaver, const std::string&,
                                           const ForgettingOptions& options,
                                           const Evaluation& evaluation) override {
        auto forgotten = retrain_without(network_, leaver, options, evaluation);
        if (!forgotten) return failed_with(forgotten.error());
        auto& survivors = forgotten->network;
        return Forgotten{forgotten->recovery,
                         by_client(survivors.clients(), survivors.logits(evaluation.test.inputs().rows()))};
    }

  private:
    /// Returns the same logits for every client, because all of them predict with the server's model.
    static Predictions by_client(const std::vector<Participant>& clients, const at::Tensor& logits) {
        Predictions out;
        for (const auto& client : clients)
            out.emplace(client.name, logits);
        return out;
    }

    FederatedAveraging network_;
    std::int64_t rounds_;
};

}  // namespace

BaselineOrError make_federated_baseline(const BaselineSetup& setup, Team& team) {
    FederatedOptions options;
    options.local = setup.local;
    options.kept_rounds = setup.rounds;
    auto network = FederatedAveraging::create(setup.participants, options, setup.scenario_seed, team);
    if (!network) return failed_with("FedAvg: " + network.error().message);
    return std::make_unique<FederatedBaseline>(std::move(*network), setup.rounds);
}

}  // namespace unlearn::sim::baselines
