#pragma once

#include <string>

#include "sim/report/run_result.hpp"

namespace unlearn::sim::report {

/// What a run showed about forgetting.
enum class Outcome {
    kForgotten,   ///< compared and equal, with every receipt
    kIncomplete,  ///< compared and equal, but a holder's receipt is missing
    kVacuous,     ///< compared and equal, but a holder's predictions never changed, so that equality shows
                  ///< nothing
    kDifferent,   ///< compared and different
    kUnnoticed,   ///< a rule was broken on purpose and the check did not see it
    kReceipted,   ///< every receipt is there, and nothing was to be compared
    kNotChecked,  ///< somebody left and nothing was compared
    kNobodyLeft
};

/// The outcome in words, the same on the page and in the terminal. Plain text: not escaped.
struct Verdict {
    Outcome outcome = Outcome::kNotChecked;
    std::string headline;  ///< a few words
    std::string detail;    ///< one or two sentences

    /// Whether this is what a user hopes for: all shown that this run was to show.
    [[nodiscard]] bool good() const {
        return outcome == Outcome::kForgotten || outcome == Outcome::kReceipted ||
               outcome == Outcome::kNobodyLeft;
    }
};

/// Judges a run. A vacuous comparison counts as failure, and so does a broken rule that went unnoticed.
[[nodiscard]] Verdict judge(const RunResult& result);

}  // namespace unlearn::sim::report
