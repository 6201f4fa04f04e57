#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "node/learning/dataset.hpp"

namespace unlearn::sim::baselines {

/// A node of a baseline, and the examples that it alone trains on. The examples are named by their rows in a
/// set that any number of participants share, so that a network of many nodes holds one copy of its data.
///
/// This is no node of HDUS: what it learns is mixed with what others learn, which is what no main model and
/// no seed may ever be. Nothing in this folder makes or takes either.
struct Participant {
    std::string name;
    learning::Dataset data;         ///< copies share memory
    std::vector<std::size_t> rows;  ///< of `data`, each at most once
};

/// A participant that trains on all of `data`.
[[nodiscard]] Participant participant(std::string name, const learning::Dataset& data);

/// Checks what every baseline asks for: at least one participant, names that differ, examples at each, rows
/// that exist, and one input shape and number of classes.
/// @return one line that names the participant.
[[nodiscard]] tl::expected<void, std::string> check(const std::vector<Participant>& participants);

/// All participants' examples in one set, in the order of the participants. Copies them.
[[nodiscard]] learning::Dataset union_of(const std::vector<Participant>& participants);

}  // namespace unlearn::sim::baselines
