#include "sim/faults/invariants.hpp"

#include <algorithm>

#include "node/runtime/certificate.hpp"
#include "node/storage/batch_queue.hpp"
#include "node/storage/sqlite.hpp"
#include "protocol/limits.hpp"

namespace unlearn::sim::faults {

using namespace protocol;

namespace {

/// Whether an entry, whose key begins with a machine, belongs to this machine.
auto is_of(const Machine& machine) {
    return [id = machine.id()](const auto& entry) { return entry.first.first == id; };
}

}  // namespace

std::string Invariants::text(SeedVersion version) {
    return std::to_string(static_cast<std::uint64_t>(version));
}

void Invariants::fail(std::string rule, std::string detail) {
    broken_.insert(rule);
    if (!violation_) violation_ = BrokenInvariant{std::move(rule), std::move(detail)};
}

/// Reads the tables without a Store, which would prepare and read much that is not needed here. This is
/// called often. What cannot be read counts as missing.
Invariants::Stored Invariants::surely_stored(const Machine& machine) {
    Stored out;
    const auto copy = machine.disk().synced_copy();
    const auto connection = storage::sqlite::Connection::open(
        "state/state.db", storage::sqlite::Access::read_write, copy->sqlite_vfs());
    if (!connection || !(*connection)->run("PRAGMA locking_mode = EXCLUSIVE")) return out;
    const auto read = [&](const char* sql, auto&& take) {
        auto rows = (*connection)->prepare(sql);
        while (rows && rows->step().value_or(false))
            take(*rows);
    };
    read("SELECT owner FROM tombstones", [&](const auto& row) {
        if (const auto owner = NodeId::from_bytes(row.blob(0))) out.exits.insert(*owner);
    });
    read("SELECT 1 FROM exiting", [&](const auto&) { out.exits.insert(machine.id()); });
    read("SELECT peer, version FROM recipients", [&](const auto& row) {
        if (const auto peer = NodeId::from_bytes(row.blob(0)))
            out.recipients.emplace(*peer, SeedVersion{static_cast<std::uint64_t>(row.integer(1))});
    });
    return out;
}

bool Invariants::is_surely_stored(const Machine& machine, const NodeId& owner) {
    auto& exits = tombstones_[machine.id()];
    if (settings_.in_memory) exits.insert(owner);
    // Counts only what the node says: a transaction that failed may be on disk until the next one overwrites
    // it.
    if (!exits.contains(owner) && surely_stored(machine).exits.contains(owner)) exits.insert(owner);
    return exits.contains(owner);
}

bool Invariants::is_surely_recorded(const Machine& machine, const NodeId& peer, SeedVersion version) {
    const auto& recorded = recorded_[{machine.id(), peer}];
    // Records all recipients, because this is called often.
    if (recorded < version && !settings_.in_memory)
        for (const auto& [other, stored] : surely_stored(machine).recipients) {
            auto& known = recorded_[{machine.id(), other}];
            known = std::max(known, stored);
        }
    return recorded >= version || settings_.in_memory;
}

void Invariants::loaded(const Machine& machine, const LoadedState& state) {
    std::set<NodeId> now;
    for (const auto& tombstone : state.tombstones)
        now.insert(tombstone.owner);
    if (state.exiting) now.insert(machine.id());
    for (const auto& owner : tombstones_[machine.id()])
        if (!now.contains(owner))
            fail("tombstones-never-shrink",
                 machine.name() + " came back without the tombstone of " + owner.short_text());
    tombstones_[machine.id()].insert(now.begin(), now.end());
    std::erase_if(introduced_, is_of(machine));
    // No seed of theirs is in the state, so no erasure is still under way: the bytes must be gone.
    for (const auto& owner : now)
        if (std::none_of(state.held_seeds.begin(), state.held_seeds.end(),
                         [&](const PutHeldSeed& seed) { return seed.owner == owner; }))
            erases(machine, owner);
    // Neighbours have to vouch again, except at the very first start.
    if (!state.starts.empty()) vouchers_[machine.id()].clear();
    std::erase_if(comparisons_, is_of(machine));
    std::erase_if(queries_, is_of(machine));
    std::erase_if(windows_, is_of(machine));
    // What it heard before is news to it again, except for the lease of a seed that it holds.
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
                 machine.name() + " came back without its recipient " + pair.second.short_text());
    }
}

