#include "sim/run/run.hpp"

#include "sim/run/counterfactual.hpp"
#include "sim/run/course.hpp"
#include "sim/run/result.hpp"
#include "sim/support/free_ports.hpp"
#include "sim/support/output_folder.hpp"

namespace unlearn::sim::run {

Result<report::RunResult> run_scenario(const scenario::Scenario& scenario, const WorldOptions& options,
                                       report::Progress& progress) {
    const auto& folder = options.folder;
    support::Stopwatch watch;
    auto created = watch.time("load", [&]() -> Result<std::unique_ptr<World>> {
        // The scenario, its data and its ports are checked before the folder of an earlier run is touched.
        auto setup = prepare(scenario, {}, options.violation);
        if (!setup) return failed_with(setup.error());
        for (const std::string& warning : setup->warnings)
            progress.message("warning: " + warning);
        if (options.transport == scenario::TransportKind::zmq)
            if (auto free = support::check_ports_free(scenario.network.base_port, scenario.graph.size());
                !free)
                return failed_with(free.error());
        if (auto ok = support::prepare_output_folder(folder); !ok) return failed_with(ok.error());
        return World::create(scenario, options, progress, std::move(*setup));
    });
    if (!created) return bad_input(created.error());
    World& world = **created;
    if (auto ok = watch.time("train", [&] { return world.train(); }); !ok) return failed_with(ok.error());
    if (auto ok = watch.time("distil", [&] { return world.distil(); }); !ok) return failed_with(ok.error());
    if (auto ok = watch.time("exchange", [&] { return world.exchange(); }); !ok)
        return failed_with(ok.error());
    auto course = run_course(scenario, world, folder, watch);
    if (!course) return failed_with(course.error());
    report::RunResult& result = course->result;
    result.traffic = world.traffic();
    result.transport = to_text(options.transport);
    world.stop();

    if (!scenario.exits.empty()) {
        const CounterfactualRequest request{scenario, options, course->former_neighbours, course->first,
                                            course->last};
        auto exactness = watch.time("counterfactual", [&] { return check_counterfactual(request); });
        if (!exactness) return failed_with(exactness.error());
        result.exactness = std::move(*exactness);
    }
    result.seconds = report::in_order(watch.finish());
    if (auto ok = write_result(folder, result, scenario.graph); !ok) return failed_with(ok.error());
    return std::move(result);
}

}  // namespace unlearn::sim::run
