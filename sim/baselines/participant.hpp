#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "node/learning/dataset.hpp"
#include "sim/result.hpp"

namespace unlearn::sim::baselines {

/// A node of a baseline, and the examples that it alone trains on. The examples are row numbers in a data set
/// that any number of participants share, so that a network of many nodes holds only one copy of its data.
///
/// This is not a node of HDUS. What it learns is mixed with what others learn, which is never allowed for a
/// main model or a seed. Nothing in this folder hands out or takes either.
struct Participant {
    std::string name;
    learning::Dataset data;         ///< copies of it share memory
    std::vector<std::size_t> rows;  ///< rows of `data`, each at most once
};

/// Makes a participant that trains on all of `data`.
[[nodiscard]] Participant participant(std::string name, const learning::Dataset& data);

/// Checks what every baseline requires: at least one participant, different names, examples at each, existing
/// rows, and the same input shape and number of classes for all. @return an error of one line that names the
/// participant.
[[nodiscard]] Result<void> check(const std::vector<Participant>& participants);

/// Returns a copy of all participants' examples in one set, in the order of the participants.
[[nodiscard]] learning::Dataset union_of(const std::vector<Participant>& participants);

}  // namespace unlearn::sim::baselines
