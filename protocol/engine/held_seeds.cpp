#include "protocol/engine/held_seeds.hpp"

#include <algorithm>
#include <utility>

#include "protocol/limits.hpp"

namespace unlearn::protocol {

namespace {

/// The end that counts here: no later than the time of a lease from now, whatever the owner signed. Otherwise
/// a holder that starts again and again, whose boot-time clock begins anew, would use a seed for longer.
WallTime end_here(const Lease& lease, const EngineContext& context) {
    return std::min(lease.not_after,
                    context.now.wall + std::chrono::ceil<std::chrono::seconds>(context.config.lease_time));
}

}  // namespace

void HeldSeeds::load(LoadedState& state) {
    equivocations_.load(state);
    if (state.own_lease)  // the time at which it was issued
        last_wall_ = state.own_lease->not_after - context_.config.lease_time;
    for (const auto& asked : state.asked)
        asked_[asked.owner] = asked.version;
    loaded_seeds_ = std::move(state.held_seeds);
    for (const auto& seed : loaded_seeds_) {
        erasures_.put_on_disk(seed.owner);
        asked_[seed.owner] = std::max(asked_[seed.owner], seed.version);
    }
    for (const auto& lease : state.held_leases)
        loaded_leases_.emplace(lease.owner, lease);
}

void HeldSeeds::start() {
    // After the wall clock went back, it is unknown how much of a lease is left.
    const bool clock_went_back = context_.now.wall < last_wall_;
    for (auto& seed : loaded_seeds_) {
        auto record = verify_record(seed.owner, context_.config.network, seed.record);
        if (record) note_size(*record);
        const bool admitted = record && record->version == seed.version &&
                              ask_gate(seed.owner, seed.version, AdmissionPoint::load) == Admission::admitted;
        if (!admitted) continue;
        context_.emit(CheckSeed{seed.owner, seed.version, record->architecture, seed.payload});
        Held held;
        held.record = std::move(*record);
        held.signed_record = std::move(seed.record);
        held.payload = std::move(seed.payload);
        held.loaded = true;
        if (const auto lease = loaded_leases_.find(seed.owner); lease != loaded_leases_.end())
            held.lease = {lease->second.number, clock_went_back ? WallTime{} : lease->second.not_after,
                          context_.now.steady};
        candidates_.insert_or_assign(seed.owner, std::move(held));
    }
    loaded_seeds_.clear();
    loaded_leases_.clear();
}

Admission HeldSeeds::ask_gate(const NodeId& owner, SeedVersion version, AdmissionPoint point) const {
    AdmissionFacts facts = facts_of_(owner);
    if (const auto it = held_.find(owner); it != held_.end()) {
        facts.held = it->second.record.version;
        facts.lease_ended = !lease_runs(it->second.lease);
        facts.held_aside = it->second.aside.has_value();
    }
    if (const auto it = refused_.find(owner); it != refused_.end()) facts.refused = it->second;
    if (const auto it = too_large_.find(owner); it != too_large_.end())
        facts.too_large = version == it->second;
    facts.offered = version;
    return context_.config.gate(facts, point);
}

// ---------------------------------------------------------------- downloads

bool HeldSeeds::is_equivocation(const NodeId& owner, const SeedRecord& record,
                                const SignedBytes& signed_record) {
    for (const auto* known : {&held_, &candidates_}) {
        const auto it = known->find(owner);
        if (it == known->end() || it->second.record.version != record.version ||
            it->second.signed_record.bytes == signed_record.bytes)
            continue;
        equivocations_.prove(owner, record.version, it->second.signed_record, signed_record);
        return true;
    }
    return false;
}

/// A record comes again with every new lease. It was verified when it first came.
Result<SeedRecord> HeldSeeds::record_in(const NodeId& owner, const SignedBytes& signed_record) const {
    for (const auto* seeds : {&held_, &candidates_})
        if (const auto it = seeds->find(owner);
            it != seeds->end() && it->second.signed_record == signed_record)
            return it->second.record;
    return verify_record(owner, context_.config.network, signed_record);
}

Result<void> HeldSeeds::take_have(SessionId id, Session& session, const Have& have) {
    auto record = record_in(session.peer, have.record);
    if (!record) return tl::unexpected(record.error());
    const auto lease = verify_lease(session.peer, context_.config.network, have.lease);
    if (!lease) return tl::unexpected(lease.error());
    if (lease->version != record->version)
        return fail(ErrorCode::malformed, "have: the lease is of another version");
    const NodeId owner = record->owner;
    if (is_equivocation(owner, *record, have.record)) return {};
    note_size(*record);
    take_lease(*lease);
    if (ask_gate(owner, record->version, AdmissionPoint::announce) != Admission::admitted) return {};
    const auto candidate = candidates_.find(owner);
    if (candidate != candidates_.end() && candidate->second.record.version >= record->version) return {};
    const auto running = downloads_.find(owner);
    if (running != downloads_.end() && running->second.fetch.record().version >= record->version) return {};
    if (!write_allowances_.take_seed(owner, record->payload_bytes)) {
        ++context_.counters.messages_ignored;  // it is announced again with its next lease
        return {};
    }
    downloads_.erase(owner);
    auto [it, inserted] = downloads_.emplace(
        owner, Download{Fetch(std::move(*record), have.record),
                        HeldLease{lease->number, end_here(*lease, context_), context_.now.steady}});
    ask_for_more(id, session, it->second.fetch);
    return {};
}

void HeldSeeds::note_size(const SeedRecord& record) {
    if (record.payload_bytes <= context_.config.seed_room.share) {
        too_large_.erase(record.owner);
        return;
    }
    const bool is_new = too_large_.insert_or_assign(record.owner, record.version).second;
    if (is_new)
        context_.note(EventKind::seed_refused, record.owner, record.version,
                      std::string(describe(Admission::too_large)) + ": " +
                          std::to_string(record.payload_bytes) + " bytes");
}

void HeldSeeds::ask_for_more(SessionId id, Session& session, Fetch& fetch) {
    if (ask_gate(fetch.record().owner, fetch.record().version, AdmissionPoint::fetch) != Admission::admitted)
        return;
    if (!is_asking_on_record(fetch.record().owner, fetch.record().version)) return;
    if (const auto get = fetch.next_get(context_.now.steady)) sessions_.send(id, session, *get);
}

bool HeldSeeds::is_asking_on_record(const NodeId& owner, SeedVersion version) {
    if (asked_[owner] >= version) return true;
    SeedVersion& asking = asking_[owner];
    if (asking < version) {
        asking = version;
        writes_.persist({PutAsked{owner, version}}, after_write::AskedStored{owner, version});
    }
    return false;
}

void HeldSeeds::on(const after_write::AskedStored& stored) {
    asked_[stored.owner] = std::max(asked_[stored.owner], stored.version);
    if (asking_[stored.owner] == stored.version) asking_.erase(stored.owner);
    const auto download = downloads_.find(stored.owner);
    if (Session* session = sessions_.established(stored.owner);
        session != nullptr && download != downloads_.end())
        ask_for_more(sessions_.id_of(stored.owner), *session, download->second.fetch);
}

SeedVersion HeldSeeds::highest_asked(const NodeId& owner) const {
    SeedVersion highest{0};
    for (const auto* versions : {&asked_, &asking_})
        if (const auto it = versions->find(owner); it != versions->end())
            highest = std::max(highest, it->second);
    return highest;
}

Result<void> HeldSeeds::take_chunk(SessionId id, Session& session, const Chunk& chunk) {
    const NodeId owner = session.peer;
    const auto it = downloads_.find(owner);
    const Admission admission = ask_gate(owner, chunk.version, AdmissionPoint::chunk);
    // Chunks may still be under way when the owner or we leave, or a newer version comes: no offence.
    if (admission != Admission::admitted ||
        (it != downloads_.end() && chunk.version < it->second.fetch.record().version)) {
        ++context_.counters.messages_ignored;
        return {};
    }
    if (it == downloads_.end() || chunk.version != it->second.fetch.record().version) {
        const auto candidate = candidates_.find(owner);
        if (candidate != candidates_.end() && chunk.version <= candidate->second.record.version) {
            ++context_.counters.messages_ignored;  // a repeat after a stall
            return {};
        }
        return fail(ErrorCode::unsolicited, "chunk");
    }
    Fetch& fetch = it->second.fetch;
    const auto complete = fetch.accept(chunk, context_.now.steady);
    if (!complete) {
        Error why = complete.error();
        downloads_.erase(it);
        return tl::unexpected(std::move(why));
    }
    if (!*complete) {
        ask_for_more(id, session, fetch);
        return {};
    }
    Held held;
    held.record = fetch.record();
    held.signed_record = fetch.signed_record();
    held.payload = fetch.take_payload();
    held.lease = it->second.lease;
    downloads_.erase(it);
    context_.emit(CheckSeed{owner, held.record.version, held.record.architecture, held.payload});
    candidates_.insert_or_assign(owner, std::move(held));
    return {};
}

void HeldSeeds::stop_download(const NodeId& owner, std::uint64_t version) {
    if (const auto download = downloads_.find(owner);
        download != downloads_.end() &&
        static_cast<std::uint64_t>(download->second.fetch.record().version) == version)
        downloads_.erase(download);
}

void HeldSeeds::resume_download(SessionId id, Session& session) {
    const auto download = downloads_.find(session.peer);
    if (download == downloads_.end()) return;
    download->second.fetch.restart();
    ask_for_more(id, session, download->second.fetch);
}

void HeldSeeds::tick_downloads() {
    for (auto& [owner, download] : downloads_) {
        Fetch& fetch = download.fetch;
        Session* session = sessions_.established(owner);
        if (session == nullptr || !fetch.stalled(context_.now.steady)) continue;
        fetch.restart();
        ask_for_more(sessions_.id_of(owner), *session, fetch);
    }
}

// ---------------------------------------------------------------- from a candidate to a seed in place

void HeldSeeds::on(const SeedChecked& checked) {
    const auto it = candidates_.find(checked.owner);
    if (it == candidates_.end() || it->second.record.version != checked.version) return;
    if (checked.problem) return refuse(checked);
    if (ask_gate(checked.owner, checked.version, AdmissionPoint::install) != Admission::admitted) return;
    Held& held = it->second;
    held.aside = checked.aside;
    erasures_.put_on_disk(checked.owner);
    writes_.persist({PutHeldSeed{checked.owner, checked.version, held.signed_record, held.payload},
                     PutHeldLease{checked.owner, held.lease.number, held.lease.not_after}},
                    after_write::SeedStored{checked.owner, checked.version});
}

/// A bad seed that the owner sent is the owner's fault and would be as bad the next time, so it stays
/// refused. A bad seed from our disk may be the disk's fault; it is fetched again when it is announced.
void HeldSeeds::refuse(const SeedChecked& checked) {
    const auto it = candidates_.find(checked.owner);
    const bool was_sent = !it->second.loaded;
    if (was_sent) refused_[checked.owner] = checked.version;
    ++context_.counters.seeds_refused;
    candidates_.erase(it);
    context_.note(EventKind::seed_refused, checked.owner, checked.version, *checked.problem);
    if (const Session* session = sessions_.established(checked.owner); was_sent && session != nullptr)
        sessions_.drop(sessions_.id_of(checked.owner), session->key,
                       Error{ErrorCode::refused_seed, *checked.problem});
}

void HeldSeeds::on(const after_write::SeedStored& stored) {
    const auto& [owner, version] = stored;
    const auto it = candidates_.find(owner);
    if (it == candidates_.end() || it->second.record.version != version) return;
    if (ask_gate(owner, version, AdmissionPoint::install) != Admission::admitted) return;
    it->second.payload.reset();
    const auto before = held_.find(owner);
    const bool replaces = before != held_.end() && before->second.in_use;
    Held& held = held_.insert_or_assign(owner, std::move(it->second)).first->second;
    candidates_.erase(it);
    // The previous version goes out of use even when the new one has to wait or is held aside.
    held.in_use = replaces && ask_gate(owner, version, AdmissionPoint::rebuild) != Admission::admitted;
    refresh_use(owner, held, EventKind::seed_installed);
    if (!held.in_use && !replaces) {
        const Admission waits_for = ask_gate(owner, version, AdmissionPoint::rebuild);
        context_.note(EventKind::seed_suspended, owner, version,
                      held.aside.value_or(std::string(describe(waits_for))));
    }
}

/// The version in place goes as well: its owner has replaced it, and what was checked of the new one is in
/// the same memory.
void HeldSeeds::give_up(const after_write::SeedStored& never, const std::string& reason) {
    const auto it = candidates_.find(never.owner);
    if (it == candidates_.end() || it->second.record.version != never.version) return;
    const SeedVersion version = stop_using(never.owner);
    refused_[never.owner] = never.version;
    ++context_.counters.seeds_refused;
    context_.note(EventKind::seed_refused, never.owner, never.version, "it cannot be stored: " + reason);
    erasures_.begin_removal(never.owner);
    erasures_.wipe(never.owner, version);
}

void HeldSeeds::on(const SeedJudged& judged) {
    const auto it = held_.find(judged.owner);
    if (it == held_.end() || it->second.record.version != judged.version) return;
    it->second.aside = judged.aside;
    refresh_use(judged.owner, it->second);
}

void HeldSeeds::refresh_use(const NodeId& owner, Held& held, EventKind when_usable) {
    const SeedVersion version = held.record.version;
    const Admission admission = ask_gate(owner, version, AdmissionPoint::rebuild);
    const bool usable = admission == Admission::admitted;
    if (usable == held.in_use) return;
    held.in_use = usable;
    if (usable) {
        context_.emit(InstallSeed{owner, version});
        context_.note(when_usable, owner, version);
        return;
    }
    context_.emit(SuspendSeed{owner, version});
    context_.note(
        EventKind::seed_suspended, owner, version,
        admission == Admission::held_aside && held.aside ? *held.aside : std::string(describe(admission)));
}

void HeldSeeds::refresh_all() {
    for (auto& [owner, held] : held_)
        refresh_use(owner, held);
}

SeedVersion HeldSeeds::stop_using(const NodeId& owner) {
    SeedVersion version{0};
    const auto forget = [&](std::map<NodeId, Held>& seeds) {
        const auto it = seeds.find(owner);
        if (it == seeds.end()) return;
        version = std::max(version, it->second.record.version);
        seeds.erase(it);
    };
    forget(held_);
    forget(candidates_);
    downloads_.erase(owner);
    refused_.erase(owner);
    too_large_.erase(owner);
    if (version != SeedVersion{0}) context_.emit(DropSeed{owner});
    return version;
}

// ---------------------------------------------------------------- leases

void HeldSeeds::take_lease(const Lease& lease) {
    const HeldLease newer{lease.number, end_here(lease, context_), context_.now.steady};
    const auto download = downloads_.find(lease.owner);
    if (download != downloads_.end() && download->second.fetch.record().version == lease.version &&
        download->second.lease.number < lease.number)
        download->second.lease = newer;
    const auto take = [&](std::map<NodeId, Held>& seeds) {
        const auto it = seeds.find(lease.owner);
        if (it == seeds.end() || it->second.record.version != lease.version ||
            it->second.lease.number >= lease.number)
            return false;
        it->second.lease = newer;
        return true;
    };
    take(candidates_);
    if (!take(held_)) return;
    store_lease(lease.owner);
    refresh_use(lease.owner, held_.at(lease.owner));
}

/// Makes one write at a time for each owner, however many leases come. The newest one follows. A lease beyond
/// the owner's allowance is used without being stored: after a restart the seed then waits for a new lease.
void HeldSeeds::store_lease(const NodeId& owner) {
    if (leases_pending_.contains(owner) || !write_allowances_.take_lease(owner)) return;
    leases_pending_.insert(owner);
    const HeldLease& lease = held_.at(owner).lease;
    writes_.persist({PutHeldLease{owner, lease.number, lease.not_after}},
                    after_write::HeldLeaseStored{owner, lease.number});
}

void HeldSeeds::on(const after_write::HeldLeaseStored& stored) {
    leases_pending_.erase(stored.owner);
    if (const auto held = held_.find(stored.owner);
        held != held_.end() && held->second.lease.number > stored.number)
        store_lease(stored.owner);
}

void HeldSeeds::give_up(const after_write::HeldLeaseStored& never, const std::string& reason) {
    leases_pending_.erase(never.owner);
    const auto held = held_.find(never.owner);
    if (held == held_.end()) return;
    HeldLease& lease = held->second.lease;
    if (lease.number > never.number) return store_lease(never.owner);
    lease.not_after = WallTime{};
    context_.note(EventKind::store_refused, never.owner, held->second.record.version,
                  "lease " + std::to_string(never.number) + ": " + reason);
    refresh_use(never.owner, held->second);
}

bool HeldSeeds::lease_runs(const HeldLease& lease) const {
    return lease.number != 0 && context_.now.wall < lease.not_after &&
           context_.now.steady < lease.heard_at + context_.config.lease_time;
}

// ---------------------------------------------------------------- questions

bool HeldSeeds::may_use(const NodeId& owner, SeedVersion version) const {
    const auto held = held_.find(owner);
    return held != held_.end() && held->second.record.version == version &&
           ask_gate(owner, version, AdmissionPoint::rebuild) == Admission::admitted;
}

std::vector<NodeId> HeldSeeds::owners_in_place() const {
    std::vector<NodeId> owners;
    for (const auto& [owner, held] : held_)
        owners.push_back(owner);
    return owners;
}

std::set<NodeId> HeldSeeds::owners() const {
    std::set<NodeId> owners;
    for (const auto* seeds : {&held_, &candidates_})
        for (const auto& [owner, held] : *seeds)
            owners.insert(owner);
    return owners;
}

std::map<NodeId, SeedVersion> HeldSeeds::in_use() const {
    std::map<NodeId, SeedVersion> out;
    for (const auto& [owner, held] : held_)
        if (held.in_use) out.emplace(owner, held.record.version);
    return out;
}

std::vector<HeldSeedStatus> HeldSeeds::status() const {
    std::vector<HeldSeedStatus> out;
    const auto add = [&](const NodeId& owner, const Held& held, SeedState state, std::string detail) {
        out.push_back({owner, held.record.version, held.record.architecture, held.record.payload_bytes, state,
                       std::move(detail), held.lease.not_after});
    };
    for (const auto& [owner, held] : held_) {
        const Admission admission = ask_gate(owner, held.record.version, AdmissionPoint::rebuild);
        if (held.in_use)
            add(owner, held, SeedState::in_use, {});
        else if (admission == Admission::held_aside)
            add(owner, held, SeedState::held_aside, held.aside.value_or(""));
        else
            add(owner, held,
                admission == Admission::lease_ended ? SeedState::lease_ended : SeedState::quarantined,
                std::string(describe(admission)));
    }
    for (const auto& [owner, held] : candidates_)
        if (!held_.contains(owner)) add(owner, held, SeedState::checking, {});
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.owner < b.owner; });
    return out;
}

}  // namespace unlearn::protocol