void Invariants::restored(const Machine& machine) {
    tombstones_[machine.id()].clear();
    // A backup from before does not know that the machine had left and erased everything.
    std::erase_if(receipts_, [&](const auto& entry) {
        return entry.first.first == machine.id() && entry.second == ReceiptReason::left;
    });
    std::erase_if(highest_, is_of(machine));
    std::erase_if(erased_, [&](const Pair& pair) { return pair.first == machine.id(); });
    std::erase_if(checked_receipts_, is_of(machine));
    std::erase_if(recorded_, is_of(machine));
    std::erase_if(asked_, is_of(machine));
    std::erase_if(erased_versions_,
                  [&](const auto& entry) { return entry.first.first.first == machine.id(); });
    vouchers_[machine.id()].clear();
    ever_restored_.insert(machine.id());
}

void Invariants::put_to_rest(const Machine& machine) {
    if (!completed_.contains(machine.id()) && !met_.contains(machine.id()))
        fail("complete-means-all", machine.name() + " has retired, and never reported its exit complete");
}

const std::set<NodeId>& Invariants::stored_exits(const NodeId& machine) const {
    static const std::set<NodeId> none;
    const auto found = tombstones_.find(machine);
    return found == tombstones_.end() ? none : found->second;
}

void Invariants::offered(const Machine& machine, const NodeId& owner, ByteView payload) {
    if (!payloads_.is_from(owner, payload))
        fail("held-is-signed", machine.name() + " got a seed that " + owner.short_text() + " never made");
}

void Invariants::installed(const Machine& machine, const NodeId& owner, SeedVersion version) {
    const Pair pair{machine.id(), owner};
    const std::string what = machine.name() + " uses version " + text(version) + " of " + owner.short_text();
    if (receipts_.contains(pair))
        fail("receipt-is-for-ever", what + " after its receipt");
    else if (machine.up() && machine.engine().has_tombstone(owner))
        fail("no-exited-seed-in-use", what);
    else if (tombstones_[machine.id()].contains(owner))
        fail("no-exited-seed-in-use", what + " although its tombstone was stored");
    auto& highest = highest_[pair];
    if (version < highest) fail("versions-never-shrink", what + " after version " + text(highest));
    highest = version;
    check_quarantine(machine, owner, what);
}

void Invariants::check_quarantine(const Machine& machine, const NodeId& owner, const std::string& what) {
    const auto waits = vouchers_.find(machine.id());
    if (waits == vouchers_.end()) return;
    const bool vouched = std::any_of(waits->second.begin(), waits->second.end(), [&](const auto& voucher) {
        return (voucher.first != owner || will_do_alone(machine, owner)) &&
               voucher.second.rules_out(ExitedId{owner.bytes()});
    });
    if (!vouched) fail("quarantine", what + " after a start, and nobody else has vouched for it");
}

/// Whether no other peer can know of an exit of `peer`, or the machine has been up for the time of a lease.
bool Invariants::will_do_alone(const Machine& machine, const NodeId& peer) const {
    if (!machine.up() || machine.host()->now().steady >= machine.started_at + settings_.lease_time)
        return true;
    const auto peers = machine.engine().peers();
    return std::none_of(peers.begin(), peers.end(), [&](const PeerStatus& status) {
        return status.id != peer && status.state != PeerState::former && status.state != PeerState::left &&
               !machine.engine().is_expelled(status.id);
    });
}

void Invariants::event(const Machine& machine, const Event& event) {
    if (event.kind == EventKind::exit_learned && !exits_.contains(event.subject))
        fail("no-exit-without-the-owner",
             machine.name() + " believes that " + event.subject.short_text() + " has left");
    // No storm makes a value that cannot be stored, so only a mistake of ours does.
    if (event.kind == EventKind::store_impossible || event.kind == EventKind::store_refused)
        fail("every-record-can-be-stored", machine.name() + ": " + event.detail);
    if (event.kind == EventKind::exit_learned) learns_exit(machine, event.subject);
    if (event.kind == EventKind::own_exit_met && !exits_.contains(machine.id()))
        fail("no-exit-without-the-owner", machine.name() + " believes that it has left");
    if (event.kind == EventKind::own_exit_met) met_.insert(machine.id());
    if (event.kind == EventKind::exit_complete) completes(machine);
    if (event.kind == EventKind::retired) put_to_rest(machine);
    if (event.kind == EventKind::seed_erased && !settings_.in_memory) {
        erases(machine, event.subject);
        search_disk(machine, event.subject);
    }
}

