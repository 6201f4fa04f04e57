#pragma once

#include <array>

namespace unlearn::learning {

// The class distribution of the world that a question is about: the node's own data, or all classes alike.
// Only known_classes and median can be moved from one to the other; hdus and mean_probabilities are used as
// published.
enum class Prior { own, uniform };

// Both, in the order of the enumerators: what is asked when a node is scored.
inline constexpr std::array kPriors{Prior::own, Prior::uniform};

}  // namespace unlearn::learning
