#pragma once

#include <array>

namespace unlearn::learning {

/// The class distribution that a question assumes: that of the node's own data, or all classes alike. Only
/// known_classes and median can be moved from one to the other; hdus and mean_probabilities are used as
/// published.
enum class Prior { own, uniform };

/// Both priors, in the order of the enumerators. A node is scored under both.
inline constexpr std::array kPriors{Prior::own, Prior::uniform};

}  // namespace unlearn::learning
