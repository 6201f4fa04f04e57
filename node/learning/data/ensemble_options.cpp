#include "node/learning/data/ensemble_options.hpp"

#include <algorithm>
#include <string>

namespace unlearn::learning {

std::string_view to_text(Aggregation aggregation) {
    return kAggregationNames.at(static_cast<std::size_t>(aggregation));
}

Result<Aggregation> parse_aggregation(std::string_view text) {
    const auto* const found = std::find(kAggregationNames.begin(), kAggregationNames.end(), text);
    if (found != kAggregationNames.end())
        return static_cast<Aggregation>(std::distance(kAggregationNames.begin(), found));
    return fail("unknown aggregation \"" + std::string(text.substr(0, 40)) +
                "\": expected known-classes, hdus, mean-probabilities or median");
}

bool is_geometric(Aggregation aggregation) {
    return aggregation == Aggregation::known_classes || aggregation == Aggregation::median;
}

}  // namespace unlearn::learning
