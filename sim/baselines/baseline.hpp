#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "sim/baselines/evaluation.hpp"
#include "sim/baselines/forgetting.hpp"
#include "sim/baselines/options.hpp"
#include "sim/baselines/participant.hpp"
#include "sim/baselines/team.hpp"
#include "sim/result.hpp"
#include "topologies/graph.hpp"

/// The interface of every method that HDUS is compared with: train, predict, forget.
namespace unlearn::sim::baselines {

/// The setup that is the same for every baseline of a comparison.
struct BaselineSetup {
    topologies::Graph graph;
    std::vector<Participant> participants;  ///< in the order of the graph's names
    LocalOptions local;
    std::int64_t rounds = 60;  ///< rounds of training
    std::uint64_t scenario_seed = 0;
};

/// Logits [N, classes] for the same N inputs, by participant name.
using Predictions = std::map<std::string, at::Tensor>;

/// The result of forgetting a participant.
struct Forgotten {
    Recovery recovery;   ///< over all survivors
    Predictions logits;  ///< the survivors' logits for Evaluation::test
};

/// A method that learns from the data of many participants. Only one thread may use it at a time.
class Baseline {
  public:
    virtual ~Baseline() = default;

    /// Returns the name that tables and plots show.
    [[nodiscard]] virtual std::string name() const = 0;
    /// Trains for the number of rounds in its setup. After an error it must not be used.
    [[nodiscard]] virtual Result<void> train(const RoundProgress& progress) = 0;
    /// Returns what each participant predicts for inputs [N, channels, height, width].
    [[nodiscard]] virtual Predictions predict(const at::Tensor& inputs) = 0;
    /// Returns the ways in which it can forget. The first way is exact: its bits are those of a network that
    /// never had the leaver.
    [[nodiscard]] virtual std::vector<std::string> ways_to_forget() const = 0;
    /// Forgets one participant in one of these ways. This network itself does not change. @return an error of
    /// one line when there is no such participant, or when no participant would be left.
    [[nodiscard]] virtual Result<Forgotten> forget(const std::string& leaver, const std::string& way,
                                                   const ForgettingOptions& options,
                                                   const Evaluation& evaluation) = 0;
};

/// A baseline, or why it cannot be made.
using BaselineOrError = Result<std::unique_ptr<Baseline>>;

/// Makes the D-PSGD baseline. The team must outlive it.
[[nodiscard]] BaselineOrError make_decentralised_baseline(const BaselineSetup& setup, Team& team);
/// Makes the FedAvg baseline. The team must outlive it.
[[nodiscard]] BaselineOrError make_federated_baseline(const BaselineSetup& setup, Team& team);

/// All baselines of a comparison, in the order of its tables.
inline constexpr BaselineOrError (*kBaselines[])(const BaselineSetup&, Team&) = {make_decentralised_baseline,
                                                                                 make_federated_baseline};

}  // namespace unlearn::sim::baselines
