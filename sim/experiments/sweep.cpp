#include "sim/experiments/sweep.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <thread>
#include <utility>

#include "protocol/bytes.hpp"
#include "protocol/digest.hpp"
#include "sim/experiments/studies.hpp"
#include "sim/report/experiment_report.hpp"
#include "sim/report/rows_file.hpp"
#include "sim/run/result.hpp"
#include "sim/support/child_process.hpp"
#include "sim/support/output_folder.hpp"
#include "topologies/formats/formats.hpp"

namespace unlearn::sim::experiments {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

/// The row of a run's file that is about the run itself and is not part of the results.
constexpr const char* kSecondsMetric = "run_seconds";
constexpr const char* kProgramLabel = "program";
constexpr auto kPollEvery = std::chrono::milliseconds(200);

std::string hash_of(std::string_view bytes) {
    const auto digest =
        protocol::digest_of({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
    return protocol::to_hex(digest.value).substr(0, 20);
}

/// Returns a hash that tells one build of this program from another.
const std::string& program_hash() {
    static const std::string hash = [] {
        std::ifstream file("/proc/self/exe", std::ios::binary);
        return hash_of(std::string(std::istreambuf_iterator<char>(file), {}));
    }();
    return hash;
}

/// Returns a text that changes with the size or time of a file, or of the files in a folder.
std::string stamp_of(const fs::path& path) {
    std::error_code error;
    std::vector<fs::path> files{path};
    if (fs::is_directory(path, error)) files.assign(fs::directory_iterator(path, error), {});
    std::sort(files.begin(), files.end());
    std::ostringstream out;
    for (const auto& file : files)
        if (fs::is_regular_file(file, error))
            out << file.string() << ' ' << fs::file_size(file, error) << ' '
                << fs::last_write_time(file, error).time_since_epoch().count() << '\n';
    return out.str();
}

/// Returns what decides a run's rows but is not in its experiment file: the files that it names.
std::string inputs_of(const ExperimentRun& run) {
    std::ostringstream out;
    out << stamp_of(run.scenario.data.path) << stamp_of(run.scenario.data.test_path)
        << stamp_of(run.study.network.churn.trace);
    topologies::write_graph(out, run.scenario.graph, topologies::Format::edge_list);
    return out.str();
}

/// The files that keep the rows of the runs.
class RunFiles {
  public:
    RunFiles(const fs::path& folder, const Experiment& experiment) : folder_(folder / "runs") {
        for (const auto& run : experiment.runs)
            paths_.push_back(folder_ / (hash_of(run.effective + inputs_of(run)) + ".jsonl"));
    }

    [[nodiscard]] Result<void> create() const {
        std::error_code error;
        fs::create_directories(folder_, error);
        if (error) return failed_with(folder_.string() + ": cannot be made: " + error.message());
        return {};
    }
    [[nodiscard]] fs::path log_of(std::size_t family) const {
        return folder_ / ("family-" + std::to_string(family) + ".log");
    }
    [[nodiscard]] bool exists(const ExperimentRun& run) const {
        std::error_code error;
        return fs::exists(path_of(run), error);
    }
    [[nodiscard]] bool is_ours(const ExperimentRun& run) const {
        const auto rows = read(run);
        return rows && !rows->empty() && rows->front().metric == kSecondsMetric &&
               rows->front().labels.contains(kProgramLabel) &&
               rows->front().labels.at(kProgramLabel) == report::Label(program_hash());
    }
    [[nodiscard]] Result<std::vector<report::Row>> read(const ExperimentRun& run) const {
        return report::read_rows(path_of(run));
    }
    [[nodiscard]] Result<void> write(const ExperimentRun& run, std::vector<report::Row> rows,
                                     double seconds) const {
        rows.insert(rows.begin(), report::Row{kSecondsMetric, seconds, {{kProgramLabel, program_hash()}}});
        return report::write_rows_jsonl(path_of(run), rows);
    }
    void remove(const ExperimentRun& run) const {
        std::error_code error;
        fs::remove(path_of(run), error);
    }

  private:
    [[nodiscard]] const fs::path& path_of(const ExperimentRun& run) const { return paths_.at(run.index); }

    fs::path folder_;
    std::vector<fs::path> paths_;  ///< by index of the run
};

std::string words_of(const ExperimentRun& run) {
    std::string text = "run " + std::to_string(run.index);
    for (const auto& [name, label] : run.labels)
        text += ", " + name + " " + report::to_text(label);
    return text;
}

std::string last_line(const fs::path& file) {
    std::ifstream in(file);
    std::string line;
    std::string last;
    while (std::getline(in, line))
        if (!line.empty()) last = line;
    return last;
}

/// Runs the processes that make the families of an experiment, at most `at_once` at a time.
class FamilyProcesses {
  public:
    FamilyProcesses(const Experiment& experiment, const SweepOptions& options, const RunFiles& files,
                    std::size_t at_once)
        : experiment_(experiment), options_(options), files_(files), at_once_(at_once) {}

    [[nodiscard]] std::size_t running() const { return running_.size(); }
    [[nodiscard]] bool has_room() const { return running_.size() < at_once_; }
    /// Returns the last line of each running process.
    [[nodiscard]] std::string words() const {
        std::string text;
        for (const auto& entry : running_) {
            const std::string line = last_line(files_.log_of(entry.first));
            if (!line.empty()) text += (text.empty() ? "" : "; ") + line;
        }
        return text;
    }

    [[nodiscard]] std::optional<std::string> start(std::size_t family) {
        const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
        const std::size_t threads = std::max<std::size_t>(1, cores / at_once_);
        auto process = support::start_ourselves(
            {"sweep-family", experiment_.file.string(), "--out", options_.folder.string(), "--family",
             std::to_string(family), "--threads", std::to_string(threads)},
            files_.log_of(family));
        if (!process) return "a process cannot be started: " + process.error().message;
        running_.emplace_back(family, std::move(*process));
        return std::nullopt;
    }

    /// Removes processes that have ended. @return one line for each that failed.
    [[nodiscard]] std::vector<std::string> collect() {
        std::vector<std::string> failures;
        std::erase_if(running_, [&](auto& entry) {
            const auto code = entry.second.exit_code();
            if (code && *code != 0) failures.push_back(describe(entry.first, *code));
            return code.has_value();
        });
        return failures;
    }

  private:
    [[nodiscard]] std::string describe(std::size_t family, int code) const {
        const auto log = files_.log_of(family);
        const std::string words = last_line(log);
        return words.empty() ? log.string() + ": ended with code " + std::to_string(code) : words;
    }

    const Experiment& experiment_;
    const SweepOptions& options_;
    const RunFiles& files_;
    std::size_t at_once_;  ///< processes at once; they share the cores
    std::vector<std::pair<std::size_t, support::ChildProcess>> running_;
};

std::vector<std::string> make_missing_runs(const Experiment& experiment, const SweepOptions& options,
                                           const RunFiles& files,
                                           const std::vector<const ExperimentRun*>& missing,
                                           report::Progress& progress) {
    std::vector<std::size_t> families;
    for (const auto* run : missing)
        if (std::find(families.begin(), families.end(), run->family) == families.end())
            families.push_back(run->family);
    auto phase = progress.start(experiment.name + ": runs", missing.size());
    FamilyProcesses processes(experiment, options, files,
                              std::clamp<std::size_t>(families.size(), 1, options.jobs));
    std::vector<std::string> failures;
    std::size_t next = 0;
    std::size_t seen = 0;
    while (next < families.size() || processes.running() > 0) {
        while (next < families.size() && processes.has_room())
            if (auto problem = processes.start(families[next++])) failures.push_back(*problem);
        std::this_thread::sleep_for(kPollEvery);
        for (auto& failure : processes.collect()) {
            progress.message(failure);
            failures.push_back(std::move(failure));
        }
        const auto done = static_cast<std::size_t>(std::count_if(
            missing.begin(), missing.end(), [&](const ExperimentRun* run) { return files.exists(*run); }));
        phase.advance(done - seen);
        phase.note(processes.words());
        seen = done;
    }
    return failures;
}

/// Returns all rows with their swept labels. Adds the time of the runs to `seconds`.
Result<std::vector<report::Row>> collect_rows(const Experiment& experiment, const RunFiles& files,
                                              double& seconds) {
    std::vector<report::Row> all;
    for (const auto& run : experiment.runs) {
        if (!files.exists(run)) continue;
        auto rows = files.read(run);
        if (!rows) return failed_with(rows.error());
        for (auto& row : *rows) {
            if (row.metric == kSecondsMetric) {
                seconds += row.value;
                continue;
            }
            row.labels.insert(run.labels.begin(), run.labels.end());
            all.push_back(std::move(row));
        }
    }
    return all;
}

report::ExperimentReport report_of(const Experiment& experiment, const SweepOutcome& outcome) {
    report::ExperimentReport report;
    report.name = experiment.name;
    report.description = experiment.description;
    report.figures = experiment.figures;
    report.swept = experiment.swept;
    report.runs = outcome.done + outcome.reused;
    report.seconds = outcome.seconds;
    const auto machine = run::this_machine();
    report.machine = {{"cpu", machine.cpu}, {"cores", std::to_string(machine.cores)}};
    report.failures = outcome.failures;
    report.text = experiment.text;
    return report;
}

}  // namespace

Result<void> run_family(const Experiment& experiment, std::size_t family, std::uint32_t threads,
                        const SweepOptions& options, report::Progress& progress) {
    const RunFiles files(options.folder, experiment);
    if (auto ok = files.create(); !ok) return ok;
    std::unique_ptr<Study> study;
    std::vector<std::string> failures;
    std::size_t tried = 0;
    for (ExperimentRun run : experiment.runs) {
        if (run.family != family || files.exists(run)) continue;
        ++tried;
        run.scenario.run.threads = threads;
        const auto started = Clock::now();
        if (!study) {
            auto made = make_study(experiment.kind, run, progress);
            if (!made) return failed_with(words_of(run) + ": " + made.error().message);
            study = std::move(*made);
        }
        auto rows = study->run(run);
        if (!rows) {
            failures.push_back(words_of(run) + ": " + rows.error().message);
            progress.message(failures.back());
            continue;
        }
        const std::chrono::duration<double> took = Clock::now() - started;
        if (auto ok = files.write(run, std::move(*rows), took.count()); !ok) return ok;
        progress.message(words_of(run) + ": done");
    }
    if (failures.size() > 1)
        return failed_with(std::to_string(failures.size()) + " of " + std::to_string(tried) +
                           " runs failed, first " + failures.front());
    if (!failures.empty()) return failed_with(failures.front());
    return {};
}

Result<SweepOutcome> run_sweep(const Experiment& experiment, const SweepOptions& options,
                               report::Progress& progress) {
    if (auto ok = support::open_output_folder(options.folder); !ok) return failed_with(ok.error());
    const RunFiles files(options.folder, experiment);
    if (auto ok = files.create(); !ok) return failed_with(ok.error());
    std::vector<const ExperimentRun*> missing;
    for (const auto& run : experiment.runs) {
        if (files.exists(run) && (options.fresh || !files.is_ours(run))) files.remove(run);
        if (!files.exists(run)) missing.push_back(&run);
    }
    SweepOutcome outcome;
    outcome.reused = experiment.runs.size() - missing.size();
    if (outcome.reused > 0)
        progress.message(std::to_string(outcome.reused) + " of " + std::to_string(experiment.runs.size()) +
                         " runs are there from an earlier sweep");
    outcome.failures = make_missing_runs(experiment, options, files, missing, progress);
    outcome.done = static_cast<std::size_t>(std::count_if(
        missing.begin(), missing.end(), [&](const ExperimentRun* run) { return files.exists(*run); }));

    const auto rows = collect_rows(experiment, files, outcome.seconds);
    if (!rows) return failed_with(rows.error());
    if (auto ok = report::write_rows_jsonl(options.folder / "results.jsonl", *rows); !ok)
        return failed_with(ok.error());
    if (auto ok = report::write_rows_csv(options.folder / "results.csv", *rows); !ok)
        return failed_with(ok.error());
    // The report is written even if a plot cannot be drawn.
    if (auto ok = report::write_experiment_report(options.folder, report_of(experiment, outcome), *rows); !ok)
        outcome.failures.push_back(ok.error().message);
    return outcome;
}

}  // namespace unlearn::sim::experiments
