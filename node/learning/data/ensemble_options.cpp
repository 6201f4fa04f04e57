#include "node/learning/data/ensemble_options.hpp"

#include <algorithm>
#include <string>

namespace unlearn::learning {

Result<Aggregation> parse_aggregation(std::string_view text) {
    const auto* const found = std::ranges::find(kAggregations, text, &AggregationTraits::name);
    if (found != kAggregations.end())
        return static_cast<Aggregation>(std::distance(kAggregations.begin(), found));
    std::string names;
    for (const AggregationTraits& one : kAggregations)
        names += (names.empty() ? "" : ", ") + std::string(one.name);
    return fail("unknown aggregation \"" + std::string(text.substr(0, 40)) + "\": expected one of " + names);
}

}  // namespace unlearn::learning
