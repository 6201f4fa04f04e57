#include <algorithm>

#include "protocol/engine.hpp"
#include "protocol/limits.hpp"

namespace unlearn::protocol {

Admission Engine::ask_gate(const NodeId& owner, SeedVersion version, AdmissionPoint point) const {
    AdmissionFacts facts;
    facts.owner_is_self = owner == id();
    facts.owner_exited = exits_.contains(owner);
    facts.we_are_exiting = own_exit_.has_value();
    if (const auto it = held_.find(owner); it != held_.end()) facts.held = it->second.record.version;
    if (const auto it = refused_.find(owner); it != refused_.end()) facts.refused = it->second;
    facts.offered = version;
    return admit(facts, point);
}

// ---------------------------------------------------------------- our own seed

void Engine::on(const PublishSeed& publish) {
    if (own_exit_)
        return note(EventKind::seed_refused, id(), {}, "we are exiting: nothing is published any more");
    const auto last = own_seed_ ? static_cast<std::uint64_t>(own_seed_->record.version) : 0;
    auto record =
        describe_seed(id(), SeedVersion{last + 1}, publish.architecture, publish.payload->view(), now_.wall);
    if (!record) return note(EventKind::seed_refused, id(), SeedVersion{last + 1}, record.error().text());
    OwnSeed seed;
    seed.signed_record = sign_record(identity_, config_.network, *record);
    seed.record = std::move(*record);
    seed.payload = publish.payload;
    own_seed_ = std::move(seed);
    persist({PutOwnSeed{own_seed_->record.version, own_seed_->signed_record, own_seed_->payload}},
            ThenPublished{own_seed_->record.version});
}

void Engine::finish_published(SeedVersion version) {
    if (!own_seed_ || own_seed_->record.version != version) return;  // a newer one is on its way
    own_seed_->durable = true;
    note(EventKind::seed_published, id(), version);
    for (const auto& [peer, session_id] : session_of_)
        announce_to(session_id, sessions_.at(session_id));
}

void Engine::announce_to(SessionId session_id, Session& session) {
    if (own_seed_ && own_seed_->durable && !own_exit_)
        send(session_id, session, Have{own_seed_->signed_record});
}

void Engine::handle_get(SessionId session_id, Session& session, const Get& get) {
    if (own_exit_ || !own_seed_ || !own_seed_->durable || own_seed_->record.version != get.version)
        return send(session_id, session,
                    Nack{NackReason::no_such_version, static_cast<std::uint64_t>(get.version)});
    const auto& record = own_seed_->record;
    if (get.first + get.count > record.chunk_count())
        return drop_peer(session_id, session.key, Error{ErrorCode::malformed, "get: chunks beyond the end"});
    if (static_cast<std::size_t>(get.count) * record.chunk_bytes > kMaxWindowBytes)
        return drop_peer(session_id, session.key,
                         Error{ErrorCode::too_large, "get: more than the window allows"});

    // Who may hold the seed is on record before the first byte of it leaves.
    if (const auto it = recipients_.find(session.peer); it != recipients_.end() && it->second >= get.version)
        return serve(session_id, session, get);
    if (session.waiting_gets.size() >= kMaxWaitingGets)
        return drop_peer(session_id, session.key, Error{ErrorCode::too_large, "too many requests at once"});
    session.waiting_gets.push_back(get);
    auto& pending = recipients_pending_[session.peer];
    if (pending < get.version) {
        pending = get.version;
        persist({PutRecipient{session.peer, get.version}}, ThenServe{session.peer, get.version});
    }
}

void Engine::finish_recipient(const NodeId& peer, SeedVersion version) {
    auto& recorded = recipients_[peer];
    recorded = std::max(recorded, version);
    if (const auto it = recipients_pending_.find(peer);
        it != recipients_pending_.end() && it->second <= version)
        recipients_pending_.erase(it);
    Session* session = established_session(peer);
    if (session == nullptr) return;
    const auto waiting = std::exchange(session->waiting_gets, {});
    const SessionId session_id = session_of_.at(peer);
    for (const auto& get : waiting) {
        if (own_exit_ || get.version != own_seed_->record.version)
            send(session_id, *session,
                 Nack{NackReason::no_such_version, static_cast<std::uint64_t>(get.version)});
        else
            serve(session_id, *session, get);
    }
}

void Engine::serve(SessionId session_id, Session& session, const Get& get) {
    const auto& record = own_seed_->record;
    const ByteView payload = own_seed_->payload->view();
    for (std::uint32_t index = get.first; index < get.first + get.count; ++index) {
        const auto part = payload.subspan(std::size_t{index} * record.chunk_bytes, record.chunk_size(index));
        send(session_id, session, Chunk{record.version, index, Bytes(part.begin(), part.end())});
    }
}

// ---------------------------------------------------------------- the seeds of others

void Engine::handle_have(SessionId session_id, Session& session, const Have& have) {
    auto record = verify_record(session.peer, config_.network, have.record);
    if (!record) return drop_peer(session_id, session.key, record.error());
    const NodeId owner = record->owner;
    const auto known_as = [&](const auto& known) {
        return known.record.version == record->version && known.signed_record.bytes != have.record.bytes;
    };
    const auto held = held_.find(owner);
    const auto candidate = candidates_.find(owner);
    if ((held != held_.end() && known_as(held->second)) ||
        (candidate != candidates_.end() && known_as(candidate->second))) {
        // Keep the first; both are proof against the owner.
        note(EventKind::equivocation, owner, record->version,
             to_hex(digest_of(have.record.bytes).view()) + " is not the record that came first");
        return;
    }
    if (ask_gate(owner, record->version, AdmissionPoint::announce) != Admission::admitted) return;
    if (candidate != candidates_.end() && candidate->second.record.version >= record->version) return;
    const auto running = fetches_.find(owner);
    if (running != fetches_.end() && running->second.record().version >= record->version) return;
    fetches_.erase(owner);
    auto [it, inserted] = fetches_.emplace(owner, Fetch(std::move(*record), have.record));
    ask_for_more(session_id, session, it->second);
}

void Engine::ask_for_more(SessionId session_id, Session& session, Fetch& fetch) {
    if (ask_gate(fetch.record().owner, fetch.record().version, AdmissionPoint::fetch) != Admission::admitted)
        return;
    if (const auto get = fetch.next_get(now_.steady)) send(session_id, session, *get);
}

void Engine::handle_chunk(SessionId session_id, Session& session, const Chunk& chunk) {
    const NodeId owner = session.peer;
    const auto it = fetches_.find(owner);
    const Admission admission = ask_gate(owner, chunk.version, AdmissionPoint::chunk);
    // Chunks that were under way when the owner left, when we did, or when a newer version came: no offence.
    if (admission != Admission::admitted ||
        (it != fetches_.end() && chunk.version < it->second.record().version)) {
        ++counters_.messages_ignored;
        return;
    }
    if (it == fetches_.end() || chunk.version != it->second.record().version) {
        const auto candidate = candidates_.find(owner);
        if (candidate != candidates_.end() && chunk.version <= candidate->second.record.version) {
            ++counters_.messages_ignored;  // a repeat after a stall
            return;
        }
        return drop_peer(session_id, session.key, Error{ErrorCode::unsolicited, "chunk"});
    }
    Fetch& fetch = it->second;
    const auto complete = fetch.accept(chunk, now_.steady);
    if (!complete) {
        const Error why = complete.error();
        fetches_.erase(it);
        return drop_peer(session_id, session.key, why);
    }
    if (!*complete) return ask_for_more(session_id, session, fetch);

    Held held{fetch.record(), fetch.signed_record(), fetch.take_payload()};
    fetches_.erase(it);
    effects_.push_back(CheckSeed{owner, held.record.version, held.record.architecture, held.payload});
    candidates_.insert_or_assign(owner, std::move(held));
}

void Engine::load_held_seeds() {
    for (auto& seed : loaded_seeds_) {
        auto record = verify_record(seed.owner, config_.network, seed.record);
        const bool admitted = record && record->version == seed.version &&
                              ask_gate(seed.owner, seed.version, AdmissionPoint::load) == Admission::admitted;
        if (!admitted) continue;
        effects_.push_back(CheckSeed{seed.owner, seed.version, record->architecture, seed.payload});
        candidates_.insert_or_assign(
            seed.owner, Held{std::move(*record), std::move(seed.record), std::move(seed.payload)});
    }
    loaded_seeds_.clear();
}

void Engine::on(const SeedChecked& checked) {
    const auto it = candidates_.find(checked.owner);
    if (it == candidates_.end() || it->second.record.version != checked.version) return;
    if (checked.problem) {
        refused_[checked.owner] = checked.version;
        ++counters_.seeds_refused;
        candidates_.erase(it);
        note(EventKind::seed_refused, checked.owner, checked.version, *checked.problem);
        return;
    }
    if (ask_gate(checked.owner, checked.version, AdmissionPoint::install) != Admission::admitted) return;
    const Held& held = it->second;
    maybe_on_disk_.insert(checked.owner);
    persist({PutHeldSeed{checked.owner, checked.version, held.signed_record, held.payload}},
            ThenInstall{checked.owner, checked.version});
}

void Engine::finish_install(const NodeId& owner, SeedVersion version) {
    const auto it = candidates_.find(owner);
    if (it == candidates_.end() || it->second.record.version != version) return;
    if (ask_gate(owner, version, AdmissionPoint::install) != Admission::admitted) return;
    it->second.payload.reset();
    held_.insert_or_assign(owner, std::move(it->second));
    candidates_.erase(it);
    effects_.push_back(InstallSeed{owner, version});
    note(EventKind::seed_installed, owner, version);
}

void Engine::tick_fetches() {
    for (auto& [owner, fetch] : fetches_) {
        Session* session = established_session(owner);
        if (session == nullptr || !fetch.stalled(now_.steady)) continue;
        fetch.restart();
        ask_for_more(session_of_.at(owner), *session, fetch);
    }
}

}  // namespace unlearn::protocol
