#pragma once

#include <string>

#include "sim/report/run_result.hpp"

namespace unlearn::sim::report {

/// What a run showed about forgetting.
enum class Outcome {
    forgotten,    ///< compared and equal, with every receipt
    incomplete,   ///< compared and equal, but a holder's receipt is missing
    vacuous,      ///< compared and equal, but a holder's predictions never changed, which shows nothing
    different,    ///< compared and different
    unnoticed,    ///< a rule was broken on purpose and the check did not see it
    receipted,    ///< every receipt is there, and no comparison was intended
    not_checked,  ///< a node left and nothing was compared
    nobody_left
};

/// The outcome in words, the same on the page and in the terminal. Plain text: not escaped.
struct Verdict {
    Outcome outcome = Outcome::not_checked;
    std::string headline;  ///< a few words
    std::string detail;    ///< one or two sentences

    /// Returns whether the run showed everything that it was meant to show.
    [[nodiscard]] bool good() const {
        return outcome == Outcome::forgotten || outcome == Outcome::receipted ||
               outcome == Outcome::nobody_left;
    }
};

/// Judges a run. A vacuous comparison counts as failure, and so does a broken rule that went unnoticed.
[[nodiscard]] Verdict judge(const RunResult& result);

}  // namespace unlearn::sim::report
