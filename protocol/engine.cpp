#include "protocol/engine.hpp"

#include <algorithm>

namespace unlearn::protocol {

Engine::Engine(const Identity& identity, EngineConfig config, LoadedState state)
    : identity_(identity), config_(std::move(config)), random_state_(config_.random_seed) {
    for (const auto& stored : state.peers)
        know_peer(stored.peer, stored.endpoint, PeerSource::added, stored.former);
    for (const auto& neighbour : config_.neighbours)
        // One that was removed while the node ran stays removed until it is added again.
        if (neighbour.id != id() && !(peers_.contains(neighbour.id) && peers_.at(neighbour.id).former))
            know_peer(neighbour.id, neighbour.endpoint, PeerSource::config);

    // Tombstones before anything that they forbid.
    for (auto& tombstone : state.tombstones) {
        PeerExit exit;
        exit.notice = std::move(tombstone.notice);
        exit.tombstone_durable = true;
        exits_.emplace(tombstone.owner, std::move(exit));
    }
    for (const auto& recipient : state.recipients)
        recipients_.emplace(recipient.peer, Recipient{recipient.version, recipient.lease_until});
    for (auto& receipt : state.receipts)
        receipts_.emplace(receipt.holder, std::move(receipt.receipt));
    for (auto& receipt : state.left_receipts)
        left_receipts_.emplace(receipt.owner, std::move(receipt.receipt));
    for (const auto& proof : state.equivocations)
        equivocations_[proof.owner].insert(proof.version);
    if (state.own_seed) {
        auto record = verify_record(id(), config_.network, state.own_seed->record);
        if (record)
            own_seed_ = OwnSeed{std::move(*record), std::move(state.own_seed->record),
                                std::move(state.own_seed->payload), true};
    }
    last_own_version_ = static_cast<std::uint64_t>(state.last_own_version);
    if (state.own_lease) {
        last_lease_number_ = state.own_lease->number;
        last_wall_ = state.own_lease->not_after - config_.lease_time;  // when it was issued
    }
    if (own_seed_)
        last_own_version_ =
            std::max(last_own_version_, static_cast<std::uint64_t>(own_seed_->record.version));
    if (state.exiting) {
        own_exit_ = OwnExit{};
        own_exit_->notice = std::move(state.exiting->notice);
        own_exit_->met = state.exiting->met;
    }
    loaded_seeds_ = std::move(state.held_seeds);
    for (const auto& seed : loaded_seeds_)
        maybe_on_disk_.insert(seed.owner);
    for (const auto& lease : state.held_leases)
        loaded_leases_.emplace(lease.owner, lease);
    counters_.equivocations = state.equivocations.size();
    restored_ = state.restored;
}

std::vector<Effect> Engine::step(const Input& input, Now now) {
    now_ = now;
    effects_.clear();
    std::visit([this](const auto& value) { on(value); }, input);
    return std::move(effects_);
}

void Engine::on(const Start&) {
    started_ = true;
    started_at_ = now_.steady;
    skip_what_may_be_out();
    for (const auto& [owner, exit] : exits_)
        let_in_again(owner);
    allow_neighbours();
    // What was interrupted by a stop is taken up again: erasures of exited owners and removed peers, then our
    // own exit.
    for (auto& [owner, exit] : exits_) {
        if (maybe_on_disk_.contains(owner))
            advance_peer_exit(owner, exit);
        else
            exit.erased = true;
    }
    for (const auto& [peer, info] : peers_)
        if (info.former && maybe_on_disk_.contains(peer) && !exits_.contains(peer))
            persist({EraseHeldSeed{peer}}, ThenRemoved{peer});
    load_held_seeds();
    if (own_exit_)
        begin_erasing_everything();
    else
        renew_own_lease();
    for (const auto& [peer, info] : peers_)
        redial(peer);
}

/// Newer versions and leases may be out than a restored state knows of, and none may ever be used twice: also
/// not when the same backup is restored again.
void Engine::skip_what_may_be_out() {
    if (own_seed_ || last_own_version_ == 0) return;
    restored_ = true;
    const auto today =
        static_cast<std::uint64_t>(std::max<std::int64_t>(0, now_.wall.time_since_epoch().count()));
    last_own_version_ = std::max(last_own_version_ + kVersionsSkippedByRestore, today);
    last_lease_number_ = std::max(last_lease_number_ + kVersionsSkippedByRestore, today);
}

void Engine::on(const Tick&) {
    tick_stores();
    tick_sessions();
    tick_fetches();
    tick_leases();
    tick_comparisons();
    tick_exit();
}

void Engine::on(const Stored& done) {
    const auto it = stores_.find(done.ticket);
    if (it == stores_.end()) return;
    const Continuation then = std::move(it->second.then);
    stores_.erase(it);
    finish(then);
}

void Engine::on(const StoreFailed& failed) {
    const auto it = stores_.find(failed.ticket);
    if (it == stores_.end()) return;
    ++counters_.store_failures;
    it->second.retry_at = now_.steady + kStoreRetry;
    note(EventKind::store_failed, {}, {}, failed.reason);
}

void Engine::persist(std::vector<StoreOp> ops, Continuation then) {
    const Ticket ticket = next_ticket_++;
    effects_.push_back(Persist{ticket, ops});
    stores_.emplace(ticket, PendingStore{std::move(ops), std::move(then), std::nullopt});
}

void Engine::tick_stores() {
    for (auto it = stores_.begin(); it != stores_.end();) {
        auto& [ticket, store] = *it;
        if (!store.retry_at || *store.retry_at > now_.steady) {
            ++it;
            continue;
        }
        store.retry_at.reset();
        // A seed whose owner left while the disk was failing must not be written after its erasure.
        const auto* install = std::get_if<ThenInstall>(&store.then);
        if (install != nullptr &&
            ask_gate(install->owner, install->version, AdmissionPoint::install) != Admission::admitted) {
            it = stores_.erase(it);
            continue;
        }
        effects_.push_back(Persist{ticket, store.ops});
        ++it;
    }
}

void Engine::finish(const Continuation& then) {
    struct Visitor {
        Engine& engine;
        void operator()(const ThenNothing&) const {}
        void operator()(const ThenRecorded& t) const { engine.finish_recipient(t.peer, t.recorded); }
        void operator()(const ThenInstall& t) const { engine.finish_install(t.owner, t.version); }
        void operator()(const ThenTombstoned& t) const {
            auto& exit = engine.exits_.at(t.owner);
            exit.tombstone_durable = true;
            engine.advance_peer_exit(t.owner, exit);
        }
        void operator()(const ThenErased& t) const { engine.finish_erasure(t.owner); }
        void operator()(const ThenRemoved& t) const { engine.finish_removal(t.owner); }
        void operator()(const ThenExiting&) const { engine.begin_erasing_everything(); }
        void operator()(const ThenLeftEverything&) const { engine.announce_exit(); }
        void operator()(const ThenReceipt& t) const {
            engine.receipts_pending_.erase(t.holder);
            engine.receipts_.emplace(t.holder, t.receipt);
            engine.note(EventKind::receipt_stored, t.holder);
            engine.check_complete();
        }
        void operator()(const ThenPublished& t) const { engine.finish_published(t.version, t.lease); }
        void operator()(const ThenLease& t) const { engine.finish_lease(t.lease); }
        void operator()(const ThenHeldLease& t) const { engine.finish_held_lease(t.owner, t.number); }
        void operator()(const ThenRetired& t) const {
            engine.note(EventKind::retired, engine.id(), {}, t.reason);
        }
    };
    std::visit(Visitor{*this}, then);
}

void Engine::note(EventKind kind, const NodeId& subject, SeedVersion version, std::string detail) {
    effects_.push_back(Event{kind, subject, version, std::move(detail)});
}

std::uint64_t Engine::draw() {
    // splitmix64 (Steele, Lea, Flood 2014): for choices that nobody gains from guessing, and for salts.
    std::uint64_t z = (random_state_ += 0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

}  // namespace unlearn::protocol
