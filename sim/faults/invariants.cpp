#include "sim/faults/invariants.hpp"

#include <algorithm>

#include "node/storage/batch_queue.hpp"
#include "protocol/limits.hpp"
#include "protocol/messages.hpp"

namespace unlearn::sim {

using namespace protocol;

namespace {

std::string name_of_machine(const Machine& machine) {
    return "node-" + std::to_string(machine.index);
}

std::string text(SeedVersion version) {
    return std::to_string(static_cast<std::uint64_t>(version));
}

template <typename T>
std::optional<T> message_in(const network::Frames& frames) {
    auto envelope = decode(frames);
    if (!envelope) return std::nullopt;
    if (auto* message = std::get_if<T>(&envelope->message)) return std::move(*message);
    return std::nullopt;
}

bool is_kind(const network::Frames& frames, Kind kind) {
    return network::kind_number(frames) == static_cast<std::uint8_t>(kind);
}

}  // namespace

void Invariants::fail(std::string rule, std::string detail) {
    if (!violation_) violation_ = Violation{std::move(rule), std::move(detail)};
}

std::optional<LoadedState> Invariants::surely_stored(const Machine& machine) const {
    const auto copy = machine.disk.synced_copy();
    auto opened = runtime::open_store(
        "state", {machine.id(), settings_.network}, [] { return WallTime{}; }, *copy);
    if (!opened) return std::nullopt;
    return std::move(opened->state);
}

void Invariants::loaded(const Machine& machine, const LoadedState& state) {
    std::set<NodeId> now;
    for (const auto& tombstone : state.tombstones)
        now.insert(tombstone.owner);
    for (const auto& owner : tombstones_[machine.id()])
        if (!now.contains(owner))
            fail("tombstones-never-shrink",
                 name_of_machine(machine) + " came back without the tombstone of " + owner.short_text());
    tombstones_[machine.id()].insert(now.begin(), now.end());
    for (auto it = quarantined_.begin(); it != quarantined_.end();)
        it = it->first.first == machine.id() ? quarantined_.erase(it) : std::next(it);
    for (const auto& seed : state.held_seeds) {
        std::uint64_t number = 0;
        for (const auto& lease : state.held_leases)
            if (lease.owner == seed.owner) number = lease.number;
        quarantined_[{machine.id(), seed.owner}] = {seed.version, number};
    }
    // What it heard before is news to it again, but for the lease of a seed that it holds.
    for (auto& [pair, heard] : heard_)
        if (pair.first == machine.id()) heard.numbers.clear();
    if (machine.restored) return;  // a backup cannot know whom the node served later
    for (const auto& [pair, version] : served_) {
        if (pair.first != machine.id()) continue;
        // Copies, since clang-14 cannot capture structured bindings.
        const bool known = std::any_of(state.recipients.begin(), state.recipients.end(),
                                       [peer = pair.second, least = version](const auto& r) {
                                           return r.peer == peer && r.version >= least;
                                       });
        if (!known)
            fail("recipients-on-record",
                 name_of_machine(machine) + " came back without its recipient " + pair.second.short_text());
    }
}

void Invariants::restored(const Machine& machine) {
    tombstones_[machine.id()].clear();
    // That it had left itself, and erased everything, is not in a backup from before.
    std::erase_if(receipts_, [&](const auto& entry) {
        return entry.first.first == machine.id() && entry.second == ReceiptReason::left;
    });
    std::erase_if(highest_, [&](const auto& entry) { return entry.first.first == machine.id(); });
}

void Invariants::installed(const Machine& machine, const NodeId& owner, SeedVersion version) {
    const Pair pair{machine.id(), owner};
    const std::string what =
        name_of_machine(machine) + " uses version " + text(version) + " of " + owner.short_text();
    if (receipts_.contains(pair)) fail("receipt-is-for-ever", what + " after its receipt");
    if (machine.up() && machine.engine().has_tombstone(owner)) fail("no-exited-seed-in-use", what);
    if (tombstones_[machine.id()].contains(owner))
        fail("no-exited-seed-in-use", what + " although its tombstone was stored");
    auto& highest = highest_[pair];
    if (version < highest) fail("versions-never-shrink", what + " after version " + text(highest));
    highest = version;
    if (const auto loaded = quarantined_.find(pair);
        loaded != quarantined_.end() && loaded->second.version == version) {
        const auto lease = heard_.find(pair);
        const bool renewed = lease != heard_.end() && lease->second.at >= machine.started_at &&
                             *lease->second.numbers.rbegin() > loaded->second.lease_number;
        const auto compared = compared_.find(machine.id());
        if (!renewed && (compared == compared_.end() || compared->second < machine.started_at))
            fail("quarantine", what + " from disk, and has heard nobody since its start");
    }
}

void Invariants::event(const Machine& machine, const Event& event) {
    if (event.kind == EventKind::exit_learned && !exits_.contains(event.subject))
        fail("no-exit-without-the-owner",
             name_of_machine(machine) + " believes that " + event.subject.short_text() + " has left");
    if (event.kind == EventKind::own_exit_met && !exits_.contains(machine.id()))
        fail("no-exit-without-the-owner", name_of_machine(machine) + " believes that it has left");
    if (event.kind == EventKind::exit_complete) completes(machine);
}

/// Complete means: everybody who was served, as far as the owner can know, has signed.
void Invariants::completes(const Machine& machine) {
    const auto exit = machine.engine().own_exit();
    const auto check = [&](const NodeId& holder, const char* what) {
        if (!ever_signed_.contains({holder, machine.id()}))
            fail("complete-means-all", name_of_machine(machine) + " reports its exit complete, and " +
                                           holder.short_text() + ", " + what + ", has signed nothing");
    };
    for (const auto& [holder, recipient] : exit.recipients)
        check(holder, "on record");
    if (machine.restored) return;  // a backup cannot know whom the node served later
    for (const auto& [pair, version] : served_)
        if (pair.first == machine.id()) check(pair.second, "which was served");
}

// ---------------------------------------------------------------- what is said

void Invariants::sends(const Machine& machine, const NodeId& to, const network::Frames& frames) {
    if (is_kind(frames, Kind::receipt)) sends_receipt(machine, to, frames);
    if (is_kind(frames, Kind::chunk)) sends_chunk(machine, to, frames);
    if (is_kind(frames, Kind::have)) sends_seed(machine, frames);
}

void Invariants::sends_receipt(const Machine& machine, const NodeId&, const network::Frames& frames) {
    const auto message = message_in<ReceiptMessage>(frames);
    const auto receipt = message ? verify_receipt(machine.id(), settings_.network, message->receipt)
                                 : Result<Receipt>(tl::unexpected(Error{ErrorCode::malformed, "receipt"}));
    if (!receipt) return fail("well-formed", name_of_machine(machine) + ": " + receipt.error().text());
    const std::string what = name_of_machine(machine) + " signs a receipt for " + receipt->owner.short_text();
    if (machine.uses(receipt->owner)) fail("no-exited-seed-in-use", what + " and uses its seed");
    ever_signed_.insert({machine.id(), receipt->owner});
    const auto [known, is_new] = receipts_.try_emplace({machine.id(), receipt->owner}, receipt->reason);
    if (receipt->reason == ReceiptReason::exit) known->second = ReceiptReason::exit;
    if (!is_new || settings_.in_memory) return;
    const auto stored = surely_stored(machine);
    if (!stored) return fail("receipt-implies-tombstone", what + " and its storage cannot be read");
    const bool durable = receipt->reason == ReceiptReason::left
                             ? stored->exiting.has_value()
                             : std::any_of(stored->tombstones.begin(), stored->tombstones.end(),
                                           [&](const auto& t) { return t.owner == receipt->owner; });
    if (!durable) fail("receipt-implies-tombstone", what + " before that is durable");
    if (receipt->reason == ReceiptReason::exit) tombstones_[machine.id()].insert(receipt->owner);
    search_disk(machine, receipt->owner);
}

void Invariants::sends_chunk(const Machine& machine, const NodeId& to, const network::Frames& frames) {
    const auto chunk = message_in<Chunk>(frames);
    if (!chunk) return;
    auto& served = served_[{machine.id(), to}];
    if (served >= chunk->version) return;
    served = chunk->version;
    if (settings_.in_memory) return;
    const auto stored = surely_stored(machine);
    const bool known =
        stored &&
        std::any_of(stored->recipients.begin(), stored->recipients.end(), [&](const PutRecipient& recipient) {
            return recipient.peer == to && recipient.version >= chunk->version;
        });
    if (!known)
        fail("recipients-on-record", name_of_machine(machine) + " serves version " + text(chunk->version) +
                                         " to " + to.short_text() + ", which is not on record");
}

void Invariants::sends_seed(const Machine& machine, const network::Frames& frames) {
    const auto have = message_in<Have>(frames);
    if (!have) return;
    if (exits_.contains(machine.id()) && machine.engine().own_exit().begun)
        fail("nothing-after-exit", name_of_machine(machine) + " offers its seed after its exit has begun");
    const Lease* lease = lease_in(machine.id(), have->lease);
    if (lease == nullptr) return fail("well-formed", name_of_machine(machine) + " signs a bad lease");
    const auto [known, is_new] =
        records_.emplace(std::pair{machine.id(), lease->version}, have->record.bytes);
    if (!is_new && known->second != have->record.bytes)
        fail("versions-never-shrink",
             name_of_machine(machine) + " uses version " + text(lease->version) + " for two seeds");
}

void Invariants::hears(const Machine& machine, const NodeId& from, const network::Frames& frames) {
    if (is_kind(frames, Kind::digest) || is_kind(frames, Kind::delta)) compared_[machine.id()] = time_.now();
    if (!is_kind(frames, Kind::have)) return;
    const auto have = message_in<Have>(frames);
    const Lease* lease = have ? lease_in(from, have->lease) : nullptr;
    if (lease == nullptr) return;
    auto& heard = heard_[{machine.id(), from}];
    // A lease that is repeated is no news.
    if (!heard.numbers.insert(lease->number).second && heard.at >= machine.started_at) return;
    heard.not_after = std::max(lease->not_after, heard.not_after);
    heard.at = time_.now();
}

const Lease* Invariants::lease_in(const NodeId& owner, const SignedBytes& signed_lease) {
    if (const auto known = leases_.find(signed_lease.signature); known != leases_.end())
        return &known->second;
    const auto lease = verify_lease(owner, settings_.network, signed_lease);
    if (!lease) return nullptr;
    return &leases_.emplace(signed_lease.signature, *lease).first->second;
}

// ---------------------------------------------------------------- what time can break

void Invariants::check_running(const Machine& machine) {
    if (!machine.up()) return;
    for (const auto& owner : tombstones_[machine.id()])
        if (!machine.engine().has_tombstone(owner))
            fail("tombstones-never-shrink", name_of_machine(machine) + " does not know any more that " +
                                                owner.short_text() + " has left");
    // After a sleep, or when its clock was set, a node needs a moment.
    if (time_.now() < std::max(machine.host->paused_until(), machine.clock_set_at) + settings_.slack) return;
    const auto now = machine.host->now();
    for (const auto& [owner, version] : machine.holder->in_use()) {
        const std::string what =
            name_of_machine(machine) + " uses version " + text(version) + " of " + owner.short_text();
        const auto heard = heard_.find({machine.id(), owner});
        if (heard == heard_.end()) {
            fail("lease", what + ", which it was never offered");
            continue;
        }
        const auto since = std::max(heard->second.at, machine.started_at);
        if (now.steady > since + settings_.lease_time + settings_.slack)
            fail("lease", what + " without a lease for too long");
        if (now.wall > heard->second.not_after + std::chrono::ceil<std::chrono::seconds>(settings_.slack))
            fail("lease", what + " after the end of its lease");
        if (receipts_.contains({machine.id(), owner}))
            fail("receipt-is-for-ever", what + " after its receipt");
    }
    const auto sizes = machine.engine().sizes();
    const auto bounded = [&](std::size_t size, std::size_t limit, const char* what) {
        if (size > limit)
            fail("limits", name_of_machine(machine) + " has " + std::to_string(size) + " " + what +
                               ", limit " + std::to_string(limit));
    };
    bounded(sizes.sessions, kMaxSessions, "sessions");
    bounded(sizes.blocked_keys, kMaxBlockedKeys, "blocked keys");
    bounded(sizes.waiting_gets, kMaxWaitingGets, "waiting requests");
    bounded(sizes.downloads, sizes.sessions + machine.engine().peers().size(), "downloads");
    bounded(sizes.candidates, machine.engine().peers().size(), "seeds under way");
    bounded(sizes.writes, storage::kMaxQueuedBatches, "writes under way");
}

void Invariants::search_disk(const Machine& machine, const NodeId& owner) {
    for (const auto& mark : payloads_.marks_of(owner))
        if (machine.disk.contains(mark))
            return fail("erased-on-disk", name_of_machine(machine) + " still has bytes of the seed of " +
                                              owner.short_text() + " on its disk");
}

void Invariants::check_disk(const Machine& machine) {
    for (const auto& [pair, reason] : receipts_)
        if (pair.first == machine.id()) search_disk(machine, pair.second);
}

}  // namespace unlearn::sim
