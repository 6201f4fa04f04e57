#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "node/learning/data/result.hpp"

/// How a node combines the models it holds. These are plain values without tensors, because configurations
/// and scenarios name them, too.
namespace unlearn::learning {

/// How a main model and the held seeds become one prediction. In all of them rho is the weight of the seeds.
/// Each aggregation has a class in `node/learning/aggregation`.
enum class Aggregation {
    known_classes,       ///< each voter is believed only among the classes that it knows (geometric.hpp)
    hdus,                ///< as published (arXiv 2308.13269): softmax((1 - rho) z_main + rho mean(z_seed))
    mean_probabilities,  ///< (1 - rho) p_main + rho mean(p_seed)
    median,              ///< like known_classes, but the seeds vote together with their class-wise median
};

/// The name and properties of an aggregation.
struct AggregationTraits {
    std::string_view name;  ///< as configurations and scenarios spell it
    /// Whether it multiplies votes. Only such a mixture can be moved from one class distribution to another;
    /// the others are used as published.
    bool geometric;
    /// The defaults of EnsembleOptions, which did best in topologies/experiments/aggregations.toml.
    bool calibrated;
    bool weighted;
};

/// The properties of the aggregations, in the order of the enumerators.
inline constexpr std::array<AggregationTraits, 4> kAggregations{{
    {.name = "known-classes", .geometric = true, .calibrated = true, .weighted = true},
    {.name = "hdus", .geometric = false, .calibrated = false, .weighted = false},
    {.name = "mean-probabilities", .geometric = false, .calibrated = false, .weighted = false},
    {.name = "median", .geometric = true, .calibrated = false, .weighted = false},
}};

/// Returns the properties of an aggregation.
[[nodiscard]] constexpr const AggregationTraits& traits_of(Aggregation aggregation) {
    return kAggregations.at(static_cast<std::size_t>(aggregation));
}

/// Returns all names, in the order of the enumerators.
[[nodiscard]] constexpr auto aggregation_names() {
    std::array<std::string_view, kAggregations.size()> names;
    for (std::size_t i = 0; i < names.size(); ++i)
        names[i] = kAggregations[i].name;
    return names;
}

/// Parses the name of an aggregation. The error lists all names.
[[nodiscard]] Result<Aggregation> parse_aggregation(std::string_view text);

/// How an ensemble combines its votes.
struct EnsembleOptions {
    Aggregation aggregation = Aggregation::known_classes;
    /// Divides each voter's logits, including the main model's, by its temperature (Calibration). If unset,
    /// the traits of the aggregation decide.
    std::optional<bool> calibrated;
    /// Weighs each seed by the likelihood that it gives to its holder's validation labels, instead of
    /// weighing all alike. If unset, the traits of the aggregation decide.
    std::optional<bool> weighted;
    /// The weight of the seeds. If unset, it is chosen from the validation data at every build.
    std::optional<double> fixed_rho;

    [[nodiscard]] bool is_calibrated() const {
        return calibrated.value_or(traits_of(aggregation).calibrated);
    }
    [[nodiscard]] bool is_weighted() const { return weighted.value_or(traits_of(aggregation).weighted); }
};

}  // namespace unlearn::learning
