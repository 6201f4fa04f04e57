#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "sim/faults/fault_world.hpp"

/// The life of two nodes, from their first start to the exit of one, with a crash at every operation of
/// either disk: before it, in the middle of it, after it, with power and without (what was not synced goes
/// with it), and again while the machine comes back.
using namespace unlearn::sim::faults;
using namespace unlearn::sim::virtual_world;
using namespace unlearn::protocol;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kOwner = 0;
constexpr std::size_t kHolder = 1;

struct CrashPoint {
    std::size_t machine = 0;
    std::uint64_t operation = 0;  ///< of the machine's disk, from its first start on
    VirtualDisk::Crash how{};
    bool power_lost = true;
};
struct CrashPoints {
    CrashPoint first;
    /// `operation` counts from the restart on.
    std::optional<CrashPoint> second;
};

struct Life {
    std::uint64_t operations[2] = {0, 0};
    std::uint64_t crashes = 0;
    /// Operations on disk after the first crash, until all is written that a start has to write.
    std::uint64_t recovery = 0;
    std::string problem;
};

constexpr auto kRecoveryTime = 100ms;  ///< of the virtual world, from the start on

class TwoNodes final : public FaultWorld {
  public:
    explicit TwoNodes(std::optional<CrashPoints> points) : FaultWorld(7, options()), points_(points) {}

    Life live() {
        start_all();
        if (!wait_for([&] { return !unsettled(); })) return end("the seeds never arrive");
        begin_exit(machine(kOwner));
        // The owner stops when all receipts are stored; a command that a crash has swallowed is given again.
        const bool left = wait_for([&] {
            Machine& owner = machine(kOwner);
            if (owner.up() && !owner.engine().own_exit().begun) begin_exit(owner);
            return owner.retired;
        });
        if (!left) return end("the exit never ends");
        if (!wait_for([&] { return machine(kHolder).up(); })) return end("the holder never comes back");
        life_.operations[kOwner] = machine(kOwner).disk().operations();
        life_.operations[kHolder] = machine(kHolder).disk().operations();
        if (!never_starts_again(machine(kOwner))) return end("the owner starts again");
        check_everybody();
        const Machine& holder = machine(kHolder);
        if (!holder.engine().has_tombstone(machine(kOwner).id())) return end("no tombstone");
        if (holder.uses(machine(kOwner).id())) return end("the seed is still in use");
        for (const std::size_t index : {kOwner, kHolder})
            for (const auto& mark : payloads_.marks_of(machine(1 - index).id()))
                if (machine(index).disk().contains(mark)) return end("bytes of an erased seed");
        return end("");
    }

  private:
    static FaultOptions options() {
        FaultOptions options;
        options.nodes = 2;
        return options;
    }

    void before_start(Machine& machine) override {
        if (!points_ || machine.index != points_->first.machine) return;
        if (machine.starts == 0) return arm(machine, points_->first);
        if (machine.starts == 1)
            time_.after(kRecoveryTime, [this, &machine, before = machine.disk().operations()] {
                life_.recovery = machine.disk().operations() - before;
            });
        if (points_->second) arm(machine, *std::exchange(points_->second, {}));
    }

    void arm(Machine& machine, const CrashPoint& point) {
        power_lost_ = point.power_lost;
        crash_at(machine, point.operation, point.how);
    }

    [[nodiscard]] Aftermath aftermath() override { return {power_lost_, 1s}; }

    bool never_starts_again(Machine& machine) {
        machine.retired = false;
        come_back(machine);
        return wait_for([&] { return machine.retired; }) && !machine.up();
    }

    template <typename Done>
    bool wait_for(Done&& done) {
        const auto deadline = now() + 120s;
        while (!done() && !result().violation && now() < deadline)
            run_until(now() + 500ms);
        return done();
    }

    Life end(const std::string& problem) {
        const auto result = this->result();
        life_.crashes = result.crashes;
        life_.problem = result.violation ? result.violation->rule + ": " + result.violation->detail : problem;
        return life_;
    }

    std::optional<CrashPoints> points_;
    bool power_lost_ = true;
    Life life_;
};

std::string text(const CrashPoint& point) {
    static constexpr const char* kHow[] = {"before", "in the middle of", "after"};
    return std::string(kHow[static_cast<int>(point.how)]) + " operation " + std::to_string(point.operation) +
           (point.power_lost ? ", and loses power" : "");
}