/// One peer can make a node keep only so many exits of strangers, plus what each day allows.
void Invariants::learns_exit(const Machine& machine, const NodeId& owner) {
    const auto last = last_exit_.find(machine.id());
    if (last == last_exit_.end() || !machine.up()) return;
    const auto [from, signed_notice] = std::move(last->second);
    last_exit_.erase(last);
    const auto& notice = notice_in(signed_notice);
    if (!notice || notice->owner != owner || owner == from) return;
    if (settings_.has_key && notice->membership) return;
    const auto peers = machine.engine().peers();
    const bool known =
        received_.contains({machine.id(), owner}) || served_.contains({machine.id(), owner}) ||
        std::any_of(peers.begin(), peers.end(), [&](const PeerStatus& peer) { return peer.id == owner; });
    if (known) return;
    const auto days = std::chrono::duration<double, std::ratio<86'400>>(time_.now() - machine.started_at);
    const double most = settings_.has_key ? 0.0 : kMaxIntroductionsPerDay * (1.0 + days.count());
    check_limit(machine, ++introduced_[{machine.id(), from}], static_cast<std::size_t>(most),
                "exits of strangers from one peer");
}

/// A complete exit means that every node that was served, as far as the owner can know, has signed.
void Invariants::completes(const Machine& machine) {
    completed_.insert(machine.id());
    const auto exit = machine.engine().own_exit();
    const auto verdict =
        runtime::verify_certificate(runtime::make_certificate(machine.id(), settings_.network, exit));
    if (!verdict)
        fail("complete-means-all", machine.name() + ": " + verdict.error().text());
    else if (!verdict->missing.empty() || verdict->list_proof == runtime::ListProof::none ||
             !std::all_of(verdict->doubtful.begin(), verdict->doubtful.end(),
                          [this](const NodeId& holder) { return ever_restored_.contains(holder); }))
        fail("complete-means-all", machine.name() + " reports its exit complete, its certificate does not: " +
                                       std::to_string(verdict->missing.size()) + " missing, " +
                                       std::to_string(verdict->doubtful.size()) + " doubtful");
    const auto check = [&](const NodeId& holder, const char* what) {
        if (!ever_signed_.contains({holder, machine.id()}))
            fail("complete-means-all", machine.name() + " reports its exit complete, and " +
                                           holder.short_text() + ", " + what + ", has signed nothing");
    };
    for (const auto& [holder, recipient] : exit.recipients)
        check(holder, "on record");
    if (machine.restored) return;  // a backup cannot know whom the node served later
    for (const auto& [pair, version] : served_)
        if (pair.first == machine.id()) check(pair.second, "which was served");
}

// ---------------------------------------------------------------- what time can break

void Invariants::check_running(const Machine& machine) {
    if (!machine.up()) return;
    check_sizes(machine, machine.engine().sizes());
    for (const auto& [owner, version] : machine.holder->in_use()) {
        if (receipts_.contains({machine.id(), owner}))
            fail("receipt-is-for-ever",
                 machine.name() + " uses the seed of " + owner.short_text() + " after its receipt");
        else if (machine.engine().has_tombstone(owner))
            fail("no-exited-seed-in-use",
                 machine.name() + " uses the seed of " + owner.short_text() + ", and knows of its exit");
        else if (machine.engine().is_expelled(owner))
            fail("no-expelled-seed-in-use",
                 machine.name() + " uses the seed of " + owner.short_text() + ", which is expelled");
    }
    // After a sleep, or after its clock was set, a node needs a moment.
    if (time_.now() < std::max(machine.host()->paused_until(), machine.clock_set_at) + settings_.slack)
        return;
    const auto now = machine.host()->now();
    for (const auto& [owner, version] : machine.holder->in_use()) {
        const auto what = [&, of = owner, at = version] {
            return machine.name() + " uses version " + text(at) + " of " + of.short_text();
        };
        const auto heard = heard_.find({machine.id(), owner});
        if (heard == heard_.end()) {
            fail("lease", what() + ", which it was never offered");
            continue;
        }
        const auto since = std::max(heard->second.at, machine.started_at);
        if (now.steady > since + settings_.lease_time + settings_.slack)
            fail("lease", what() + " without a lease for too long");
        if (now.wall > heard->second.not_after + std::chrono::ceil<std::chrono::seconds>(settings_.slack))
            fail("lease", what() + " after the end of its lease");
    }
}

