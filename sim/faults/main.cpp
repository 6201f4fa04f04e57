#include <iomanip>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "node/command_line/command_line.hpp"
#include "sim/faults/in_parallel.hpp"
#include "sim/faults/spread.hpp"
#include "sim/faults/storm.hpp"

using namespace unlearn;
using namespace unlearn::sim::faults;

namespace {

constexpr int kCountWidth = 10;

struct Arguments {
    FaultOptions options;
    std::uint64_t first = 1;
    std::uint64_t seeds = 20;
    unsigned jobs = 0;
    std::string broken = "none";
    bool spread = false;
    bool json = false;
};

nlohmann::json json_of(std::uint64_t seed, const FaultResult& result) {
    nlohmann::json out{
        {"seed", seed},          {"events", result.events},   {"crashes", result.crashes},
        {"exits", result.exits}, {"attacks", result.attacks}, {"virtual_seconds", result.virtual_seconds},
        {"trace", result.trace}, {"faults", result.faults},   {"exits_unheard", result.exits_unheard}};
    if (result.violation)
        out["violation"] = {
            {"rule", result.violation->rule}, {"detail", result.violation->detail}, {"all", result.broken}};
    return out;
}

nlohmann::json json_of(std::uint64_t seed, const SpreadResult& result) {
    auto out = json_of(seed, result.world);
    out["told"] = result.told;
    out["receipts"] = result.receipts;
    out["seconds_to_meet"] = result.seconds_to_meet;
    out["seconds_to_last"] = result.seconds_to_last;
    return out;
}

/// Writes enough digits to read the same number back.
std::string exact(double number) {
    return nlohmann::json(number).dump();
}

std::string replay_command(const Arguments& arguments, std::uint64_t seed) {
    std::string command = "fault_sim --nodes " + std::to_string(arguments.options.nodes) + " --hours " +
                          exact(arguments.options.hours) + " --seeds 1 --first " + std::to_string(seed);
    if (arguments.spread) command += " --spread";
    if (arguments.broken != "none") command += " --break " + arguments.broken;
    return command;
}

void show_spread(const nlohmann::json& result) {
    std::cout << "seed " << result.at("seed") << ": " << result.at("told") << " nodes know of the exit after "
              << result.at("seconds_to_last") << " s of virtual time; the owner has " << result.at("receipts")
              << " receipts\n";
}

}  // namespace

int main(int argc, char** argv) {
    Arguments arguments;
    CLI::App app{
        "Runs production nodes under a simulated clock, network and disk, through storms of faults that are "
        "drawn "
        "from a seed, and checks after every event that nothing forgotten comes back. Exit code 1: it found "
        "a "
        "violation; 2: bad arguments.",
        "fault_sim"};
    app.add_option("--nodes", arguments.options.nodes, "in each network")
        ->check(CLI::Range(3U, 100'000U))
        ->capture_default_str();
    app.add_option("--seeds", arguments.seeds, "how many networks to run")->capture_default_str();
    app.add_option("--first", arguments.first, "the first seed")->capture_default_str();
    app.add_option("--hours", arguments.options.hours, "of storm in each, in virtual time; calm follows")
        ->check(CLI::Range(0.02, 10'000.0))
        ->capture_default_str();
    std::vector<std::string> rules;
    for (const auto name : broken_rule_names())
        rules.emplace_back(name);
    app.add_option("--break", arguments.broken, "break a rule on purpose; the simulation must notice")
        ->check(CLI::IsMember(rules));
    app.add_option("--jobs", arguments.jobs, "networks at a time; 0: one for each core");
    app.add_flag("--spread", arguments.spread,
                 "no faults, and storage in memory: one node leaves, and its exit must reach all others");
    bool log = false;
    app.add_flag("--log", log, "a line on stderr for everything that happens to a node");
    app.add_flag("--json", arguments.json, "one JSON object for each seed, and one at the end");
    if (const auto code = command_line::parse(app, {argv + 1, argv + argc}, std::cout, std::cerr))
        return *code;
    arguments.options.in_memory = arguments.spread;
    // One broken rule can violate several invariants.
    arguments.options.goes_on = arguments.broken != "none";
    if (log) arguments.options.log = &std::cerr;
    arguments.options.broken = *parse_broken_rule(arguments.broken);

    std::uint64_t events = 0;
    std::uint64_t crashes = 0;
    std::uint64_t violations = 0;
    std::map<std::string, std::uint64_t> faults;
    std::uint64_t exits = 0;
    std::uint64_t exits_unheard = 0;
    std::uint64_t seeds = 0;
    const auto run_one = [&](std::uint64_t seed) {
        if (arguments.spread) return json_of(seed, spread(seed, arguments.options));
        Storm storm(seed, arguments.options);
        return json_of(seed, storm.run());
    };
    const auto show = [&](const nlohmann::json& result) {
        const auto seed = result.at("seed").get<std::uint64_t>();
        ++seeds;
        events += result.at("events").get<std::uint64_t>();
        crashes += result.at("crashes").get<std::uint64_t>();
        exits += result.at("exits").get<std::uint64_t>();
        exits_unheard += result.at("exits_unheard").get<std::uint64_t>();
        for (const auto& [kind, times] : result.at("faults").items())
            faults[kind] += times.get<std::uint64_t>();
        if (arguments.json) {
            auto line = result;
            if (line.contains("violation")) line["replay"] = replay_command(arguments, seed);
            std::cout << line.dump() << "\n" << std::flush;
        }
        if (arguments.spread && !arguments.json) show_spread(result);
        const auto violation = result.find("violation");
        if (violation == result.end()) return;
        ++violations;
        if (!arguments.json)
            std::cout << "seed " << seed << ": " << violation->at("rule").get<std::string>() << ": "
                      << violation->at("detail").get<std::string>()
                      << "\n  violated: " << violation->at("all").dump()
                      << "\n  replay: " << replay_command(arguments, seed) << "\n"
                      << std::flush;
    };
    const auto broken = in_parallel(arguments.first, arguments.seeds, arguments.jobs, run_one, show);
    for (const auto& seed : broken) {
        ++violations;
        std::cerr << "seed " << seed << ": the process died\n  replay: " << replay_command(arguments, seed)
                  << "\n";
    }
    if (arguments.json)
        std::cout << nlohmann::json{{"seeds", seeds},
                                    {"events", events},
                                    {"crashes", crashes},
                                    {"exits", exits},
                                    {"exits_unheard", exits_unheard},
                                    {"faults", faults},
                                    {"violations", violations}}
                         .dump()
                  << "\n";
    else {
        for (const auto& [kind, times] : faults)
            std::cout << std::setw(kCountWidth) << times << "  " << kind << "\n";
        std::cout << std::setw(kCountWidth) << exits << "  exits that ended with all receipts\n"
                  << std::setw(kCountWidth) << exits_unheard
                  << "  exits that no remaining node can know of\n";
        std::cout << seeds << " seeds, " << events << " events, " << crashes << " crashes, " << violations
                  << " violations\n";
    }
    return violations == 0 ? 0 : 1;
}
