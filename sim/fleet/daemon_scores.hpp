#pragma once

#include <functional>
#include <optional>
#include <string>

#include <ATen/core/Tensor.h>

#include "node/config/node_data.hpp"
#include "sim/fleet/daemon.hpp"
#include "sim/result.hpp"
#include "sim/run/nodes.hpp"

/// Scores a daemon by its answers for the test set.
namespace unlearn::sim::fleet {

/// The test set of a scenario, on which daemons are scored.
class TestSet {
  public:
    /// `test` must outlive this object. `scaling` is what the daemons apply to the numbers in their data
    /// files.
    TestSet(const learning::Dataset& test, scenario::DataSettings::Kind kind, const config::Scaling& scaling);

    /// Asks the daemon for its ensemble's predictions under both priors. `main` are the predictions of the
    /// main model. It is an error if the seed of a node for which `is_forgotten(id)` is true has taken part.
    [[nodiscard]] Result<run::Evaluation> evaluate(
        Daemon& daemon, const at::Tensor& main,
        const std::function<bool(const std::string&)>& is_forgotten) const;

    /// Returns the logits of the main model alone, [T, classes]. The model is read from the daemon's data
    /// folder, because the daemon itself answers with its ensemble.
    [[nodiscard]] Result<at::Tensor> main_predictions(const Daemon& daemon) const;

  private:
    [[nodiscard]] nlohmann::json request(std::int64_t first, std::int64_t rows) const;
    [[nodiscard]] at::Tensor to_predictions(const std::vector<float>& values) const;

    const learning::Dataset& test_;
    scenario::DataSettings::Kind kind_;
    learning::Inputs inputs_;  ///< scaled as the models see them
};

}  // namespace unlearn::sim::fleet
