#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "sim/experiments/experiment.hpp"
#include "sim/report/progress.hpp"

namespace unlearn::sim::experiments {

struct SweepOptions {
    std::filesystem::path folder;  ///< for runs/, results.jsonl, results.csv, plots/ and report.html
    std::size_t jobs = 1;          ///< processes at once; each has its part of the machine's cores
    bool fresh = false;            ///< do runs again that are there from an earlier sweep
};

struct SweepOutcome {
    std::size_t done = 0;               ///< runs made by this sweep
    std::size_t reused = 0;             ///< runs that were there already
    double seconds = 0.0;               ///< of all runs together
    std::vector<std::string> failures;  ///< one line each; their runs are missing in the results
};

/// Makes every run of an experiment, one process for each family of runs, and writes results and report. A
/// run's rows are kept in runs/KEY.jsonl, where KEY is a hash of everything that decides them: after an
/// interruption, or after the experiment grew, only what is missing is done. Runs that another build of this
/// program made are done again.
/// @return one line when nothing could be written.
[[nodiscard]] tl::expected<SweepOutcome, std::string> run_sweep(const Experiment& experiment,
                                                                const SweepOptions& options,
                                                                report::Progress& progress);

/// The work of one such process: the runs of a family that are not there yet. @return one line that says
/// which run failed, and why; those before it are kept.
[[nodiscard]] tl::expected<void, std::string> run_family(const Experiment& experiment, std::size_t family,
                                                         std::uint32_t threads, const SweepOptions& options,
                                                         report::Progress& progress);

}  // namespace unlearn::sim::experiments
