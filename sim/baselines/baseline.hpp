#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <tl/expected.hpp>

#include "sim/baselines/evaluation.hpp"
#include "sim/baselines/forgetting.hpp"
#include "sim/baselines/options.hpp"
#include "sim/baselines/participant.hpp"
#include "sim/baselines/team.hpp"
#include "topologies/graph.hpp"

/// What a comparison asks of every method that HDUS is compared with: train, predict, forget.
namespace unlearn::sim::baselines {

/// What every baseline of a comparison starts with.
struct BaselineSetup {
    topologies::Graph graph;
    std::vector<Participant> participants;  ///< in the order of the graph's names
    LocalOptions local;
    std::int64_t rounds = 60;  ///< of training
    std::uint64_t scenario_seed = 0;
};

/// By the name of a participant: logits [N, classes] for the same N inputs.
using Predictions = std::map<std::string, at::Tensor>;

/// After a participant was forgotten.
struct Forgotten {
    Recovery recovery;   ///< over all survivors
    Predictions logits;  ///< of the survivors, for Evaluation::test
};

/// A method that learns from many participants' data. One thread at a time.
class Baseline {
  public:
    virtual ~Baseline() = default;

    /// As tables and plots call it.
    [[nodiscard]] virtual std::string name() const = 0;
    /// Trains for the rounds of its setup. After an error it must not be used.
    [[nodiscard]] virtual tl::expected<void, std::string> train(const RoundProgress& progress) = 0;
    /// What each participant predicts for inputs [N, channels, height, width].
    [[nodiscard]] virtual Predictions predict(const at::Tensor& inputs) = 0;
    /// How it can forget. The first way is exact: its bits are those of a network that never had the leaver.
    [[nodiscard]] virtual std::vector<std::string> ways_to_forget() const = 0;
    /// Forgets one participant in one of these ways; this network itself stays as it is. @return one line
    /// when there is no such participant or nobody is left.
    [[nodiscard]] virtual tl::expected<Forgotten, std::string> forget(const std::string& leaver,
                                                                      const std::string& way,
                                                                      const ForgettingOptions& options,
                                                                      const Evaluation& evaluation) = 0;
};

using BaselineOrError = tl::expected<std::unique_ptr<Baseline>, std::string>;

/// D-PSGD. The team must outlive it.
[[nodiscard]] BaselineOrError make_decentralised_baseline(const BaselineSetup& setup, Team& team);
/// FedAvg. The team must outlive it.
[[nodiscard]] BaselineOrError make_federated_baseline(const BaselineSetup& setup, Team& team);

/// Every baseline of a comparison, in the order of its tables.
inline constexpr BaselineOrError (*kBaselines[])(const BaselineSetup&, Team&) = {make_decentralised_baseline,
                                                                                 make_federated_baseline};

}  // namespace unlearn::sim::baselines
