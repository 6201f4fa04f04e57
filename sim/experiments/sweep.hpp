#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "sim/experiments/experiment.hpp"
#include "sim/report/progress.hpp"
#include "sim/result.hpp"

namespace unlearn::sim::experiments {

/// How a sweep is made.
struct SweepOptions {
    std::filesystem::path folder;  ///< holds runs/, results.jsonl, results.csv, plots/ and report.html
    std::size_t jobs = 1;          ///< number of processes at once; they divide the machine's cores
    bool fresh = false;            ///< make all runs again, even those of an earlier sweep
};

/// What a sweep did.
struct SweepOutcome {
    std::size_t done = 0;               ///< runs made by this sweep
    std::size_t reused = 0;             ///< runs kept from an earlier sweep
    double seconds = 0.0;               ///< summed over all runs
    std::vector<std::string> failures;  ///< one line each; their runs are missing in the results
};

/// Makes every run of an experiment, with one process for each family of runs, and writes results and report.
/// A run's rows are kept in runs/KEY.jsonl, where KEY is a hash of everything that decides them. After an
/// interruption, or after the experiment grew, only missing runs are made. Runs that another build of this
/// program made are made again. @return an error of one line when nothing could be written.
[[nodiscard]] Result<SweepOutcome> run_sweep(const Experiment& experiment, const SweepOptions& options,
                                             report::Progress& progress);

/// Makes the missing runs of one family. Each process of `run_sweep` calls this. @return an error of one line
/// that says which run failed first, and why. All runs that succeeded are kept.
[[nodiscard]] Result<void> run_family(const Experiment& experiment, std::size_t family, std::uint32_t threads,
                                      const SweepOptions& options, report::Progress& progress);

}  // namespace unlearn::sim::experiments
