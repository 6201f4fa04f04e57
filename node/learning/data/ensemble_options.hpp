#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "node/learning/data/result.hpp"

// How a node combines what it holds. Plain values without tensors: configurations and scenarios name them,
// too.
namespace unlearn::learning {

// How a main model and the held seeds become one prediction. In all of them rho is the weight of the seeds.
enum class Aggregation {
    // clang-format off
    // Each voter is believed only in what it says *among the classes it knows*. The result q is the normalised
    // fixed point of
    //   log q(y) = sum of w_k (log p_k(y | known to k) + log q(known to k)) / sum of w_k
    // where both sums run over the voters k that know y.
    // A voter that never saw the right class counts little where the others see it. Each log p_k is cut off at
    // a floor, which bounds what one bad voter can do.
    // clang-format on
    known_classes,
    // HDUS as published (arXiv 2308.13269): softmax((1 - rho) z_main + rho mean(z_seed)), on raw logits.
    hdus,
    // (1 - rho) p_main + rho mean(p_seed).
    mean_probabilities,
    // As known_classes, with one voter in place of the seeds: their class-wise median over those who know the
    // class.
    median,
};

// In the order of the enumerators, as configurations and scenarios spell them.
inline constexpr std::array<std::string_view, 4> kAggregationNames = {"known-classes", "hdus",
                                                                      "mean-probabilities", "median"};

[[nodiscard]] std::string_view to_text(Aggregation aggregation);
[[nodiscard]] Result<Aggregation> parse_aggregation(std::string_view text);

// Whether it multiplies votes instead of adding them up. Only such a mixture can be moved from one class
// distribution to another; the others are used as published.
[[nodiscard]] bool is_geometric(Aggregation aggregation);

struct EnsembleOptions {
    Aggregation aggregation = Aggregation::known_classes;
    // Divides each voter's logits, the main model's too, by its temperature (Calibration), where the
    // aggregation looks at probabilities.
    // Unset: only with known_classes, where topologies/experiments/aggregations.toml found it best.
    std::optional<bool> calibrated;
    // Weighs each seed by the likelihood of its holder's validation labels under it, instead of all alike.
    // Unset: only with known_classes, too.
    std::optional<bool> weighted;
    // Weight of the seeds; unset: chosen from the validation data at every build.
    std::optional<double> fixed_rho;

    [[nodiscard]] bool is_calibrated() const {
        return calibrated.value_or(aggregation == Aggregation::known_classes);
    }
    [[nodiscard]] bool is_weighted() const {
        return weighted.value_or(aggregation == Aggregation::known_classes);
    }
};

}  // namespace unlearn::learning