void Invariants::check_limit(const Machine& machine, std::size_t size, std::size_t limit, const char* what) {
    if (size > limit)
        fail("limits", machine.name() + " has " + std::to_string(size) + " " + what + ", limit " +
                           std::to_string(limit));
}

void Invariants::check_sizes(const Machine& machine, const EngineSizes& sizes) {
    check_limit(machine, sizes.sessions, kMaxSessions, "sessions");
    check_limit(machine, sizes.blocked_keys, kMaxBlockedKeys, "blocked keys");
    check_limit(machine, sizes.waiting_gets, kMaxWaitingGets, "waiting requests");
    check_limit(machine, sizes.downloads, machine.neighbours.size(), "downloads");
    check_limit(machine, sizes.candidates, machine.neighbours.size(), "seeds under way");
    check_limit(machine, sizes.equivocations, machine.neighbours.size() * kMaxEquivocationsKept,
                "proofs of equivocation");
    check_limit(machine, sizes.writes, storage::kMaxQueuedBatches, "writes under way");
}

void Invariants::check_memory(const Machine& machine) {
    if (!machine.up()) return;
    for (const auto& owner : stored_exits(machine.id()))
        if (owner != machine.id() && !machine.engine().has_tombstone(owner))
            fail("tombstones-never-shrink",
                 machine.name() + " does not know any more that " + owner.short_text() + " has left");
}

void Invariants::check_stored(const Machine& machine) {
    if (!machine.up() || settings_.in_memory) return;
    const auto stored = surely_stored(machine);
    for (const auto& owner : machine.engine().tombstones()) {
        if (stored.exits.contains(owner))
            tombstones_[machine.id()].insert(owner);
        else
            fail("tombstones-are-durable",
                 machine.name() + " would forget in a power cut that " + owner.short_text() + " has left");
    }
}

void Invariants::erases(const Machine& machine, const NodeId& owner) {
    if (received_.contains({machine.id(), owner})) erased_.insert({machine.id(), owner});
}

bool Invariants::has_bytes(const Machine& machine, const NodeId& owner) const {
    const auto& marks = payloads_.marks_of(owner);
    return std::any_of(marks.begin(), marks.end(),
                       [&](const auto& mark) { return machine.disk().contains(mark); });
}

void Invariants::search_disk(const Machine& machine, const NodeId& owner) {
    if (has_bytes(machine, owner))
        fail("erased-on-disk",
             machine.name() + " still has bytes of the seed of " + owner.short_text() + " on its disk");
}

void Invariants::check_disk(const Machine& machine) {
    for (const auto& [of, owner] : erased_)
        if (of == machine.id()) search_disk(machine, owner);
}

void Invariants::check_erased(const Machine& machine) {
    if (settings_.in_memory) return;
    if (machine.retired) {
        for (const auto& [of, owner] : received_)
            if (of == machine.id()) search_disk(machine, owner);
    } else if (machine.up()) {
        for (const auto& owner : exits_)
            if (owner != machine.id() && machine.engine().has_tombstone(owner)) search_disk(machine, owner);
    }
}

std::optional<NodeId> Invariants::still_kept(const Machine& machine) const {
    if (settings_.in_memory || !machine.up()) return std::nullopt;
    for (const auto& pair : received_)
        if (pair.first == machine.id() && machine.engine().has_tombstone(pair.second) &&
            !erased_.contains(pair) && has_bytes(machine, pair.second))
            return pair.second;
    return std::nullopt;
}

}  // namespace unlearn::sim::faults
