#include "sim/faults/invariants.hpp"

#include <algorithm>

#include "node/runtime/certificate.hpp"
#include "node/storage/batch_queue.hpp"
#include "node/storage/sqlite.hpp"
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
    broken_.insert(rule);
    if (!violation_) violation_ = Violation{std::move(rule), std::move(detail)};
}

/// Without a Store: it prepares and reads much that is not asked about here, and this is asked often. What
/// cannot be read is not there.
Invariants::Stored Invariants::surely_stored(const Machine& machine) {
    Stored out;
    const auto copy = machine.disk.synced_copy();
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

void Invariants::look_at_disk(const Machine& machine) {
    const auto stored = surely_stored(machine);
    tombstones_[machine.id()].insert(stored.exits.begin(), stored.exits.end());
    for (const auto& [peer, version] : stored.recipients) {
        auto& recorded = recorded_[{machine.id(), peer}];
        recorded = std::max(recorded, version);
    }
}

bool Invariants::is_surely_stored(const Machine& machine, const NodeId& owner) {
    auto& exits = tombstones_[machine.id()];
    if (settings_.in_memory) exits.insert(owner);
    if (!exits.contains(owner)) look_at_disk(machine);
    return exits.contains(owner);
}

bool Invariants::is_surely_recorded(const Machine& machine, const NodeId& peer, SeedVersion version) {
    const auto& recorded = recorded_[{machine.id(), peer}];
    if (recorded < version && !settings_.in_memory) look_at_disk(machine);
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
                 name_of_machine(machine) + " came back without the tombstone of " + owner.short_text());
    tombstones_[machine.id()].insert(now.begin(), now.end());
    std::erase_if(introduced_, [&](const auto& entry) { return entry.first.first == machine.id(); });
    // No seed of theirs is in the state, so nothing is erased any more: it must be gone.
    for (const auto& owner : now)
        if (std::none_of(state.held_seeds.begin(), state.held_seeds.end(),
                         [&](const PutHeldSeed& seed) { return seed.owner == owner; }))
            erases(machine, owner);
    for (auto it = quarantined_.begin(); it != quarantined_.end();)
        it = it->first.first == machine.id() ? quarantined_.erase(it) : std::next(it);
    for (const auto& seed : state.held_seeds) {
        std::uint64_t number = 0;
        for (const auto& lease : state.held_leases)
            if (lease.owner == seed.owner) number = lease.number;
        quarantined_[{machine.id(), seed.owner}] = {seed.version, number};
    }
    std::erase_if(comparisons_, [&](const auto& entry) { return entry.first.first == machine.id(); });
    std::erase_if(digests_, [&](const auto& entry) { return entry.first.first == machine.id(); });
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
    std::erase_if(erased_, [&](const Pair& pair) { return pair.first == machine.id(); });
    std::erase_if(checked_receipts_, [&](const auto& entry) { return entry.first.first == machine.id(); });
    std::erase_if(recorded_, [&](const auto& entry) { return entry.first.first == machine.id(); });
    vouchers_[machine.id()].clear();
}

void Invariants::put_to_rest(const Machine& machine) {
    if (!completed_.contains(machine.id()) && !met_.contains(machine.id()))
        fail("complete-means-all",
             name_of_machine(machine) + " has retired, and never reported its exit complete");
}

const std::set<NodeId>& Invariants::stored_exits(const NodeId& machine) const {
    static const std::set<NodeId> none;
    const auto found = tombstones_.find(machine);
    return found == tombstones_.end() ? none : found->second;
}

void Invariants::offered(const Machine& machine, const NodeId& owner, ByteView payload) {
    if (!payloads_.is_from(owner, payload))
        fail("held-is-signed",
             name_of_machine(machine) + " got a seed that " + owner.short_text() + " never made");
}

