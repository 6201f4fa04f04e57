#include <algorithm>

#include "protocol/engine.hpp"
#include "protocol/limits.hpp"

namespace unlearn::protocol {

namespace {

bool covers(const Recipient& recorded, const Recipient& needed) {
    return recorded.version >= needed.version && recorded.lease_until >= needed.lease_until;
}

}  // namespace

Admission Engine::ask_gate(const NodeId& owner, SeedVersion version, AdmissionPoint point) const {
    AdmissionFacts facts;
    facts.owner_is_self = owner == id();
    facts.owner_exited = exits_.contains(owner);
    facts.we_are_exiting = own_exit_.has_value();
    facts.too_many_exits = exits_.size() >= kMaxTombstones;
    if (const auto it = peers_.find(owner); it != peers_.end()) facts.removed = it->second.former;
    if (removing_.contains(owner)) facts.removed = true;
    if (const auto it = held_.find(owner); it != held_.end()) {
        facts.held = it->second.record.version;
        facts.quarantined = it->second.quarantined;
        facts.lease_ended = !lease_runs(it->second.lease);
        facts.held_aside = it->second.aside.has_value();
    }
    facts.restored = restored_ && !is_vouched_for(owner);
    if (const auto it = refused_.find(owner); it != refused_.end()) facts.refused = it->second;
    facts.offered = version;
    return config_.gate(facts, point);
}

// ---------------------------------------------------------------- our own seed

void Engine::on(const PublishSeed& publish) {
    if (own_exit_)
        return note(EventKind::seed_refused, id(), {}, "we are exiting: nothing is published any more");
    const SeedVersion next{last_own_version_ + 1};
    auto record = describe_seed(id(), next, publish.architecture, publish.payload->view(), now_.wall);
    if (!record) return note(EventKind::seed_refused, id(), next, record.error().text());
    ++last_own_version_;
    OwnSeed seed;
    seed.signed_record = sign_record(identity_, config_.network, *record);
    seed.record = std::move(*record);
    seed.payload = publish.payload;
    own_seed_ = std::move(seed);
    const Lease lease = next_own_lease();
    persist({PutOwnSeed{own_seed_->record.version, own_seed_->signed_record, own_seed_->payload},
             PutOwnLease{lease.number, lease.not_after}},
            ThenPublished{own_seed_->record.version, lease});
}

void Engine::finish_published(SeedVersion version, const Lease& lease) {
    if (!own_seed_ || own_seed_->record.version != version) return;  // a newer one is on its way
    own_seed_->durable = true;
    note(EventKind::seed_published, id(), version);
    finish_lease(lease);
}

void Engine::handle_get(SessionId session_id, Session& session, const Get& get) {
    if (!allowances_of(session.peer).chunk_requests.take(get.count, now_.steady))
        return drop_peer(session_id, session.key, Error{ErrorCode::too_much, "requests for chunks"});
    if (own_exit_ || !own_seed_ || !own_seed_->durable || own_seed_->record.version != get.version ||
        !own_lease_)
        return send(session_id, session,
                    Nack{NackReason::no_such_version, static_cast<std::uint64_t>(get.version)});
    const auto& record = own_seed_->record;
    if (get.first + get.count > record.chunk_count())
        return drop_peer(session_id, session.key, Error{ErrorCode::malformed, "get: chunks beyond the end"});
    if (static_cast<std::size_t>(get.count) * record.chunk_bytes > kMaxWindowBytes)
        return drop_peer(session_id, session.key,
                         Error{ErrorCode::too_large, "get: more than the window allows"});
    answer_get(session_id, session, get);
}

/// Who may hold the seed, and until when, is on record before the first byte of it leaves.
void Engine::answer_get(SessionId session_id, Session& session, const Get& get) {
    const Recipient needed{get.version, own_lease_->lease.not_after};
    const auto it = recipients_.find(session.peer);
    if (it != recipients_.end() && covers(it->second, needed)) return serve(session_id, session, get);
    if (session.waiting_gets.size() >= kMaxWaitingGets)
        return drop_peer(session_id, session.key, Error{ErrorCode::too_large, "too many requests at once"});
    session.waiting_gets.push_back(get);
    record_recipient(session.peer, needed);
}

/// One write at a time, however often a peer comes back while the disk is slow.
void Engine::record_recipient(const NodeId& peer, const Recipient& needed) {
    Recipient& pending = recipients_pending_[peer];
    if (covers(pending, needed)) return;
    pending = needed;
    persist({PutRecipient{peer, needed.version, needed.lease_until}}, ThenRecorded{peer, needed});
}

void Engine::finish_recipient(const NodeId& peer, const Recipient& recorded) {
    auto& known = recipients_[peer];
    known.version = std::max(known.version, recorded.version);
    known.lease_until = std::max(known.lease_until, recorded.lease_until);
    if (const auto it = recipients_pending_.find(peer);
        it != recipients_pending_.end() && covers(recorded, it->second))
        recipients_pending_.erase(it);
    const bool announces = announcing_.erase(peer) > 0;
    Session* session = established_session(peer);
    if (session == nullptr) return;
    const auto waiting = std::exchange(session->waiting_gets, {});
    const SessionId session_id = session_of_.at(peer);
    if (announces) announce_to(session_id, *session);
    for (const auto& get : waiting) {
        if (own_exit_ || get.version != own_seed_->record.version)
            send(session_id, *session,
                 Nack{NackReason::no_such_version, static_cast<std::uint64_t>(get.version)});
        else  // what was recorded may be an older version than it asks for
            answer_get(session_id, *session, get);
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

bool Engine::is_equivocation(const NodeId& owner, const SeedRecord& record,
                             const SignedBytes& signed_record) {
    for (const auto* known : {&held_, &candidates_}) {
        const auto it = known->find(owner);
        if (it == known->end() || it->second.record.version != record.version ||
            it->second.signed_record.bytes == signed_record.bytes)
            continue;
        // Keep the first; both are proof against the owner.
        note(EventKind::equivocation, owner, record.version,
             to_hex(digest_of(signed_record.bytes).view()) + " is not the record that came first");
        auto& versions = equivocations_[owner];
        if (versions.size() < kMaxEquivocationsKept && versions.insert(record.version).second) {
            ++counters_.equivocations;
            persist({PutEquivocation{owner, record.version, it->second.signed_record, signed_record}},
                    ThenNothing{});
        }
        return true;
    }
    return false;
}

/// A record comes again with every new lease, and was verified when it first came.
Result<SeedRecord> Engine::record_in(const NodeId& owner, const SignedBytes& signed_record) const {
    for (const auto* seeds : {&held_, &candidates_})
        if (const auto it = seeds->find(owner);
            it != seeds->end() && it->second.signed_record == signed_record)
            return it->second.record;
    return verify_record(owner, config_.network, signed_record);
}

void Engine::handle_have(SessionId session_id, Session& session, const Have& have) {
    auto record = record_in(session.peer, have.record);
    if (!record) return drop_peer(session_id, session.key, record.error());
    const auto lease = verify_lease(session.peer, config_.network, have.lease);
    if (!lease) return drop_peer(session_id, session.key, lease.error());
    if (lease->version != record->version)
        return drop_peer(session_id, session.key,
                         Error{ErrorCode::malformed, "have: the lease is of another version"});
    const NodeId owner = record->owner;
    if (is_equivocation(owner, *record, have.record)) return;
    take_lease(*lease);
    if (ask_gate(owner, record->version, AdmissionPoint::announce) != Admission::admitted) return;
    const auto candidate = candidates_.find(owner);
    if (candidate != candidates_.end() && candidate->second.record.version >= record->version) return;
    const auto running = downloads_.find(owner);
    if (running != downloads_.end() && running->second.fetch.record().version >= record->version) return;
    if (!allowances_of(owner).new_seeds.take(1, now_.steady)) {
        ++counters_.messages_ignored;  // it is announced again with its next lease
        return;
    }
    downloads_.erase(owner);
    auto [it, inserted] =
        downloads_.emplace(owner, Download{Fetch(std::move(*record), have.record),
                                           HeldLease{lease->number, lease->not_after, now_.steady}});
    ask_for_more(session_id, session, it->second.fetch);
}

void Engine::ask_for_more(SessionId session_id, Session& session, Fetch& fetch) {
    if (ask_gate(fetch.record().owner, fetch.record().version, AdmissionPoint::fetch) != Admission::admitted)
        return;
    if (const auto get = fetch.next_get(now_.steady)) send(session_id, session, *get);
}

void Engine::handle_chunk(SessionId session_id, Session& session, const Chunk& chunk) {
    const NodeId owner = session.peer;
    const auto it = downloads_.find(owner);
    const Admission admission = ask_gate(owner, chunk.version, AdmissionPoint::chunk);
    // Chunks that were under way when the owner left, when we did, or when a newer version came: no offence.
    if (admission != Admission::admitted ||
        (it != downloads_.end() && chunk.version < it->second.fetch.record().version)) {
        ++counters_.messages_ignored;
        return;
    }
    if (it == downloads_.end() || chunk.version != it->second.fetch.record().version) {
        const auto candidate = candidates_.find(owner);
        if (candidate != candidates_.end() && chunk.version <= candidate->second.record.version) {
            ++counters_.messages_ignored;  // a repeat after a stall
            return;
        }
        return drop_peer(session_id, session.key, Error{ErrorCode::unsolicited, "chunk"});
    }
    Fetch& fetch = it->second.fetch;
    const auto complete = fetch.accept(chunk, now_.steady);
    if (!complete) {
        const Error why = complete.error();
        downloads_.erase(it);
        return drop_peer(session_id, session.key, why);
    }
    if (!*complete) return ask_for_more(session_id, session, fetch);

    Held held;
    held.record = fetch.record();
    held.signed_record = fetch.signed_record();
    held.payload = fetch.take_payload();
    held.lease = it->second.lease;
    downloads_.erase(it);
    effects_.push_back(CheckSeed{owner, held.record.version, held.record.architecture, held.payload});
    candidates_.insert_or_assign(owner, std::move(held));
}

void Engine::load_held_seeds() {
    // A clock that went back says nothing about what is left of a lease.
    const bool clock_went_back = now_.wall < last_wall_;
    for (auto& seed : loaded_seeds_) {
        auto record = verify_record(seed.owner, config_.network, seed.record);
        const bool admitted = record && record->version == seed.version &&
                              ask_gate(seed.owner, seed.version, AdmissionPoint::load) == Admission::admitted;
        if (!admitted) continue;
        effects_.push_back(CheckSeed{seed.owner, seed.version, record->architecture, seed.payload});
        Held held;
        held.record = std::move(*record);
        held.signed_record = std::move(seed.record);
        held.payload = std::move(seed.payload);
        held.loaded = true;
        held.quarantined = true;
        if (const auto lease = loaded_leases_.find(seed.owner); lease != loaded_leases_.end())
            held.lease = {lease->second.number, clock_went_back ? WallTime{} : lease->second.not_after,
                          now_.steady};
        candidates_.insert_or_assign(seed.owner, std::move(held));
    }
    loaded_seeds_.clear();
    loaded_leases_.clear();
}

void Engine::on(const SeedChecked& checked) {
    const auto it = candidates_.find(checked.owner);
    if (it == candidates_.end() || it->second.record.version != checked.version) return;
    if (checked.problem) {
        // What its owner sent is the owner's fault, and will be the same the next time; what was loaded may
        // be our disk's, and is asked for again when it is announced.
        const bool was_sent = !it->second.loaded;
        if (was_sent) refused_[checked.owner] = checked.version;
        ++counters_.seeds_refused;
        candidates_.erase(it);
        note(EventKind::seed_refused, checked.owner, checked.version, *checked.problem);
        if (const Session* session = established_session(checked.owner); was_sent && session != nullptr)
            drop_peer(session_of_.at(checked.owner), session->key,
                      Error{ErrorCode::refused_seed, *checked.problem});
        return;
    }
    if (ask_gate(checked.owner, checked.version, AdmissionPoint::install) != Admission::admitted) return;
    Held& held = it->second;
    held.aside = checked.aside;
    maybe_on_disk_.insert(checked.owner);
    persist({PutHeldSeed{checked.owner, checked.version, held.signed_record, held.payload},
             PutHeldLease{checked.owner, held.lease.number, held.lease.not_after}},
            ThenInstall{checked.owner, checked.version});
}

void Engine::finish_install(const NodeId& owner, SeedVersion version) {
    const auto it = candidates_.find(owner);
    if (it == candidates_.end() || it->second.record.version != version) return;
    if (ask_gate(owner, version, AdmissionPoint::install) != Admission::admitted) return;
    it->second.payload.reset();
    const auto before = held_.find(owner);
    const bool replaces = before != held_.end() && before->second.in_use;
    Held& held = held_.insert_or_assign(owner, std::move(it->second)).first->second;
    candidates_.erase(it);
    // The version before is over, also when the new one has to wait or is held aside.
    held.in_use = replaces && ask_gate(owner, version, AdmissionPoint::rebuild) != Admission::admitted;
    refresh_use(owner, held, EventKind::seed_installed);
    if (!held.in_use && !replaces) {
        const Admission waits_for = ask_gate(owner, version, AdmissionPoint::rebuild);
        note(EventKind::seed_suspended, owner, version,
             held.aside.value_or(std::string(describe(waits_for))));
    }
}

void Engine::on(const SeedJudged& judged) {
    const auto it = held_.find(judged.owner);
    if (it == held_.end() || it->second.record.version != judged.version) return;
    it->second.aside = judged.aside;
    refresh_use(judged.owner, it->second);
}

void Engine::tick_fetches() {
    for (auto& [owner, download] : downloads_) {
        Fetch& fetch = download.fetch;
        Session* session = established_session(owner);
        if (session == nullptr || !fetch.stalled(now_.steady)) continue;
        fetch.restart();
        ask_for_more(session_of_.at(owner), *session, fetch);
    }
}

}  // namespace unlearn::protocol
