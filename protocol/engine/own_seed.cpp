#include "protocol/engine/own_seed.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace unlearn::protocol {

namespace {

bool covers(const Recipient& recorded, const Recipient& needed) {
    return recorded.version >= needed.version && recorded.lease_until >= needed.lease_until;
}

Nack no_such_version(SeedVersion version) {
    return {NackReason::no_such_version, static_cast<std::uint64_t>(version)};
}

}  // namespace

void OwnSeed::load(LoadedState& state) {
    for (const auto& recipient : state.recipients)
        recipients_.emplace(recipient.peer, Recipient{recipient.version, recipient.lease_until});
    if (state.own_seed) {
        auto record = verify_record(context_.id(), context_.config.network, state.own_seed->record);
        if (record)
            seed_ = Seed{std::move(*record), std::move(state.own_seed->record),
                         std::move(state.own_seed->payload), true};
    }
    last_version_ = static_cast<std::uint64_t>(state.last_own_version);
    if (state.own_lease) last_lease_number_ = state.own_lease->number;
    if (seed_) last_version_ = std::max(last_version_, static_cast<std::uint64_t>(seed_->record.version));
}

bool OwnSeed::skip_versions_after_restore() {
    if (seed_ || last_version_ == 0) return false;
    skip_versions();
    return true;
}

void OwnSeed::go_on_above_others() {
    // Neighbours may find out one after the other. One skip is above all of them.
    if (!skipped_) skip_versions();
    if (withdrawn_ || !seed_) return;
    publish(PublishSeed{seed_->record.architecture, seed_->payload});
}

/// A version rises more rarely than once a second, so the seconds since 1970 are above whatever a lost state
/// used, also when one copy is restored for the second time. Where the clock is behind the versions, a
/// million has to do.
void OwnSeed::skip_versions() {
    skipped_ = true;
    const auto today =
        static_cast<std::uint64_t>(std::max<std::int64_t>(0, context_.now.wall.time_since_epoch().count()));
    for (std::uint64_t* last : {&last_version_, &last_lease_number_})
        *last = today > *last ? today : *last + kVersionsSkippedByRestore;
}

// ---------------------------------------------------------------- publishing

void OwnSeed::publish(const PublishSeed& publish) {
    if (withdrawn_)
        return context_.note(EventKind::seed_refused, context_.id(), {},
                             "we are exiting: nothing is published any more");
    const SeedVersion next{last_version_ + 1};
    auto record =
        describe_seed(context_.id(), next, publish.architecture, publish.payload->view(), context_.now.wall);
    if (!record) return context_.note(EventKind::seed_refused, context_.id(), next, record.error().text());
    ++last_version_;
    Seed seed;
    seed.signed_record = sign_record(context_.identity, context_.config.network, *record);
    seed.record = std::move(*record);
    seed.payload = publish.payload;
    seed_ = std::move(seed);
    const Lease lease = next_lease();
    writes_.persist({PutOwnSeed{seed_->record.version, seed_->signed_record, seed_->payload},
                     PutOwnLease{lease.number, lease.not_after}},
                    after_write::OwnSeedStored{seed_->record.version, lease});
}

void OwnSeed::on(const after_write::OwnSeedStored& stored) {
    if (!seed_ || seed_->record.version != stored.version) return;  // a newer one is on its way
    seed_->durable = true;
    context_.note(EventKind::seed_published, context_.id(), stored.version);
    finish_lease(stored.lease);
}

// ---------------------------------------------------------------- leases

Lease OwnSeed::next_lease() {
    next_renewal_ = context_.now.steady + context_.config.lease_renewal;
    return {context_.id(), seed_->record.version, ++last_lease_number_,
            context_.now.wall + context_.config.lease_time};
}

void OwnSeed::renew_lease() {
    if (withdrawn_ || !seed_ || !seed_->durable) return;
    const Lease lease = next_lease();
    // The lease is stored before any peer has it: the certificate of our exit must not name too early an end.
    writes_.persist({PutOwnLease{lease.number, lease.not_after}}, after_write::OwnLeaseStored{lease});
}

void OwnSeed::renew_lease_when_due() {
    if (lease_ && context_.now.steady >= next_renewal_) renew_lease();
}

void OwnSeed::on(const after_write::OwnLeaseStored& stored) {
    finish_lease(stored.lease);
}

void OwnSeed::finish_lease(const Lease& lease) {
    if (withdrawn_ || !seed_ || seed_->record.version != lease.version) return;
    if (lease_ && lease_->lease.number >= lease.number) return;
    lease_ = SignedLease{lease, sign_lease(context_.identity, context_.config.network, lease)};
    context_.note(EventKind::lease_renewed, context_.id(), lease.version, std::to_string(lease.number));
    for (const auto& [peer, id] : sessions_.all_established())
        announce_to(id, sessions_.at(id));
}

