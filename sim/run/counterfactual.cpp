#include "sim/run/counterfactual.hpp"

#include <algorithm>
#include <chrono>

#include "sim/run/predictions.hpp"
#include "sim/support/child_process.hpp"

namespace unlearn::sim::run {
namespace {

/// Runs this program again with other arguments. Its messages go to the same place as ours.
Result<void> run_ourselves(const std::vector<std::string>& arguments) {
    auto process = support::start_ourselves(arguments);
    if (!process)
        return failed_with("the world without the leaver cannot be started: " + process.error().message);
    if (process->wait() != 0)
        return failed_with("the world without the leaver ended with an error (see above)");
    return {};
}

}  // namespace

Result<void> run_without(const scenario::Scenario& scenario, const std::vector<std::string>& without,
                         const WorldOptions& options, report::Progress& progress) {
    auto setup = prepare(scenario, without, options.violation);
    if (!setup) return failed_with(setup.error());
    auto world = World::create(scenario, options, progress, std::move(*setup));
    if (!world) return failed_with(world.error());
    if (auto ok = (*world)->train(); !ok) return ok;
    if (auto ok = (*world)->distil(); !ok) return ok;
    if (auto ok = (*world)->exchange(); !ok) return ok;
    auto evaluations = (*world)->evaluate();
    if (!evaluations) return failed_with(evaluations.error());
    (*world)->stop();
    return write_predictions(options.folder, *evaluations);
}

Result<report::ExactnessResult> check_counterfactual(const CounterfactualRequest& request) {
    const auto started = std::chrono::steady_clock::now();
    const auto folder = request.options.folder / "world-without";
    std::vector<std::string> arguments{"counterfactual", request.scenario.file.string(),
                                       "--out",          folder.string(),
                                       "--seed",         std::to_string(request.scenario.seed)};
    for (const auto& exit : request.scenario.exits)
        arguments.insert(arguments.end(), {"--without", exit.node});
    arguments.insert(arguments.end(), {"--transport", std::string(to_text(request.options.transport))});
    if (request.options.violation != Violation::none)
        arguments.insert(arguments.end(), {"--violate", to_text(request.options.violation)});
    if (auto ok = run_ourselves(arguments); !ok) return failed_with(ok.error());

    const auto comparison = compare_predictions(folder, request.after);
    if (!comparison) return failed_with(comparison.error());

    // A former neighbour that predicts the same before and after the exit shows nothing, because the leaver's
    // seed did not change its predictions.
    std::vector<std::string> vacuous;
    for (const auto& name : request.former_neighbours) {
        const auto named = [&](const Evaluation& evaluation) { return evaluation.name == name; };
        const auto before = std::find_if(request.before.begin(), request.before.end(), named);
        const auto after = std::find_if(request.after.begin(), request.after.end(), named);
        if (before == request.before.end() || after == request.after.end() ||
            same_predictions(*before, *after))
            vacuous.push_back(name);
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started;
    report::ExactnessResult result;
    result.checked = true;
    result.nodes = comparison->nodes;
    result.predictions = comparison->predictions;
    result.differing = comparison->differing;
    result.bit_identical = comparison->differing == 0 && comparison->predictions > 0;
    result.vacuous = std::move(vacuous);
    result.world_b_seconds = seconds.count();
    if (request.options.violation != Violation::none) result.violation = to_text(request.options.violation);
    return result;
}

}  // namespace unlearn::sim::run
