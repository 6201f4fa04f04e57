#include "protocol/engine.hpp"

#include <algorithm>

#include "protocol/limits.hpp"

namespace unlearn::protocol {

std::string_view name_of(EventKind kind) {
    switch (kind) {
        case EventKind::peer_up:
            return "peer-up";
        case EventKind::peer_down:
            return "peer-down";
        case EventKind::peer_dropped:
            return "peer-dropped";
        case EventKind::seed_published:
            return "seed-published";
        case EventKind::seed_installed:
            return "seed-installed";
        case EventKind::seed_refused:
            return "seed-refused";
        case EventKind::equivocation:
            return "equivocation";
        case EventKind::exit_begun:
            return "exit-begun";
        case EventKind::exit_announced:
            return "exit-announced";
        case EventKind::receipt_stored:
            return "receipt-stored";
        case EventKind::exit_complete:
            return "exit-complete";
        case EventKind::exit_learned:
            return "exit-learned";
        case EventKind::seed_erased:
            return "seed-erased";
        case EventKind::own_exit_met:
            return "own-exit-met";
        case EventKind::store_failed:
            return "store-failed";
    }
    return "unknown";
}

Engine::Engine(const Identity& identity, EngineConfig config, LoadedState state)
    : identity_(identity), config_(std::move(config)) {
    for (const auto& neighbour : config_.neighbours)
        if (neighbour.id != id()) neighbours_.emplace(neighbour.id, neighbour);

    // Tombstones before anything that they forbid.
    for (auto& tombstone : state.tombstones) {
        PeerExit exit;
        exit.notice = std::move(tombstone.notice);
        exit.tombstone_durable = true;
        exit.memory_wiped = true;
        exits_.emplace(tombstone.owner, std::move(exit));
    }
    for (const auto& recipient : state.recipients)
        recipients_.emplace(recipient.peer, recipient.version);
    for (auto& receipt : state.receipts)
        receipts_.emplace(receipt.holder, std::move(receipt.receipt));
    if (state.own_seed) {
        auto record = verify_record(id(), config_.network, state.own_seed->record);
        if (record)
            own_seed_ = OwnSeed{std::move(*record), std::move(state.own_seed->record),
                                std::move(state.own_seed->payload), true};
    }
    if (state.exiting) {
        own_exit_ = OwnExit{};
        own_exit_->notice = std::move(state.exiting->notice);
    }
    loaded_seeds_ = std::move(state.held_seeds);
    for (const auto& seed : loaded_seeds_)
        maybe_on_disk_.insert(seed.owner);
}

std::vector<Effect> Engine::step(const Input& input, Now now) {
    now_ = now;
    effects_.clear();
    std::visit([this](const auto& value) { on(value); }, input);
    return std::move(effects_);
}

void Engine::on(const Start&) {
    started_ = true;
    // What was interrupted by a stop is taken up again: erasures of exited owners, then our own exit.
    for (auto& [owner, exit] : exits_) {
        if (maybe_on_disk_.contains(owner))
            advance_peer_exit(owner, exit);
        else
            exit.erased = true;
    }
    load_held_seeds();
    if (own_exit_) begin_erasing_everything();
    for (const auto& [peer, neighbour] : neighbours_)
        redial(peer);
}

void Engine::on(const AddNeighbour& add) {
    if (add.neighbour.id == id()) return;
    neighbours_.insert_or_assign(add.neighbour.id, add.neighbour);
    if (started_) redial(add.neighbour.id);
}

void Engine::on(const Tick&) {
    tick_stores();
    tick_sessions();
    tick_fetches();
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

void Engine::on(const SayBye&) {
    for (auto& [session_id, session] : sessions_)
        if (session.established) send(session_id, session, Bye{});
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
        void operator()(const ThenServe& t) const { engine.finish_recipient(t.peer, t.version); }
        void operator()(const ThenInstall& t) const { engine.finish_install(t.owner, t.version); }
        void operator()(const ThenTombstoned& t) const {
            auto& exit = engine.exits_.at(t.owner);
            exit.tombstone_durable = true;
            engine.advance_peer_exit(t.owner, exit);
        }
        void operator()(const ThenErased& t) const { engine.finish_erasure(t.owner); }
        void operator()(const ThenExiting&) const { engine.begin_erasing_everything(); }
        void operator()(const ThenLeftEverything&) const { engine.announce_exit(); }
        void operator()(const ThenReceipt& t) const {
            engine.receipts_.emplace(t.holder, t.receipt);
            engine.note(EventKind::receipt_stored, t.holder);
            engine.check_complete();
        }
        void operator()(const ThenPublished& t) const { engine.finish_published(t.version); }
    };
    std::visit(Visitor{*this}, then);
}

void Engine::note(EventKind kind, const NodeId& subject, SeedVersion version, std::string detail) {
    effects_.push_back(Event{kind, subject, version, std::move(detail)});
}

bool Engine::may_use(const NodeId& owner, SeedVersion version) const {
    const auto held = held_.find(owner);
    return held != held_.end() && held->second.record.version == version &&
           ask_gate(owner, version, AdmissionPoint::rebuild) == Admission::admitted;
}

std::map<NodeId, SeedVersion> Engine::seeds_in_use() const {
    std::map<NodeId, SeedVersion> out;
    for (const auto& [owner, held] : held_)
        out.emplace(owner, held.record.version);
    return out;
}

ExitProgress Engine::own_exit() const {
    ExitProgress progress;
    progress.recipients = recipients_;
    progress.receipts = receipts_;
    if (own_exit_) {
        progress.begun = true;
        progress.complete = own_exit_->complete;
        progress.notice = own_exit_->notice;
    }
    return progress;
}

}  // namespace unlearn::protocol
