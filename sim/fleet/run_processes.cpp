#include "sim/fleet/run_processes.hpp"

#include <unistd.h>

#include "sim/fleet/processes.hpp"
#include "sim/run/course.hpp"
#include "sim/run/result.hpp"
#include "sim/support/free_ports.hpp"
#include "sim/support/output_folder.hpp"

namespace unlearn::sim::fleet {

Result<std::filesystem::path> find_unlearnd(const std::filesystem::path& folder) {
    std::error_code error;
    const auto where =
        folder.empty() ? std::filesystem::read_symlink("/proc/self/exe", error).parent_path() : folder;
    auto program = std::filesystem::absolute(where) / "unlearnd";
    if (!std::filesystem::is_regular_file(program, error) || ::access(program.c_str(), X_OK) != 0)
        return failed_with(program.string() + ": no such program; name its folder with --bin");
    return program;
}

Result<report::RunResult> run_processes(const scenario::Scenario& scenario,
                                        const std::filesystem::path& program,
                                        const std::filesystem::path& folder, report::Progress& progress) {
    support::Stopwatch watch;
    if (!scenario.models.features.empty())
        return bad_input(Error{scenario.file.string() +
                               ": models.features: is not for --processes yet; a daemon has no feature map"});
    // The scenario, its data and its ports are checked before the folder of an earlier run is touched.
    auto setup = watch.time(
        "load", [&] { return run::prepare(scenario, {}, run::Violation::none, run::Numbers::raw); });
    if (!setup) return bad_input(setup.error());
    for (const std::string& warning : setup->warnings)
        progress.message("warning: " + warning);
    if (auto free = support::check_ports_free(scenario.network.base_port, scenario.graph.size()); !free)
        return bad_input(free.error());
    if (auto ok = support::prepare_output_folder(folder); !ok) return bad_input(ok.error());
    auto files = watch.time("load", [&] { return write_fleet(scenario, *setup, folder); });
    if (!files) return bad_input(files.error());

    Processes processes(scenario, *setup, std::move(*files), folder, progress);
    if (auto ok = watch.time("train", [&] { return processes.start(program); }); !ok)
        return failed_with(ok.error());
    if (auto ok = watch.time("exchange", [&] { return processes.exchange(); }); !ok)
        return failed_with(ok.error());
    auto course = run::run_course(scenario, processes, folder, watch);
    if (!course) return failed_with(course.error());
    report::RunResult& result = course->result;
    result.processes = true;
    result.exactness.reason = "the nodes were processes of their own";
    auto traffic = processes.traffic();
    if (!traffic) return failed_with(traffic.error());
    result.traffic = std::move(*traffic);
    if (auto ok = watch.time("stop", [&] { return processes.stop(); }); !ok) return failed_with(ok.error());
    result.seconds = report::in_order(watch.finish());
    if (auto ok = run::write_result(folder, result, scenario.graph); !ok) return failed_with(ok.error());
    return std::move(result);
}

}  // namespace unlearn::sim::fleet