void Invariants::installed(const Machine& machine, const NodeId& owner, SeedVersion version) {
    const Pair pair{machine.id(), owner};
    const std::string what =
        name_of_machine(machine) + " uses version " + text(version) + " of " + owner.short_text();
    if (receipts_.contains(pair))
        fail("receipt-is-for-ever", what + " after its receipt");
    else if (machine.up() && machine.engine().has_tombstone(owner))
        fail("no-exited-seed-in-use", what);
    else if (tombstones_[machine.id()].contains(owner))
        fail("no-exited-seed-in-use", what + " although its tombstone was stored");
    auto& highest = highest_[pair];
    if (version < highest) fail("versions-never-shrink", what + " after version " + text(highest));
    highest = version;
    check_quarantine(machine, owner, version);
}

void Invariants::check_quarantine(const Machine& machine, const NodeId& owner, SeedVersion version) {
    const Pair pair{machine.id(), owner};
    const std::string what =
        name_of_machine(machine) + " uses version " + text(version) + " of " + owner.short_text();
    if (const auto vouchers = vouchers_.find(machine.id()); vouchers != vouchers_.end()) {
        const auto& from = vouchers->second;
        const bool by_another =
            std::any_of(from.begin(), from.end(), [&](const NodeId& peer) { return peer != owner; });
        if (!by_another && (!from.contains(owner) || has_other_peer(machine, owner)))
            fail("quarantine", what + " from before its backup, and nobody else has vouched for it");
    }
    const auto loaded = quarantined_.find(pair);
    if (loaded == quarantined_.end() || loaded->second.version != version || loaded->second.compared) return;
    const auto lease = heard_.find(pair);
    const bool renewed = lease != heard_.end() && lease->second.at >= machine.started_at &&
                         !lease->second.numbers.empty() &&
                         *lease->second.numbers.rbegin() > loaded->second.lease_number;
    if (!renewed) fail("quarantine", what + " from disk, and has heard nobody since its start");
}

/// Somebody else who may know of an exit of `peer`.
bool Invariants::has_other_peer(const Machine& machine, const NodeId& peer) {
    if (!machine.up()) return false;
    const auto peers = machine.engine().peers();
    return std::any_of(peers.begin(), peers.end(), [&](const PeerStatus& status) {
        return status.id != peer && status.state != PeerState::former && status.state != PeerState::left;
    });
}

void Invariants::event(const Machine& machine, const Event& event) {
    if (event.kind == EventKind::exit_learned && !exits_.contains(event.subject))
        fail("no-exit-without-the-owner",
             name_of_machine(machine) + " believes that " + event.subject.short_text() + " has left");
    if (event.kind == EventKind::exit_learned) learns_exit(machine, event.subject);
    if (event.kind == EventKind::own_exit_met && !exits_.contains(machine.id()))
        fail("no-exit-without-the-owner", name_of_machine(machine) + " believes that it has left");
    if (event.kind == EventKind::own_exit_met) met_.insert(machine.id());
    if (event.kind == EventKind::exit_complete) completes(machine);
    if (event.kind == EventKind::retired) put_to_rest(machine);
    if (event.kind == EventKind::seed_erased && !settings_.in_memory) {
        erases(machine, event.subject);
        search_disk(machine, event.subject);
    }
}

/// One peer can make a node keep so many exits of strangers and no more, but for what a day allows.
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

/// Complete means: everybody who was served, as far as the owner can know, has signed.
void Invariants::completes(const Machine& machine) {
    completed_.insert(machine.id());
    const auto exit = machine.engine().own_exit();
    const auto verdict =
        runtime::verify_certificate(runtime::make_certificate(machine.id(), settings_.network, exit));
    if (!verdict)
        fail("complete-means-all", name_of_machine(machine) + ": " + verdict.error().text());
    else if (!verdict->complete())
        fail("complete-means-all",
             name_of_machine(machine) + " reports its exit complete, its certificate does not");
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
    sends_bytes(machine, frames);
    if (is_kind(frames, Kind::get)) sends_get(machine, to, frames);
    if (is_kind(frames, Kind::exit)) sends_exit(machine, frames);
    if (is_kind(frames, Kind::receipt)) sends_receipt(machine, to, frames);
    if (is_kind(frames, Kind::chunk)) sends_chunk(machine, to, frames);
    if (is_kind(frames, Kind::have)) sends_seed(machine, frames);
    if (is_kind(frames, Kind::digest)) sends_digest(machine, to, frames);
    if (is_kind(frames, Kind::delta)) sends_delta(machine, to, frames);
}

