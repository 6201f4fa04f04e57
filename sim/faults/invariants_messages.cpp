#include <algorithm>

#include "protocol/engine/comparison/exit_set.hpp"
#include "protocol/limits.hpp"
#include "protocol/messages.hpp"
#include "sim/faults/invariants.hpp"

/// What must hold for everything that a node says, and what it must make of what it hears.
namespace unlearn::sim::faults {

using namespace protocol;

namespace {

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

void Invariants::sends(const Machine& machine, const NodeId& to, const network::Frames& frames) {
    sends_bytes(machine, frames);
    if (is_kind(frames, Kind::get)) sends_get(machine, to, frames);
    if (is_kind(frames, Kind::exit)) sends_exit(machine, frames);
    if (is_kind(frames, Kind::receipt)) sends_receipt(machine, to, frames);
    if (is_kind(frames, Kind::chunk)) sends_chunk(machine, to, frames);
    if (is_kind(frames, Kind::have)) sends_seed(machine, frames);
    if (is_kind(frames, Kind::digest)) sends_digest(machine, to, frames);
    if (is_kind(frames, Kind::exit_query)) sends_query(machine, to, frames);
}

void Invariants::sends_bytes(const Machine& machine, const network::Frames& frames) {
    check_limit(machine, frames.size(), kMaxFrames, "frames in one message");
    if (frames.size() > 1)
        check_limit(machine, frames[1].size(), is_kind(frames, Kind::hello) ? kMaxHelloBody : kMaxBody,
                    "bytes in one body");
    if (frames.size() > 2) check_limit(machine, frames[2].size(), kMaxPayload, "bytes in one payload");
}

/// Checks that the chunks that were requested and have not come fit into the window.
void Invariants::sends_get(const Machine& machine, const NodeId& to, const network::Frames& frames) {
    const auto get = message_in<Get>(frames);
    if (!get) return;
    auto& highest = asked_[{machine.id(), to}];
    highest = std::max(highest, get->version);
    const auto chunk = least_chunk_.find({to, get->version});
    if (chunk == least_chunk_.end())
        return fail("well-formed", machine.name() + " asks for a seed that it was never offered");
    Window& window = windows_[{machine.id(), to}];
    // If these are not the next chunks, everything begins again from the first missing one.
    if (window.version != get->version || window.asked != get->first)
        window = {get->version, get->first, get->first};
    window.asked = get->first + get->count;
    check_limit(machine, (window.asked - window.received) * chunk->second,
                std::max(kMaxWindowBytes, chunk->second), "bytes under way from one peer");
}

/// An exit, its own or passed on, may leave a node only once a power cut cannot undo it here.
void Invariants::sends_exit(const Machine& machine, const network::Frames& frames) {
    const auto exit = message_in<Exit>(frames);
    if (!exit) return fail("well-formed", machine.name() + " sends a bad exit");
    const auto& notice = notice_in(exit->notice);
    if (!notice) return fail("well-formed", machine.name() + ": " + notice.error().text());
    const NodeId& owner = notice->owner;
    // Strangers' exits can come in floods, and looking costs more than everything else, so only one in eight
    // is checked.
    const bool is_close = owner == machine.id() ||
                          std::any_of(machine.neighbours.begin(), machine.neighbours.end(),
                                      [&](const Neighbour& neighbour) { return neighbour.id == owner; });
    if (!is_close && owner.bytes()[0] % 8 != 0)
        tombstones_[machine.id()].insert(owner);
    else if (!is_surely_stored(machine, owner))
        fail("tombstones-are-durable",
             machine.name() + " tells of the exit of " + owner.short_text() + " before that is durable");
}

void Invariants::sends_receipt(const Machine& machine, const NodeId&, const network::Frames& frames) {
    const auto message = message_in<ReceiptMessage>(frames);
    const auto receipt = message ? verify_receipt(machine.id(), settings_.network, message->receipt)
                                 : Result<Receipt>(tl::unexpected(Error{ErrorCode::malformed, "receipt"}));
    if (!receipt) return fail("well-formed", machine.name() + ": " + receipt.error().text());
    const std::string what = machine.name() + " signs a receipt for " + receipt->owner.short_text();
    if (machine.uses(receipt->owner)) fail("no-exited-seed-in-use", what + " and uses its seed");
    const Pair pair{machine.id(), receipt->owner};
    ever_signed_.insert(pair);
    const auto known = receipts_.try_emplace(pair, receipt->reason).first;
    if (receipt->reason == ReceiptReason::exit) known->second = ReceiptReason::exit;
    erases(machine, receipt->owner);
    check_versions(machine, *receipt, what);
    if (!checked_receipts_.insert({pair, receipt->reason}).second || settings_.in_memory) return;
    const NodeId& exit = receipt->reason == ReceiptReason::left ? machine.id() : receipt->owner;
    if (!is_surely_stored(machine, exit)) fail("receipt-implies-tombstone", what + " before that is durable");
    search_disk(machine, receipt->owner);
}

/// Whatever happened to the node since, its receipt names all that it ever asked for, and says what earlier
/// receipts said.
void Invariants::check_versions(const Machine& machine, const Receipt& receipt, const std::string& what) {
    const Pair pair{machine.id(), receipt.owner};
    if (const auto asked = asked_.find(pair);
        asked != asked_.end() && receipt.asked && *receipt.asked < asked->second)
        fail("receipt-names-what-was-asked",
             what + " up to version " + text(*receipt.asked) + ", and asked for " + text(asked->second));
    auto& erased = erased_versions_[{pair, receipt.reason}];
    if (receipt.erased < erased)
        fail("receipt-is-for-ever", what + " that erased version " + text(receipt.erased) + ", and signed " +
                                        text(erased) + " before");
    erased = std::max(erased, receipt.erased);
}

void Invariants::sends_chunk(const Machine& machine, const NodeId& to, const network::Frames& frames) {
    const auto chunk = message_in<Chunk>(frames);
    if (!chunk) return;
    auto& served = served_[{machine.id(), to}];
    if (served >= chunk->version) return;
    served = chunk->version;
    if (!is_surely_recorded(machine, to, chunk->version))
        fail("recipients-on-record", machine.name() + " serves version " + text(chunk->version) + " to " +
                                         to.short_text() + ", which is not on record");
}

void Invariants::sends_seed(const Machine& machine, const network::Frames& frames) {
    const auto have = message_in<Have>(frames);
    if (!have) return;
    if (exits_.contains(machine.id()) && machine.engine().own_exit().begun)
        fail("nothing-after-exit", machine.name() + " offers its seed after its exit has begun");
    const Lease* lease = lease_in(machine.id(), have->lease);
    if (lease == nullptr) return fail("well-formed", machine.name() + " signs a bad lease");
    const auto [known, is_new] =
        records_.emplace(std::pair{machine.id(), lease->version}, have->record.bytes);
    if (!is_new && known->second != have->record.bytes)
        fail("versions-never-shrink",
             machine.name() + " uses version " + text(lease->version) + " for two seeds");
}

void Invariants::sends_digest(const Machine& machine, const NodeId& to, const network::Frames& frames) {
    if (const auto digest = message_in<DigestMessage>(frames))
        comparisons_[{machine.id(), to}] = {digest->salt, {}};
}

void Invariants::hears(const Machine& machine, const NodeId& from, const network::Frames& frames) {
    if (is_kind(frames, Kind::delta)) hears_delta(machine, from, frames);
    if (is_kind(frames, Kind::exit_answer)) hears_answer(machine, from, frames);
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

void Invariants::compared(const Machine& machine, const NodeId& with, const std::set<ExitedId>& known_there) {
    const auto waits = vouchers_.find(machine.id());
    if (waits == vouchers_.end()) return;
    waits->second[with].take_all(known_there);
    check_vouchers(machine, with);
}

void Invariants::check_vouchers(const Machine& machine, const NodeId& with) {
    const auto waits = vouchers_.find(machine.id());
    std::set<ExitedId> known;
    for (const auto& owner : machine.engine().tombstones())
        known.insert(ExitedId{owner.bytes()});
    auto& told = waits->second.at(with);
    told.learnt([&](const ExitedId& owner) { return known.contains(owner); });
    const auto knew_of_none =
        std::count_if(waits->second.begin(), waits->second.end(),
                      [](const auto& voucher) { return voucher.second.rules_out_all(); });
    if (knew_of_none >= 2 || (told.rules_out_all() && will_do_alone(machine, with))) vouchers_.erase(waits);
}

void Invariants::sends_query(const Machine& machine, const NodeId& to, const network::Frames& frames) {
    if (auto query = message_in<ExitQuery>(frames)) queries_[{machine.id(), to}] = std::move(*query);
}

void Invariants::hears_answer(const Machine& machine, const NodeId& from, const network::Frames& frames) {
    const auto answer = message_in<ExitAnswer>(frames);
    const auto asked = queries_.find({machine.id(), from});
    if (!answer || !machine.up() || asked == queries_.end() || asked->second.number != answer->number) return;
    const auto waits = vouchers_.find(machine.id());
    if (waits == vouchers_.end()) return;
    waits->second[from].take(asked->second, *answer, machine.engine().known_exits());
    check_vouchers(machine, from);
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
    // A repeated lease is not news, unless its seed was removed and is fetched again.
    const auto before = heard_.find({machine.id(), from});
    if (before != heard_.end() && before->second.numbers.contains(lease->number) &&
        before->second.at >= machine.started_at && holds(machine, from, lease->version))
        return;
    // A node ignores what comes before the Hellos, or with a record that was damaged on the way.
    if (!offered_.contains(have->record) || !has_met(machine, from)) return;
    auto& heard = heard_[{machine.id(), from}];
    heard.numbers.insert(lease->number);
    heard.not_after = std::max(lease->not_after, heard.not_after);
    heard.at = time_.now();
}

bool Invariants::holds(const Machine& machine, const NodeId& owner, SeedVersion version) {
    if (!machine.up()) return false;
    const auto seeds = machine.engine().held_seeds();
    return std::any_of(seeds.begin(), seeds.end(), [&](const HeldSeedStatus& seed) {
        return seed.owner == owner && seed.version == version;
    });
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

}  // namespace unlearn::sim::faults
