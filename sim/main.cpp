#include <algorithm>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include "node/command_line/command_line.hpp"
#include "node/ctl/command.hpp"
#include "node/learning/data/architecture.hpp"
#include "node/learning/threads.hpp"
#include "sim/experiments/experiment.hpp"
#include "sim/experiments/sweep.hpp"
#include "sim/fleet/run_processes.hpp"
#include "sim/report/run_report.hpp"
#include "sim/report/verdict.hpp"
#include "sim/result.hpp"
#include "sim/run/counterfactual.hpp"
#include "sim/run/run.hpp"
#include "sim/support/output_folder.hpp"

namespace {

using namespace unlearn;

/// The exit codes of unlearn-sim.
enum ExitCode : int { shown = 0, not_shown = 1, bad_input = 2 };

int complain(const std::string& line) {
    std::cerr << "unlearn-sim: " << line << '\n';
    return ExitCode::bad_input;
}

struct Options {
    std::string scenario;
    std::string out;
    std::optional<std::uint64_t> seed;
    std::string violate = "none";
    std::string transport;  ///< empty: the scenario's transport
    std::vector<std::string> without;
    std::string certificate;
    bool processes = false;
    std::string bin;
    std::string experiment;
    std::size_t jobs = 0;  ///< 0: not given
    bool fresh = false;
    std::size_t family = 0;
    std::uint32_t threads = 1;
};

std::optional<std::string> check_architecture(std::string_view text) {
    const auto parsed = learning::parse_architecture(text);
    if (parsed || learning::parse_architecture(text, learning::kSeedArchitectures)) return std::nullopt;
    return parsed.error().message;
}

sim::Result<sim::scenario::Scenario> load(const Options& options) {
    return sim::scenario::load_scenario(options.scenario, {options.seed, check_architecture});
}

/// OpenBLAS chooses its kernels when it is loaded. Where it did not recognise the processor, this restarts
/// the program with better ones. Child processes inherit the choice, so that all processes of a run compute
/// the same bits.
void restart_with_better_kernels(char** argv) {
    const auto kernels = learning::better_blas_kernels();
    if (!kernels) return;
    ::setenv("OPENBLAS_CORETYPE", kernels->c_str(), 1);
    ::execv("/proc/self/exe", argv);
    // The restart failed. The program still works, only slower.
}

/// Fixes the thread counts, because results are the same to the bit only then; each worker computes on one
/// thread. Warns when BLAS is slow.
void prepare_learning(sim::report::Progress& progress) {
    if (!learning::fix_thread_counts(1))
        progress.message("warning: LibTorch's thread counts could not be fixed");
    const auto warning = learning::slow_blas_warning(learning::measure_blas());
    if (!warning.empty()) progress.message("warning: " + warning);
}

sim::run::WorldOptions world_options(const Options& options, const sim::scenario::Scenario& scenario,
                                     const std::filesystem::path& folder) {
    return {folder, sim::run::parse_violation(options.violate).value(),
            sim::scenario::parse_transport(options.transport).value_or(scenario.network.transport)};
}

/// Runs the scenario with every node in this process.
sim::Result<sim::report::RunResult> run_here(const Options& options, const sim::scenario::Scenario& scenario,
                                             const std::filesystem::path& folder,
                                             sim::report::Progress& progress) {
    prepare_learning(progress);
    return sim::run::run_scenario(scenario, world_options(options, scenario, folder), progress);
}

int run(const Options& options) {
    if (options.processes && options.violate != "none")
        return complain("--violate is for nodes in this process; it cannot be combined with --processes");
    if (options.processes && options.transport == "virtual")
        return complain("--processes needs real sockets; it cannot be combined with --transport virtual");
    if (!options.processes && !options.bin.empty()) return complain("--bin needs --processes");
    const auto scenario = load(options);
    if (!scenario) return complain(scenario.error().message);
    if (options.processes && options.transport.empty() &&
        scenario->network.transport == sim::scenario::TransportKind::virtual_time)
        return complain(
            options.scenario +
            ": network.transport = \"virtual\" cannot be combined with --processes, which needs real "
            "sockets; give --transport zmq");
    const std::filesystem::path folder = options.out.empty() ? "out/" + scenario->name : options.out;
    sim::Result<sim::report::RunResult> result;
    {
        sim::report::Progress progress(stderr);
        if (options.processes) {
            const auto program = sim::fleet::find_unlearnd(options.bin);
            if (!program) return complain(program.error().message);
            if (!learning::fix_thread_counts(1))
                progress.message("warning: LibTorch's thread counts could not be fixed");
            result = sim::fleet::run_processes(*scenario, *program, folder, progress);
        } else {
            result = run_here(options, *scenario, folder, progress);
        }
    }
    if (!result) {
        std::cerr << "unlearn-sim: " << result.error().message << '\n';
        return result.error().bad_input ? ExitCode::bad_input : ExitCode::not_shown;
    }
    sim::report::print_summary(*result, std::cout, sim::report::detect_terminal(stdout));
    std::cout << "\nresult, events, certificate and report: " << folder.string() << "/\n";
    return sim::report::judge(*result).good() ? ExitCode::shown : ExitCode::not_shown;
}

int run_counterfactual(const Options& options) {
    const auto scenario = load(options);
    if (!scenario) return complain(scenario.error().message);
    for (const auto& name : options.without)
        if (!scenario->graph.index_of(name))
            return complain("--without " + name + ": the scenario has no such node");
    const std::filesystem::path folder = options.out;
    if (auto ok = sim::support::prepare_output_folder(folder); !ok) return complain(ok.error().message);
    sim::report::Progress progress(stderr);
    prepare_learning(progress);
    if (auto ok = sim::run::run_without(*scenario, options.without, world_options(options, *scenario, folder),
                                        progress);
        !ok)
        return complain(ok.error().message);
    return ExitCode::shown;
}

std::filesystem::path folder_of(const Options& options, const sim::experiments::Experiment& experiment) {
    return options.out.empty() ? "out/" + experiment.name : options.out;
}

int sweep(const Options& options) {
    const auto experiment =
        sim::experiments::load_experiment(options.experiment, {std::nullopt, check_architecture});
    if (!experiment) return complain(experiment.error().message);
    const auto folder = folder_of(options, *experiment);
    // A comparison measures time, so nothing else may run beside it.
    const std::size_t at_once = experiment->kind == sim::experiments::StudyKind::comparison
                                    ? 1U
                                    : std::max(1U, std::thread::hardware_concurrency());
    sim::Result<sim::experiments::SweepOutcome> outcome;
    {
        sim::report::Progress progress(stderr);
        outcome = sim::experiments::run_sweep(
            *experiment, {folder, options.jobs == 0 ? at_once : options.jobs, options.fresh}, progress);
    }
    if (!outcome) return complain(outcome.error().message);
    std::cout << experiment->name << ": " << experiment->runs.size() << " runs, " << outcome->done
              << " made now, " << outcome->reused << " from before, " << outcome->failures.size()
              << " failed\n"
              << "results.csv, results.jsonl, plots and report.html: " << folder.string() << "/\n";
    for (const auto& failure : outcome->failures)
        std::cerr << "unlearn-sim: " << failure << '\n';
    return outcome->failures.empty() ? ExitCode::shown : ExitCode::not_shown;
}

int sweep_family(const Options& options) {
    const auto experiment =
        sim::experiments::load_experiment(options.experiment, {std::nullopt, check_architecture});
    if (!experiment) return complain(experiment.error().message);
    sim::report::Progress progress(stderr);
    prepare_learning(progress);
    if (auto ok = sim::experiments::run_family(*experiment, options.family, options.threads,
                                               {folder_of(options, *experiment), 1, false}, progress);
        !ok) {
        progress.message(ok.error().message);
        return ExitCode::not_shown;
    }
    return ExitCode::shown;
}

/// Runs `unlearnctl verify --complete` and translates its exit code to one of this program.
int verify(const Options& options) {
    ctl::Console console{std::cin, std::cout, std::cerr};
    const auto code =
        static_cast<ctl::ExitCode>(ctl::run({"verify", "--complete", options.certificate}, console));
    if (code == ctl::ExitCode::ok) return ExitCode::shown;
    return code == ctl::ExitCode::incomplete ? ExitCode::not_shown : ExitCode::bad_input;
}

}  // namespace

