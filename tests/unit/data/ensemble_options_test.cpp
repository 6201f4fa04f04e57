#include "node/learning/data/ensemble_options.hpp"

#include <doctest/doctest.h>

using namespace unlearn::learning;

TEST_CASE("aggregations are named in text") {
    CHECK(parse_aggregation("known-classes") == Aggregation::known_classes);
    CHECK(parse_aggregation("hdus") == Aggregation::hdus);
    CHECK(parse_aggregation("mean-probabilities") == Aggregation::mean_probabilities);
    CHECK(parse_aggregation("median") == Aggregation::median);
    for (const auto& one : kAggregations)
        CHECK(&traits_of(*parse_aggregation(one.name)) == &one);
    const auto unknown = parse_aggregation("mean");
    REQUIRE_FALSE(unknown);
    CHECK(unknown.error().message ==
          "unknown aggregation \"mean\": expected one of known-classes, hdus, mean-probabilities, median");
}

TEST_CASE("known classes are calibrated and weighted unless told otherwise, the others are as published") {
    EnsembleOptions options;
    CHECK(options.is_calibrated());
    CHECK(options.is_weighted());
    options.calibrated = false;
    CHECK_FALSE(options.is_calibrated());
    CHECK(options.is_weighted());
    for (const auto aggregation : {Aggregation::hdus, Aggregation::mean_probabilities, Aggregation::median}) {
        EnsembleOptions published;
        published.aggregation = aggregation;
        CHECK_FALSE(published.is_calibrated());
        CHECK_FALSE(published.is_weighted());
        published.weighted = true;
        CHECK(published.is_weighted());
    }
}