void OwnSeed::announce_to(SessionId id, Session& session) {
    if (!may_serve(session.peer) || !seed_ || !seed_->durable || !lease_) return;
    const Lease& lease = lease_->lease;
    if (lease.version != seed_->record.version) return;
    // A recipient of this version gets a longer lease with the announcement, so the lease is recorded first.
    const auto recipient = recipients_.find(session.peer);
    if (recipient != recipients_.end() && recipient->second.version >= lease.version &&
        recipient->second.lease_until < lease.not_after) {
        announcing_.insert(session.peer);
        return record_recipient(session.peer, {recipient->second.version, lease.not_after});
    }
    sessions_.send(id, session, Have{seed_->signed_record, lease_->signed_lease});
}

// ---------------------------------------------------------------- serving

Result<void> OwnSeed::take_get(SessionId id, Session& session, const Get& get) {
    if (!sessions_.allowances_of(session.peer).chunk_requests.take(get.count, context_.now.steady))
        return fail(ErrorCode::too_much, "requests for chunks");
    if (!may_serve(session.peer) || !seed_ || !seed_->durable || seed_->record.version != get.version ||
        !lease_) {
        sessions_.send(id, session, no_such_version(get.version));
        return {};
    }
    const auto& record = seed_->record;
    if (get.first + get.count > record.chunk_count())
        return fail(ErrorCode::malformed, "get: chunks beyond the end");
    if (static_cast<std::size_t>(get.count) * record.chunk_bytes > kMaxWindowBytes)
        return fail(ErrorCode::too_large, "get: more bytes requested than the window allows");
    return answer(id, session, get);
}

/// Puts on record who may hold the seed, and until when, before the first byte leaves.
Result<void> OwnSeed::answer(SessionId id, Session& session, const Get& get) {
    const Recipient needed{get.version, lease_->lease.not_after};
    const auto it = recipients_.find(session.peer);
    if (it != recipients_.end() && covers(it->second, needed)) {
        serve(id, session, get);
        return {};
    }
    auto& waiting = waiting_gets_[id];
    if (waiting.size() >= kMaxWaitingGets) return fail(ErrorCode::too_large, "too many requests at once");
    waiting.push_back(get);
    record_recipient(session.peer, needed);
    return {};
}

void OwnSeed::serve(SessionId id, Session& session, const Get& get) {
    const auto& record = seed_->record;
    const ByteView payload = seed_->payload->view();
    for (std::uint32_t index = get.first; index < get.first + get.count; ++index) {
        const auto part = payload.subspan(std::size_t{index} * record.chunk_bytes, record.chunk_size(index));
        sessions_.send(id, session, Chunk{record.version, index, Bytes(part.begin(), part.end())});
    }
}

/// Makes one write for each version and lease end, however often the peer asks while the disk is slow.
void OwnSeed::record_recipient(const NodeId& peer, const Recipient& needed) {
    Recipient& pending = recipients_pending_[peer];
    if (covers(pending, needed)) return;
    pending = needed;
    writes_.persist({PutRecipient{peer, needed.version, needed.lease_until}},
                    after_write::RecipientStored{peer, needed});
}

void OwnSeed::on(const after_write::RecipientStored& stored) {
    const auto& [peer, recorded] = stored;
    auto& known = recipients_[peer];
    known.version = std::max(known.version, recorded.version);
    known.lease_until = std::max(known.lease_until, recorded.lease_until);
    if (const auto it = recipients_pending_.find(peer);
        it != recipients_pending_.end() && covers(recorded, it->second))
        recipients_pending_.erase(it);
    const bool announces = announcing_.erase(peer) > 0;
    Session* session = sessions_.established(peer);
    if (session == nullptr) return;
    const SessionId id = sessions_.id_of(peer);
    const auto waiting = waiting_gets_.extract(id);
    if (announces) announce_to(id, *session);
    if (waiting.empty()) return;
    for (const auto& get : waiting.mapped()) {
        if (!may_serve(peer) || get.version != seed_->record.version) {
            sessions_.send(id, *session, no_such_version(get.version));
            continue;
        }
        // The recorded version may be older than the one that the peer asks for.
        if (const auto answered = answer(id, *session, get); !answered)
            return sessions_.drop(id, session->key, answered.error());
    }
}

// ---------------------------------------------------------------- questions

std::optional<OwnSeedStatus> OwnSeed::status() const {
    if (!seed_ || !seed_->durable) return std::nullopt;
    return OwnSeedStatus{seed_->record.version, seed_->record.architecture, seed_->record.payload_bytes,
                         lease_ ? lease_->lease.not_after : WallTime{}};
}

std::size_t OwnSeed::waiting_gets() const {
    std::size_t most = 0;
    for (const auto& [id, gets] : waiting_gets_)
        most = std::max(most, gets.size());
    return most;
}

}  // namespace unlearn::protocol
