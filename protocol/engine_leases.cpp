#include <algorithm>

#include "protocol/engine.hpp"

namespace unlearn::protocol {

// ---------------------------------------------------------------- our own seed

Lease Engine::next_own_lease() {
    next_renewal_ = now_.steady + config_.lease_renewal;
    return {id(), own_seed_->record.version, ++last_lease_number_, now_.wall + config_.lease_time};
}

void Engine::renew_own_lease() {
    if (own_exit_ || !own_seed_ || !own_seed_->durable) return;
    const Lease lease = next_own_lease();
    // On record before anybody has it: the certificate of our exit must not name an end that is too early.
    persist({PutOwnLease{lease.number, lease.not_after}}, ThenLease{lease});
}

void Engine::finish_lease(const Lease& lease) {
    if (own_exit_ || !own_seed_ || own_seed_->record.version != lease.version) return;
    if (own_lease_ && own_lease_->lease.number >= lease.number) return;
    own_lease_ = OwnLease{lease, sign_lease(identity_, config_.network, lease)};
    note(EventKind::lease_renewed, id(), lease.version, std::to_string(lease.number));
    announce_to_all();
}

void Engine::announce_to_all() {
    for (const auto& [peer, session_id] : session_of_)
        announce_to(session_id, sessions_.at(session_id));
}

void Engine::announce_to(SessionId session_id, Session& session) {
    if (own_exit_ || !own_seed_ || !own_seed_->durable || !own_lease_) return;
    const Lease& lease = own_lease_->lease;
    if (lease.version != own_seed_->record.version) return;
    // Whoever holds this version gets a longer lease with this: first it goes on record.
    const auto recipient = recipients_.find(session.peer);
    if (recipient != recipients_.end() && recipient->second.version >= lease.version &&
        recipient->second.lease_until < lease.not_after) {
        announcing_.insert(session.peer);
        return record_recipient(session.peer, {recipient->second.version, lease.not_after});
    }
    send(session_id, session, Have{own_seed_->signed_record, own_lease_->signed_lease});
}

// ---------------------------------------------------------------- the seeds of others

void Engine::take_lease(const Lease& lease) {
    const HeldLease newer{lease.number, lease.not_after, now_.steady};
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
        // The owner is there and has not left: what was loaded from disk may be used again.
        it->second.quarantined = false;
        return true;
    };
    take(candidates_);
    if (!take(held_)) return;
    store_held_lease(lease.owner);
    refresh_use(lease.owner, held_.at(lease.owner));
}

/// One write at a time for each owner, however many leases it sends: the newest follows.
void Engine::store_held_lease(const NodeId& owner) {
    if (!leases_pending_.insert(owner).second) return;
    const HeldLease& lease = held_.at(owner).lease;
    persist({PutHeldLease{owner, lease.number, lease.not_after}}, ThenHeldLease{owner, lease.number});
}

void Engine::finish_held_lease(const NodeId& owner, std::uint64_t number) {
    leases_pending_.erase(owner);
    if (const auto held = held_.find(owner); held != held_.end() && held->second.lease.number > number)
        store_held_lease(owner);
}

bool Engine::lease_runs(const HeldLease& lease) const {
    return lease.number != 0 && now_.wall < lease.not_after &&
           now_.steady < lease.heard_at + config_.lease_time;
}

void Engine::refresh_use(const NodeId& owner, Held& held, EventKind when_usable) {
    const SeedVersion version = held.record.version;
    const Admission admission = ask_gate(owner, version, AdmissionPoint::rebuild);
    const bool usable = admission == Admission::admitted;
    if (usable == held.in_use) return;
    held.in_use = usable;
    if (usable) {
        effects_.push_back(InstallSeed{owner, version});
        note(when_usable, owner, version);
        return;
    }
    effects_.push_back(SuspendSeed{owner, version});
    note(EventKind::seed_suspended, owner, version,
         admission == Admission::held_aside && held.aside ? *held.aside : std::string(describe(admission)));
}

void Engine::clear_quarantine(const std::set<BurntId>& except) {
    const auto clear = [&](Held& held, const NodeId& owner) {
        if (held.quarantined && !except.contains(BurntId{owner.bytes()})) held.quarantined = false;
    };
    for (auto& [owner, held] : candidates_)
        clear(held, owner);
    for (auto& [owner, held] : held_) {
        clear(held, owner);
        refresh_use(owner, held);
    }
}

void Engine::tick_leases() {
    if (now_.steady < next_lease_check_) return;
    next_lease_check_ = now_.steady + std::chrono::seconds{1};
    for (auto& [owner, held] : held_)
        refresh_use(owner, held);
    if (own_lease_ && now_.steady >= next_renewal_) renew_own_lease();
}

}  // namespace unlearn::protocol
