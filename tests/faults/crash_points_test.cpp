#include <chrono>
#include <optional>
#include <string>

#include <doctest/doctest.h>

#include "sim/faults/fault_world.hpp"

/// The life of two nodes, from their first start to the exit of one, with a crash at every operation of
/// either disk: before it, in the middle of it, after it, and again while the machine comes back.
using namespace unlearn::sim;
using namespace unlearn::protocol;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kOwner = 0;
constexpr std::size_t kHolder = 1;

struct CrashPoint {
    std::size_t machine = 0;
    std::uint64_t operation = 0;  ///< of the machine's disk, from its first start on
    VirtualDisk::Crash how{};
    /// Operation after the restart at which it crashes again.
    std::optional<std::uint64_t> again;
};

struct Life {
    std::uint64_t operations[2] = {0, 0};
    std::uint64_t crashes = 0;
    std::string problem;
};

class TwoNodes final : public FaultWorld {
  public:
    explicit TwoNodes(std::optional<CrashPoint> crash) : FaultWorld(7, options()), crash_(crash) {}

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
        life_.operations[kOwner] = machine(kOwner).disk.operations();
        life_.operations[kHolder] = machine(kHolder).disk.operations();
        if (!never_starts_again(machine(kOwner))) return end("the owner starts again");
        check_everybody();
        const Machine& holder = machine(kHolder);
        if (!holder.engine().has_tombstone(machine(kOwner).id())) return end("no tombstone");
        if (holder.uses(machine(kOwner).id())) return end("the seed is still in use");
        for (const std::size_t index : {kOwner, kHolder})
            for (const auto& mark : payloads_.marks_of(machine(1 - index).id()))
                if (machine(index).disk.contains(mark)) return end("bytes of an erased seed");
        return end("");
    }

  private:
    static FaultOptions options() {
        FaultOptions options;
        options.nodes = 2;
        return options;
    }

    void before_start(Machine& machine) override {
        if (!crash_ || machine.index != crash_->machine) return;
        if (machine.starts == 0) crash_at(machine, crash_->operation, crash_->how);
        if (machine.starts > 0 && crash_->again) {
            crash_at(machine, *crash_->again, crash_->how);
            crash_->again.reset();
        }
    }

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

    std::optional<CrashPoint> crash_;
    Life life_;
};

std::string text(const CrashPoint& point) {
    static constexpr const char* kHow[] = {"before", "in the middle of", "after"};
    return std::string(point.machine == kOwner ? "owner " : "holder ") + kHow[static_cast<int>(point.how)] +
           " operation " + std::to_string(point.operation) +
           (point.again ? ", again at " + std::to_string(*point.again) : "");
}

}  // namespace

TEST_CASE("a crash at every disk operation of start-up, installation and exit") {
    const Life undisturbed = TwoNodes({}).live();
    REQUIRE_MESSAGE(undisturbed.problem.empty(), undisturbed.problem);
    REQUIRE(undisturbed.crashes == 0);
    MESSAGE("operations of the owner's disk: ", undisturbed.operations[kOwner],
            ", of the holder's: ", undisturbed.operations[kHolder]);
    for (const std::size_t machine : {kOwner, kHolder}) {
        REQUIRE(undisturbed.operations[machine] > 20);
        for (std::uint64_t operation = 0; operation < undisturbed.operations[machine]; ++operation)
            for (const auto how :
                 {VirtualDisk::Crash::before, VirtualDisk::Crash::torn, VirtualDisk::Crash::after}) {
                const CrashPoint point{machine, operation, how, {}};
                const Life life = TwoNodes(point).live();
                CHECK_MESSAGE(life.problem.empty(), text(point), ": ", life.problem);
                CHECK_MESSAGE(life.crashes == 1, text(point), ": crashed ", life.crashes, " times");
            }
    }
}

TEST_CASE("a second crash during the recovery from the first") {
    const Life undisturbed = TwoNodes({}).live();
    // Fewer operations than any start needs, so that each second crash really happens.
    constexpr std::uint64_t kOfRecovery = 6;
    for (const std::size_t machine : {kOwner, kHolder})
        for (std::uint64_t operation = 0; operation < undisturbed.operations[machine]; operation += 3)
            for (std::uint64_t again = 0; again < kOfRecovery; ++again) {
                const CrashPoint point{machine, operation, VirtualDisk::Crash::torn, again};
                const Life life = TwoNodes(point).live();
                CHECK_MESSAGE(life.problem.empty(), text(point), ": ", life.problem);
                CHECK_MESSAGE(life.crashes == 2, text(point), ": crashed ", life.crashes, " times");
            }
}
