#pragma once

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "node/runtime/host.hpp"
#include "node/storage/store.hpp"
#include "protocol/network_statements.hpp"
#include "sim/faults/fault_world.hpp"
#include "sim/faults/invariants.hpp"

/// A small world in which all goes well, and what somebody in it may say.
namespace unlearn::testing {

using namespace unlearn::protocol;
using namespace unlearn::sim::faults;
using namespace std::chrono_literals;

using Rules = std::set<std::string>;

inline constexpr SeedVersion kFirst{1};
inline constexpr SeedVersion kSecond{2};

/// Three nodes, each a neighbour of the others.
class SmallWorld final : public FaultWorld {
  public:
    SmallWorld() : FaultWorld(2, options()) {}

    /// Before the start: the network has a key.
    SmallWorld& with_key() {
        network_key_ = identity_of("network", 0);
        return *this;
    }
    /// The network's key expels `member`, and machine `index` is told.
    void expel(std::size_t index, const NodeId& member) {
        expelled_.insert(member);
        REQUIRE(machine(index).node().submit_network_statement(
            NetworkStatementKind::revocation,
            sign_revocation(*network_key_, network_id_, {network_key_->id(), member, 1, WallTime{1s}})));
    }
    /// Until everybody uses everybody's seed.
    SmallWorld& met() {
        start_all();
        run_until(now() + 20s);
        REQUIRE(!unsettled());
        return *this;
    }
    /// And machine 1 has left.
    SmallWorld& left() {
        met();
        begin_exit(machine(1));
        run_until(now() + 20s);
        REQUIRE(machine(1).retired);
        REQUIRE(!unsettled());
        return *this;
    }
    void cut_off(std::size_t index) {
        for (std::size_t other = 0; other < size(); ++other) {
            silence(index, other);
            silence(other, index);
        }
    }

    /// What `from` says does not reach `to`.
    void silence(std::size_t from, std::size_t to) {
        blocked_.insert({machine(from).id(), machine(to).id()});
    }

    [[nodiscard]] Invariants& invariants() { return *invariants_; }
    [[nodiscard]] const Rules& broken() const { return invariants_->broken(); }
    [[nodiscard]] const NetworkId& network() const { return network_id_; }
    [[nodiscard]] Payloads& payloads() { return payloads_; }
    [[nodiscard]] learning::RandomStream& random() { return random_; }
    [[nodiscard]] LoadedState stored(std::size_t index) {
        const auto copy = machine(index).disk().synced_copy();
        auto opened = runtime::open_store("state", {machine(index).id(), network_id_}, storage::wall_time_now,
                                          *copy, storage::kLogEntries);
        REQUIRE(opened);
        return std::move(opened->state);
    }
    void lose(std::size_t index) {
        machine(index).lost = true;
        crash(machine(index), true, 1s);
    }
    void restart(std::size_t index) {
        crash(machine(index), true, 1s);
        run_until(now() + 20s);
    }

  private:
    static FaultOptions options() {
        FaultOptions options;
        options.nodes = 3;
        return options;
    }
};

inline Identity stranger() {
    return Identity::from_seed({9});
}

inline network::Frames frames_of(Message message) {
    return encode({1, std::move(message)});
}

inline SignedBytes notice_of(const SmallWorld& world, const Identity& owner) {
    return sign_notice(owner, world.network(), ExitNotice{owner.id(), WallTime{1s}, {}});
}

inline LoadedState state_with_tombstone(const SmallWorld& world, const Identity& owner) {
    LoadedState state;
    state.tombstones.push_back({owner.id(), notice_of(world, owner)});
    return state;
}

/// Machine `index` starts with what is on its disk, and the exit of `owner` beside it.
inline void start_with_tombstone(SmallWorld& world, std::size_t index, const Identity& owner) {
    LoadedState state = world.stored(index);
    state.tombstones.push_back({owner.id(), notice_of(world, owner)});
    world.invariants().loaded(world.machine(index), state);
}

inline network::Frames receipt_frames(const SmallWorld& world, const Machine& holder, const NodeId& owner) {
    return frames_of(ReceiptMessage{sign_receipt(
        holder.identity(), world.network(), Receipt{owner, holder.id(), ReceiptReason::exit, kFirst, {}})});
}

/// An offer of `version`, whose seed is all `fill`.
inline network::Frames offer_frames(const SmallWorld& world, const Identity& owner, SeedVersion version,
                                    std::uint8_t fill) {
    const Bytes payload(100, fill);
    const auto record = describe_seed(owner.id(), version, "mlp:8", payload, WallTime{1s});
    REQUIRE(record);
    const Lease lease{owner.id(), version, 1'000'000, WallTime{1'700'000'060s}};
    return frames_of(
        Have{sign_record(owner, world.network(), *record), sign_lease(owner, world.network(), lease)});
}

}  // namespace unlearn::testing
