#include "sim/faults/spread.hpp"

#include <algorithm>

namespace unlearn::sim::faults {

using namespace std::chrono_literals;

namespace {

constexpr auto kCheckEvery = 100ms;
constexpr auto kPatience = 10min;

double seconds(FaultWorld::Duration duration) {
    return std::chrono::duration<double>(duration).count();
}

}  // namespace

SpreadResult spread(std::uint64_t seed, FaultOptions options) {
    FaultWorld world(seed, options);
    SpreadResult result;
    world.start_all();
    const auto wait_for = [&](auto&& done, FaultWorld::Duration every) {
        const auto deadline = world.now() + kPatience;
        while (!done() && !world.result().violation && world.now() < deadline)
            world.run_until(world.now() + every);
    };
    wait_for([&] { return !world.unsettled(); }, 5s);
    result.seconds_to_meet = seconds(world.now());

    Machine& leaver = world.machine(0);
    const auto begin = world.now();
    world.begin_exit(leaver);
    const auto told = [&] {
        std::size_t count = 0;
        for (std::size_t i = 1; i < world.size(); ++i)
            count += world.machine(i).engine().has_tombstone(leaver.id()) ? 1 : 0;
        return count;
    };
    wait_for([&] { return told() + 1 == world.size(); }, kCheckEvery);
    result.seconds_to_last = seconds(world.now() - begin);
    result.told = told();
    wait_for([&] { return leaver.retired; }, kCheckEvery);
    for (std::size_t i = 1; i < world.size(); ++i)
        if (world.machine(i).uses(leaver.id()))
            world.fail("no-exited-seed-in-use",
                       "node-" + std::to_string(i) + " still uses the seed that left");
    if (result.told + 1 != world.size())
        world.fail("everybody-knows",
                   std::to_string(world.size() - 1 - result.told) + " nodes were never told");
    if (!leaver.retired) world.fail("exits-complete", "the owner still waits for receipts");
    result.receipts = leaver.receipts;
    result.world = world.result();
    return result;
}

}  // namespace unlearn::sim::faults
