#include "sim/faults/storm.hpp"

#include <map>
#include <set>
#include <string>

#include <doctest/doctest.h>

using namespace unlearn::sim::faults;

namespace {

FaultOptions small_world(BrokenRule broken = BrokenRule::none) {
    FaultOptions options;
    options.nodes = 12;
    options.hours = 0.05;
    options.broken = broken;
    return options;
}

std::string text(const FaultResult& result) {
    return result.violation ? result.violation->rule + ": " + result.violation->detail : "no violation";
}

}  // namespace

TEST_CASE("storms end well") {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        CAPTURE(seed);
        const auto result = Storm(seed, small_world()).run();
        CHECK_MESSAGE(!result.violation, text(result));
        CHECK(result.crashes > 10);
        CHECK(result.attacks > 10);
        CHECK(result.events > 1000);
    }
}

TEST_CASE("the same seed gives the same storm, another seed another one") {
    const auto first = Storm(11, small_world()).run();
    const auto again = Storm(11, small_world()).run();
    const auto other = Storm(12, small_world()).run();
    CHECK(first.trace == again.trace);
    CHECK(first.events == again.events);
    CHECK(first.crashes == again.crashes);
    CHECK(first.trace != other.trace);
}

TEST_CASE("every kind of fault strikes") {
    std::map<std::string, std::uint64_t> faults;
    for (std::uint64_t seed = 1; seed <= 12; ++seed)
        for (const auto& [kind, times] : Storm(seed, small_world()).run().faults)
            faults[kind] += times;
    for (const std::string kind : {"attack: exit of a key twin",
                                   "attack: exit of another network",
                                   "attack: flood of small frames",
                                   "attack: flood of unknown owners",
                                   "attack: forged exit",
                                   "attack: frame too many",
                                   "attack: hello in another's name",
                                   "attack: hoarded lease",
                                   "attack: noise",
                                   "attack: one version after the other",
                                   "attack: record in another's name",
                                   "attack: replay",
                                   "attack: two records of one version",
                                   "attack: unsolicited chunk",
                                   "away for longer than a lease",
                                   "backup restored",
                                   "bit flipped",
                                   "clock jumps",
                                   "device lost for good",
                                   "died during a write",
                                   "died while it started",
                                   "disk errors",
                                   "disk full",
                                   "joins",
                                   "links cut both ways",
                                   "links cut one way",
                                   "message delayed",
                                   "message doubled",
                                   "message lost",
                                   "message lost in a cut",
                                   "message overtakes",
                                   "network in two parts",
                                   "paused",
                                   "peer removed and added",
                                   "power cut of all",
                                   "power lost",
                                   "process killed",
                                   "suspended for longer than a lease",
                                   "write failed by an error",
                                   "write failed on a full disk"})
        CHECK_MESSAGE(faults[kind] > 0, kind);
}

// Of each rule, the invariant that says what is wrong, and not one that only suffers from it.
TEST_CASE("a network that breaks a rule does not get through, and is told what is wrong") {
    const std::map<std::string_view, std::set<std::string>> expected{
        {"ack-before-durable", {"receipt-implies-tombstone"}},
        {"announce-check-only", {"no-exited-seed-in-use", "receipt-is-for-ever"}},
        {"forget-by-age", {"tombstones-never-shrink"}},
        {"ignore-unknown-owners", {"everybody-knows"}},
        {"accept-unsigned-exit", {"no-exit-without-the-owner"}},
        {"skip-quarantine", {"quarantine"}},
        {"outlive-lease", {"lease"}},
        {"keep-on-disk", {"erased-on-disk"}},
        {"serve-unrecorded", {"recipients-on-record"}},
    };
    CHECK(expected.size() + 1 == broken_rule_names().size());
    for (const auto& entry : expected) {
        // No structured binding, since clang-14 cannot capture those.
        const std::string_view name = entry.first;
        const std::set<std::string>& wanted = entry.second;
        CAPTURE(name);
        std::map<std::string, int> seen;
        bool found = false;
        auto world = small_world(*parse_broken_rule(name));
        world.goes_on = true;
        for (std::uint64_t seed = 1; seed <= 200 && !found; ++seed)
            for (const auto& rule : Storm(seed, world).run().broken) {
                ++seen[rule];
                found = found || wanted.contains(rule);
            }
        std::string others;
        for (const auto& [rule, times] : seen)
            others += rule + " " + std::to_string(times) + ", ";
        CHECK_MESSAGE(found, others);
    }
}

// Storms that once ended badly. Faults are drawn in an order that changes with the simulator, so each of
// these bugs has a test of its own in tests/unit/protocol too. (1860, 3216, 4592, 8470 and 16699: it was the
// check. It counted leases that a node could not take, took a seed that its owner had sent again for the one
// on disk, and a tombstone of a failed transaction for one that the node relied on, and missed that a seed
// which was removed and fetched again may come with the lease of before.) Not under a sanitizer, where they
// would take minutes: `.ci/run` runs other storms there.
#ifndef UNLEARN_ADDRESS_SANITIZER
TEST_CASE("storms that once ended badly") {
    for (const std::uint64_t seed :
         {28, 36, 40, 45, 47, 51, 77, 158, 582, 633, 1008, 1860, 3216, 4592, 6431, 8470, 14041, 16699}) {
        CAPTURE(seed);
        const auto result = Storm(seed, {}).run();
        CHECK_MESSAGE(!result.violation, text(result));
    }
}
#endif
