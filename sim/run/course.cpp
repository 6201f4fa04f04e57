#include "sim/run/course.hpp"

#include <set>

#include "sim/run/result.hpp"
#include "sim/support/output_folder.hpp"

namespace unlearn::sim::run {

Result<Course> run_course(const scenario::Scenario& scenario, Nodes& nodes,
                          const std::filesystem::path& folder, support::Stopwatch& watch) {
    const auto evaluate = [&] { return watch.time("evaluate", [&] { return nodes.evaluate(); }); };
    auto first = evaluate();
    if (!first) return failed_with(first.error());

    Course course;
    course.result = begin_result(scenario, nodes, *first);
    course.first = *first;
    course.last = std::move(*first);
    std::set<std::string> former_neighbours;
    for (const auto& exit : scenario.exits) {
        auto outcome = watch.time("exit", [&] { return nodes.exit(exit.node); });
        if (!outcome) return failed_with(outcome.error());
        auto after = evaluate();
        if (!after) return failed_with(after.error());
        complete(outcome->result, course.last, *after);
        if (auto ok = support::write_file(folder / outcome->result.certificate,
                                          outcome->certificate.dump(2) + "\n");
            !ok)
            return failed_with(ok.error());
        const auto& holders = outcome->result.holders;
        former_neighbours.insert(holders.begin(), holders.end());
        course.result.exits.push_back(std::move(outcome->result));
        course.last = std::move(*after);
    }
    for (const auto& exit : scenario.exits)
        former_neighbours.erase(exit.node);
    course.former_neighbours.assign(former_neighbours.begin(), former_neighbours.end());
    return course;
}

}  // namespace unlearn::sim::run