void Invariants::check_limit(const Machine& machine, std::size_t size, std::size_t limit, const char* what) {
    if (size > limit)
        fail("limits", name_of_machine(machine) + " has " + std::to_string(size) + " " + what + ", limit " +
                           std::to_string(limit));
}

void Invariants::sends_bytes(const Machine& machine, const network::Frames& frames) {
    check_limit(machine, frames.size(), kMaxFrames, "frames in one message");
    if (frames.size() > 1)
        check_limit(machine, frames[1].size(), is_kind(frames, Kind::hello) ? kMaxHelloBody : kMaxBody,
                    "bytes in one body");
    if (frames.size() > 2) check_limit(machine, frames[2].size(), kMaxPayload, "bytes in one payload");
}

/// Chunks that are asked for and have not come, as far as the window allows.
void Invariants::sends_get(const Machine& machine, const NodeId& to, const network::Frames& frames) {
    const auto get = message_in<Get>(frames);
    if (!get) return;
    const auto chunk = least_chunk_.find({to, get->version});
    if (chunk == least_chunk_.end())
        return fail("well-formed", name_of_machine(machine) + " asks for a seed that it was never offered");
    Window& window = windows_[{machine.id(), to}];
    // Not the next ones: everything begins again from the first that is missing.
    if (window.version != get->version || window.asked != get->first)
        window = {get->version, get->first, get->first};
    window.asked = get->first + get->count;
    check_limit(machine, (window.asked - window.received) * chunk->second,
                std::max(kMaxWindowBytes, chunk->second), "bytes under way from one peer");
}

/// An exit, its own or passed on, leaves a node only once a power cut cannot undo it here.
void Invariants::sends_exit(const Machine& machine, const network::Frames& frames) {
    const auto exit = message_in<Exit>(frames);
    if (!exit) return fail("well-formed", name_of_machine(machine) + " sends a bad exit");
    const auto& notice = notice_in(exit->notice);
    if (!notice) return fail("well-formed", name_of_machine(machine) + ": " + notice.error().text());
    const NodeId& owner = notice->owner;
    // Of strangers, of whom a flood can come, one in eight: looking costs more than all else.
    const bool is_close = owner == machine.id() ||
                          std::any_of(machine.neighbours.begin(), machine.neighbours.end(),
                                      [&](const Neighbour& neighbour) { return neighbour.id == owner; });
    if (!is_close && owner.bytes()[0] % 8 != 0)
        tombstones_[machine.id()].insert(owner);
    else if (!is_surely_stored(machine, owner))
        fail("tombstones-are-durable", name_of_machine(machine) + " tells of the exit of " +
                                           owner.short_text() + " before that is durable");
}

void Invariants::sends_receipt(const Machine& machine, const NodeId&, const network::Frames& frames) {
    const auto message = message_in<ReceiptMessage>(frames);
    const auto receipt = message ? verify_receipt(machine.id(), settings_.network, message->receipt)
                                 : Result<Receipt>(tl::unexpected(Error{ErrorCode::malformed, "receipt"}));
    if (!receipt) return fail("well-formed", name_of_machine(machine) + ": " + receipt.error().text());
    const std::string what = name_of_machine(machine) + " signs a receipt for " + receipt->owner.short_text();
    if (machine.uses(receipt->owner)) fail("no-exited-seed-in-use", what + " and uses its seed");
    ever_signed_.insert({machine.id(), receipt->owner});
    const Pair pair{machine.id(), receipt->owner};
    const auto known = receipts_.try_emplace(pair, receipt->reason).first;
    if (receipt->reason == ReceiptReason::exit) known->second = ReceiptReason::exit;
    erases(machine, receipt->owner);
    if (!checked_receipts_.insert({pair, receipt->reason}).second || settings_.in_memory) return;
    const NodeId& exit = receipt->reason == ReceiptReason::left ? machine.id() : receipt->owner;
    if (!is_surely_stored(machine, exit)) fail("receipt-implies-tombstone", what + " before that is durable");
    search_disk(machine, receipt->owner);
}