int main(int argc, char** argv) {
    restart_with_better_kernels(argv);
    CLI::App app{"unlearn-sim: many unlearnd nodes on one machine, over real sockets", "unlearn-sim"};
    app.require_subcommand(1);
    app.footer(
        "Exit codes: 0 shown, 1 not shown (inexact, vacuous, receipts missing, or a daemon failed), 2 bad "
        "input.");
    Options options;
    const std::vector<std::string> violations{"none",          "distil-from-ensemble",
                                              "keep-old-rho",  "fused-cache",
                                              "shared-stream", "features-from-private-data"};

    auto* run_command = app.add_subcommand("run", "Run a scenario from data to proof");
    run_command->add_option("SCENARIO", options.scenario, "scenario file (TOML)")->required();
    run_command->add_option("--out", options.out, "folder for the results; default out/NAME");
    run_command->add_flag(
        "--processes", options.processes,
        "every node is an unlearnd process of its own; nothing is compared with another world");
    run_command->add_option("--bin", options.bin,
                            "with --processes: the folder of unlearnd; default: this program's");
    auto* other = app.add_subcommand("counterfactual", "Run a scenario as if some nodes had never been");
    other->add_option("SCENARIO", options.scenario, "scenario file (TOML)")->required();
    other->add_option("--out", options.out, "folder for the predictions")->required();
    other->add_option("--without", options.without, "a node to leave out; may be repeated")->required();
    for (auto* command : {run_command, other}) {
        command
            ->add_option("--transport", options.transport,
                         "zmq: real sockets; virtual: no sockets, one thread and virtual time, so that every "
                         "run is the same; default: as the scenario says, else zmq")
            ->check(CLI::IsMember({"zmq", "virtual"}));
        command->add_option("--seed", options.seed, "replaces the scenario's seed")
            ->check(CLI::Range(std::uint64_t{0}, sim::scenario::kMaxSeed));
        command
            ->add_option("--violate", options.violate,
                         "break the exactness rule on purpose; the check must notice")
            ->check(CLI::IsMember(violations));
    }
    auto* sweep_command =
        app.add_subcommand("sweep", "Run an experiment: a scenario with lists of values to try");
    sweep_command->add_option("FILE", options.experiment, "experiment file (TOML)")->required();
    sweep_command->add_option("--out", options.out, "folder for the results; default out/NAME");
    sweep_command
        ->add_option("--jobs", options.jobs,
                     "processes at once; default: as many as there are cores, and one for a comparison")
        ->check(CLI::Range(1, 1024));
    sweep_command->add_flag("--fresh", options.fresh, "do runs again that an earlier sweep has done");
    auto* family_command =
        app.add_subcommand("sweep-family", "What sweep runs in each of its processes")->group("");
    family_command->add_option("FILE", options.experiment)->required();
    family_command->add_option("--out", options.out)->required();
    family_command->add_option("--family", options.family)->required();
    family_command->add_option("--threads", options.threads)->required()->check(CLI::Range(1, 256));
    auto* verify_command = app.add_subcommand(
        "verify", "Check an erasure certificate offline, as unlearnctl verify --complete does");
    verify_command->add_option("FILE", options.certificate, "certificate (JSON)")->required();

    if (const auto code = command_line::parse(app, {argv + 1, argv + argc}, std::cout, std::cerr))
        return *code;
    try {
        if (*run_command) return run(options);
        if (*other) return run_counterfactual(options);
        if (*sweep_command) return sweep(options);
        if (*family_command) return sweep_family(options);
        return verify(options);
    } catch (const std::exception& error) {
        return complain(error.what());
    }
}
