#include "sim/report/verdict.hpp"

#include <spdlog/fmt/fmt.h>

#include "sim/report/text.hpp"

namespace unlearn::sim::report {
namespace {

/// For example "140,000 predictions of 7 survivors".
std::string all_predictions(const ExactnessResult& exactness) {
    return fmt::format("{} predictions of {}", grouped(exactness.predictions),
                       counted(exactness.nodes, "survivor"));
}

std::vector<std::string> missing_receipts(const RunResult& result) {
    std::vector<std::string> missing;
    for (const auto& exit : result.exits)
        missing.insert(missing.end(), exit.missing.begin(), exit.missing.end());
    return missing;
}

Verdict judge_unchecked(const RunResult& result, const std::string& leavers) {
    const auto& reason = result.exactness.reason;
    const auto missing = missing_receipts(result);
    const std::string compared = fmt::format("othing was compared with a world in which {} never existed{}.",
                                             leavers, reason ? ": " + *reason : "");
    if (!missing.empty())
        return {Outcome::not_checked, "INCOMPLETE: receipts are missing",
                fmt::format("{} left, {} sent no receipt, and n{}", leavers, list(missing), compared)};
    if (!reason)
        return {Outcome::not_checked, "NOT CHECKED", fmt::format("{} left, and n{}", leavers, compared)};
    return {Outcome::receipted, "Erased, as every holder signed",
            fmt::format("Every holder of a seed of {} sent a receipt. N{}", leavers, compared)};
}

Verdict judge_equal(const RunResult& result, const std::string& leavers) {
    const ExactnessResult& exactness = result.exactness;
    if (exactness.violation) {
        return {
            Outcome::unnoticed, "FAILED: a broken rule went unnoticed",
            fmt::format(
                "This run broke the rule '{}' on purpose, and yet all {} are the same as in a world in which "
                "{} never existed. The check cannot be trusted for this scenario.",
                *exactness.violation, all_predictions(exactness), leavers)};
    }
    if (!exactness.vacuous.empty()) {
        return {
            Outcome::vacuous, "NOT PROVED: the comparison is vacuous",
            fmt::format(
                "All {} are the same as in a world in which {} never existed, but the predictions of {} were "
                "the same before the exit too: they show nothing about forgetting.",
                all_predictions(exactness), leavers, list(exactness.vacuous))};
    }
    const std::string proof =
        fmt::format("All {} are bit for bit the same as in a world in which {} never existed.",
                    all_predictions(exactness), leavers);
    const auto missing = missing_receipts(result);
    if (!missing.empty()) {
        return {Outcome::incomplete, "INCOMPLETE: receipts are missing",
                fmt::format("{} But {} sent no receipt, so that nobody knows when the seed was erased there.",
                            proof, list(missing))};
    }
    return {Outcome::forgotten, "Forgotten, exactly", proof};
}

}  // namespace

Verdict judge(const RunResult& result) {
    const ExactnessResult& exactness = result.exactness;
    if (result.exits.empty()) {
        return {Outcome::nobody_left, "Nobody left",
                "This scenario has no exit, so there was nothing to forget."};
    }
    const std::vector<std::string> names = result.leavers();
    const std::string leavers = list(names);
    if (!exactness.checked) return judge_unchecked(result, leavers);
    if (exactness.predictions == 0) {
        return {Outcome::vacuous, "NOT PROVED: nothing was compared",
                "The comparison had no predictions to look at, which shows nothing about forgetting."};
    }
    if (exactness.bit_identical && exactness.differing == 0) return judge_equal(result, leavers);

    Verdict verdict{Outcome::different, "NOT FORGOTTEN",
                    fmt::format("{} of {} differ from a world in which {} never existed.",
                                grouped(exactness.differing), all_predictions(exactness), leavers)};
    if (exactness.violation) {
        verdict.detail +=
            fmt::format(" This run broke the rule '{}' on purpose, and the check noticed, as it must.",
                        *exactness.violation);
    }
    return verdict;
}

}  // namespace unlearn::sim::report