void Invariants::sends_chunk(const Machine& machine, const NodeId& to, const network::Frames& frames) {
    const auto chunk = message_in<Chunk>(frames);
    if (!chunk) return;
    auto& served = served_[{machine.id(), to}];
    if (served >= chunk->version) return;
    served = chunk->version;
    if (!is_surely_recorded(machine, to, chunk->version))
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

void Invariants::sends_digest(const Machine& machine, const NodeId& to, const network::Frames& frames) {
    if (const auto digest = message_in<DigestMessage>(frames))
        comparisons_[{machine.id(), to}] = {digest->salt, {}};
}

/// That nothing differs is the other way to learn what somebody knows.
void Invariants::sends_delta(const Machine& machine, const NodeId& to, const network::Frames& frames) {
    const auto delta = message_in<Delta>(frames);
    if (!delta || delta->part != DeltaPart::known || delta->buckets != 0) return;
    const auto asked = digests_.find({machine.id(), to});
    if (asked != digests_.end() && asked->second == delta->salt) compared_from_disk(machine, {});
}

void Invariants::hears(const Machine& machine, const NodeId& from, const network::Frames& frames) {
    if (is_kind(frames, Kind::delta)) hears_delta(machine, from, frames);
    if (is_kind(frames, Kind::digest))
        if (const auto digest = message_in<DigestMessage>(frames))
            digests_[{machine.id(), from}] = digest->salt;
    if (is_kind(frames, Kind::have)) hears_offer(machine, from, frames);
    if (is_kind(frames, Kind::chunk)) hears_chunk(machine, from, frames);
    if (is_kind(frames, Kind::exit))
        if (auto exit = message_in<Exit>(frames)) last_exit_[machine.id()] = {from, std::move(exit->notice)};
}

void Invariants::hears_chunk(const Machine& machine, const NodeId& from, const network::Frames& frames) {
    received_.insert({machine.id(), from});
    const auto window = windows_.find({machine.id(), from});
    if (window == windows_.end()) return;
    const auto chunk = message_in<Chunk>(frames);
    if (chunk && chunk->version == window->second.version && chunk->index == window->second.received)
        ++window->second.received;
}

void Invariants::hears_delta(const Machine& machine, const NodeId& from, const network::Frames& frames) {
    const auto delta = message_in<Delta>(frames);
    if (!delta || delta->part != DeltaPart::known || !machine.up()) return;
    const auto begun = comparisons_.find({machine.id(), from});
    if (begun == comparisons_.end() || begun->second.salt != delta->salt) return;
    auto& known_there = begun->second.known_there;
    known_there.insert(delta->ids.begin(), delta->ids.end());
    if (!delta->last) return;
    compared(machine, from, known_there);
    comparisons_.erase(begun);
}

void Invariants::compared_from_disk(const Machine& machine, const std::set<BurntId>& except) {
    for (auto& [pair, seed] : quarantined_)
        if (pair.first == machine.id() && !except.contains(BurntId{pair.second.bytes()}))
            seed.compared = true;
}

void Invariants::compared(const Machine& machine, const NodeId& with, const std::set<BurntId>& known_there) {
    compared_from_disk(machine, known_there);
    const auto vouchers = vouchers_.find(machine.id());
    if (vouchers == vouchers_.end()) return;
    const auto known = machine.engine().tombstones();
    const bool news = std::any_of(known_there.begin(), known_there.end(), [&](const BurntId& id) {
        return std::none_of(known.begin(), known.end(),
                            [&](const NodeId& owner) { return owner.bytes() == id.value; });
    });
    if (news) return;
    vouchers->second.insert(with);
    const bool waited = machine.host->now().steady >= machine.started_at + settings_.lease_time;
    if (vouchers->second.size() > 1 || waited || !has_other_peer(machine, with)) vouchers_.erase(vouchers);
}

void Invariants::hears_offer(const Machine& machine, const NodeId& from, const network::Frames& frames) {
    const auto have = message_in<Have>(frames);
    if (!have) return;
    if (!offered_.contains(have->record))
        if (const auto record = verify_record(from, settings_.network, have->record)) {
            offered_.insert(have->record);
            auto& least =
                least_chunk_.try_emplace({from, record->version}, record->chunk_bytes).first->second;
            least = std::min<std::size_t>(least, record->chunk_bytes);
        }
    const Lease* lease = lease_in(from, have->lease);
    if (lease == nullptr) return;
    // A lease that is repeated is no news.
    const auto before = heard_.find({machine.id(), from});
    if (before != heard_.end() && before->second.numbers.contains(lease->number) &&
        before->second.at >= machine.started_at)
        return;
    // A node does not take what comes before the Hellos, or with a record that was damaged on the way.
    if (!offered_.contains(have->record) || !has_met(machine, from)) return;
    auto& heard = heard_[{machine.id(), from}];
    heard.numbers.insert(lease->number);
    heard.not_after = std::max(lease->not_after, heard.not_after);
    heard.at = time_.now();
}

bool Invariants::has_met(const Machine& machine, const NodeId& peer) {
    if (!machine.up()) return false;
    const auto peers = machine.engine().peers();
    return std::any_of(peers.begin(), peers.end(), [&](const PeerStatus& status) {
        return status.id == peer && (status.state == PeerState::up || status.state == PeerState::suspect);
    });
}

const Result<ExitNotice>& Invariants::notice_in(const SignedBytes& signed_notice) {
    const auto known = notices_.find(signed_notice);
    if (known != notices_.end()) return known->second;
    return notices_.emplace(signed_notice, verify_notice(settings_.network, signed_notice)).first->second;
}

const Lease* Invariants::lease_in(const NodeId& owner, const SignedBytes& signed_lease) {
    if (const auto known = leases_.find(signed_lease); known != leases_.end()) return &known->second;
    const auto lease = verify_lease(owner, settings_.network, signed_lease);
    if (!lease) return nullptr;
    return &leases_.emplace(signed_lease, *lease).first->second;
}

// ---------------------------------------------------------------- what time can break

void Invariants::check_running(const Machine& machine) {
    if (!machine.up()) return;
    check_sizes(machine, machine.engine().sizes());
    for (const auto& [owner, version] : machine.holder->in_use()) {
        if (receipts_.contains({machine.id(), owner}))
            fail("receipt-is-for-ever",
                 name_of_machine(machine) + " uses the seed of " + owner.short_text() + " after its receipt");
        else if (machine.engine().has_tombstone(owner))
            fail("no-exited-seed-in-use", name_of_machine(machine) + " uses the seed of " +
                                              owner.short_text() + ", and knows of its exit");
    }
    // After a sleep, or when its clock was set, a node needs a moment.
    if (time_.now() < std::max(machine.host->paused_until(), machine.clock_set_at) + settings_.slack) return;
    const auto now = machine.host->now();
    for (const auto& [owner, version] : machine.holder->in_use()) {
        const auto what = [&, of = owner, at = version] {
            return name_of_machine(machine) + " uses version " + text(at) + " of " + of.short_text();
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
            fail("tombstones-never-shrink", name_of_machine(machine) + " does not know any more that " +
                                                owner.short_text() + " has left");
}

void Invariants::check_stored(const Machine& machine) {
    if (!machine.up() || settings_.in_memory) return;
    const auto stored = surely_stored(machine);
    for (const auto& owner : machine.engine().tombstones())
        if (!stored.exits.contains(owner))
            fail("tombstones-are-durable", name_of_machine(machine) + " would forget in a power cut that " +
                                               owner.short_text() + " has left");
}

void Invariants::erases(const Machine& machine, const NodeId& owner) {
    if (received_.contains({machine.id(), owner})) erased_.insert({machine.id(), owner});
}

bool Invariants::has_bytes(const Machine& machine, const NodeId& owner) const {
    const auto& marks = payloads_.marks_of(owner);
    return std::any_of(marks.begin(), marks.end(),
                       [&](const auto& mark) { return machine.disk.contains(mark); });
}

void Invariants::search_disk(const Machine& machine, const NodeId& owner) {
    if (has_bytes(machine, owner))
        fail("erased-on-disk", name_of_machine(machine) + " still has bytes of the seed of " +
                                   owner.short_text() + " on its disk");
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

}  // namespace unlearn::sim
