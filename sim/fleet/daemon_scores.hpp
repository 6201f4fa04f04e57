#pragma once

#include <functional>
#include <optional>
#include <string>

#include <ATen/core/Tensor.h>
#include <tl/expected.hpp>

#include "node/config/node_data.hpp"
#include "sim/fleet/daemon.hpp"
#include "sim/run/nodes.hpp"

/// Scores a daemon by what it answers for the test set.
namespace unlearn::sim::fleet {

class TestSet {
  public:
    /// `test` must outlive the object; `scaling` is what the daemons do to numbers as they stand in files.
    TestSet(const learning::Dataset& test, scenario::DataSettings::Kind kind, const config::Scaling& scaling);

    /// Asks for the ensemble's predictions under both priors. `main` are those of the main model.
    /// `is_forgotten(id)`: such a node's seed must not have taken part.
    [[nodiscard]] tl::expected<run::Evaluation, std::string> evaluate(
        Daemon& daemon, const at::Tensor& main,
        const std::function<bool(const std::string&)>& is_forgotten) const;

    /// What the main model alone predicts [T, classes]: logits of the model in the daemon's data folder, for
    /// the daemon itself answers with its ensemble.
    [[nodiscard]] tl::expected<at::Tensor, std::string> main_predictions(const Daemon& daemon) const;

  private:
    [[nodiscard]] nlohmann::json request(std::int64_t first, std::int64_t rows) const;
    [[nodiscard]] at::Tensor to_predictions(const std::vector<float>& values) const;

    const learning::Dataset& test_;
    scenario::DataSettings::Kind kind_;
    at::Tensor inputs_;  ///< scaled as models see them
};

}  // namespace unlearn::sim::fleet