std::string text(const CrashPoints& points) {
    return std::string(points.first.machine == kOwner ? "owner" : "holder") + " dies " + text(points.first) +
           (points.second ? "; again " + text(*points.second) : "");
}

void check(const CrashPoints& points, const Life& life) {
    CHECK_MESSAGE(life.problem.empty(), text(points), ": ", life.problem);
    const std::uint64_t expected = points.second ? 2 : 1;
    CHECK_MESSAGE(life.crashes == expected, text(points), ": crashed ", life.crashes, " times");
}

struct Way {
    VirtualDisk::Crash how;
    bool power_lost;
};
constexpr std::array<Way, 6> kWays{{{VirtualDisk::Crash::before, true},
                                    {VirtualDisk::Crash::torn, true},
                                    {VirtualDisk::Crash::after, true},
                                    {VirtualDisk::Crash::before, false},
                                    {VirtualDisk::Crash::torn, false},
                                    {VirtualDisk::Crash::after, false}}};

/// How many ways each operation is met in. Under a sanitizer, which makes everything several times slower, it
/// is one, in turn.
#ifdef UNLEARN_ADDRESS_SANITIZER
constexpr std::size_t kWaysEach = 1;
#else
constexpr std::size_t kWaysEach = kWays.size();
#endif

bool is_left_out(std::uint64_t operation, std::size_t way) {
    return (operation + way) % kWays.size() >= kWaysEach;
}

/// Second crashes, each at the operation of a recovery that was met least often before.
class SecondCrashes {
  public:
    CrashPoint next(std::size_t machine, std::uint64_t recovery) {
        times_.resize(std::max<std::size_t>(times_.size(), recovery));
        const auto end = times_.begin() + static_cast<std::ptrdiff_t>(recovery);
        const auto least = std::min_element(times_.begin(), end);
        const Way way = kWays[(*least)++ % kWays.size()];
        return {machine, static_cast<std::uint64_t>(least - times_.begin()), way.how, way.power_lost};
    }
    /// Whether every operation of such a recovery was met in as many ways as are tried.
    [[nodiscard]] bool met_all(std::uint64_t recovery) const {
        return times_.size() >= recovery &&
               std::all_of(times_.begin(), times_.begin() + static_cast<std::ptrdiff_t>(recovery),
                           [](std::size_t times) { return times >= kWaysEach; });
    }
    /// For each operation of the longest recovery.
    [[nodiscard]] const std::vector<std::size_t>& times() const { return times_; }

  private:
    std::vector<std::size_t> times_;
};

}  // namespace

TEST_CASE("a crash at every disk operation of start-up, installation and exit, and another during recovery") {
    // Every recovery is cut short at a few of its operations: over all of them, at each one in every way.
    constexpr int kLeast = 1;
    constexpr int kMost = 60;  ///< as long as some operation was not met in all ways
    const Life undisturbed = TwoNodes({}).live();
    REQUIRE_MESSAGE(undisturbed.problem.empty(), undisturbed.problem);
    REQUIRE(undisturbed.crashes == 0);
    SecondCrashes second;
    std::uint64_t recoveries = 0;
    for (const std::size_t machine : {kOwner, kHolder}) {
        REQUIRE(undisturbed.operations[machine] > 20);
        for (std::uint64_t operation = 0; operation < undisturbed.operations[machine]; ++operation)
            for (std::size_t way = 0; way < kWays.size(); ++way) {
                if (is_left_out(operation, way)) continue;
                const auto [how, power_lost] = kWays[way];
                const CrashPoint first{machine, operation, how, power_lost};
                const Life life = TwoNodes(CrashPoints{first, {}}).live();
                check({first, {}}, life);
                if (life.recovery == 0) continue;  // its exit was over
                // After one of three first crashes: the first one leaves little for the second to depend on.
                if (++recoveries % 3 != 0) continue;
                for (int i = 0; i < (second.met_all(life.recovery) ? kLeast : kMost); ++i) {
                    const CrashPoints both{first, second.next(machine, life.recovery)};
                    check(both, TwoNodes(both).live());
                }
            }
    }
    MESSAGE("operations of the owner's disk: ", undisturbed.operations[kOwner],
            ", of the holder's: ", undisturbed.operations[kHolder],
            ", of the longest recovery: ", second.times().size());
    for (std::size_t operation = 0; operation < second.times().size(); ++operation)
        CHECK_MESSAGE(second.times()[operation] >= kWaysEach, "operation ", operation,
                      " of recovery: ", second.times()[operation], " times");
}
