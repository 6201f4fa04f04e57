#include <utility>

#include "sim/baselines/baseline.hpp"
#include "sim/baselines/federated_averaging.hpp"

namespace unlearn::sim::baselines {
namespace {

/// With every client in every round, a roll-back would go back to the initial model: it is full retraining.
class FederatedBaseline final : public Baseline {
  public:
    FederatedBaseline(FederatedAveraging network, std::int64_t rounds)
        : network_(std::move(network)), rounds_(rounds) {}

    [[nodiscard]] std::string name() const override { return "FedAvg"; }

    [[nodiscard]] tl::expected<void, std::string> train(const RoundProgress& progress) override {
        return network_.run(rounds_, progress);
    }

    [[nodiscard]] Predictions predict(const at::Tensor& inputs) override {
        return by_client(network_.clients(), network_.logits(inputs));
    }

    [[nodiscard]] std::vector<std::string> ways_to_forget() const override { return {"retrain"}; }

    [[nodiscard]] tl::expected<Forgotten, std::string> forget(const std::string& leaver, const std::string&,
                                                              const ForgettingOptions& options,
                                                              const Evaluation& evaluation) override {
        auto forgotten = retrain_without(network_, leaver, options, evaluation);
        if (!forgotten) return tl::unexpected(forgotten.error());
        auto& survivors = forgotten->network;
        return Forgotten{forgotten->recovery,
                         by_client(survivors.clients(), survivors.logits(evaluation.test.inputs()))};
    }

  private:
    /// Every client predicts with the server's model.
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
    if (!network) return tl::unexpected("FedAvg: " + network.error());
    return std::make_unique<FederatedBaseline>(std::move(*network), setup.rounds);
}

}  // namespace unlearn::sim::baselines
