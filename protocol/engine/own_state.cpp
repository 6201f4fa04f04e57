#include "protocol/engine/own_state.hpp"

#include <algorithm>
#include <utility>

#include "protocol/digest.hpp"

namespace unlearn::protocol {

void OwnState::load(const LoadedState& state) {
    for (const PutStart& known : state.starts) {  // the newest one comes last
        starts_[known.start] = known.number;
        if (known.seen_by_others) {
            newest_seen_ = {context_.id(), known.number, known.start, known.previous};
            continue;
        }
        previous_ = known.previous;
        start_ = known.start;
        number_ = known.number;
    }
    for (const PutPeerState& known : state.peer_states)
        peers_[known.peer] = {known.number, known.statement, false};
    first_start_ = state.starts.empty() && state.tombstones.empty() && state.held_seeds.empty() &&
                   state.recipients.empty() && state.last_own_version == SeedVersion{0};
    restored_ = state.restored;
    ever_restored_ = state.ever_restored;
    copied_ = state.copied;
}

void OwnState::start() {
    const StartId mine = context_.config.start == StartId{} ? derived_start() : context_.config.start;
    begin_start(mine, start_, number_ + 1);
    writes_.persist({current()}, after_write::StateStored{current()});
}

/// For a start that begins while the process runs. The time makes two copies of one process differ.
StartId OwnState::derived_start() const {
    Bytes bytes(start_.view().begin(), start_.view().end());
    append_u64(bytes, context_.config.random_seed);
    append_u64(bytes, number_);
    append_u64(bytes, static_cast<std::uint64_t>(context_.now.steady.count()));
    append_u64(bytes, static_cast<std::uint64_t>(context_.now.wall.time_since_epoch().count()));
    const Digest digest = digest_of(bytes);
    StartId start;
    std::copy_n(digest.value.begin(), StartId::kSize, start.value.begin());
    return start;
}

void OwnState::begin_start(StartId start, StartId previous, std::uint64_t number) {
    number_ = number;
    start_ = start;
    previous_ = previous;
    starts_[start_] = number_;
    durable_ = 0;
    signed_.reset();
    confirmed_by_.clear();
}

PutStart OwnState::next() {
    starts_[start_] = ++number_;
    return current();
}

void OwnState::stored_with(const PutStart& state) {
    if (state.start != start_ || state.number <= durable_) return;
    durable_ = state.number;
    signed_ =
        sign_state(context_.identity, context_.config.network, {context_.id(), durable_, start_, previous_});
    for (const auto& [peer, id] : sessions_.all_established())
        send_to(id, sessions_.at(id));
}

void OwnState::send_to(SessionId id, Session& session) {
    if (!signed_) return;
    StateMessage message{*signed_, restored_, std::nullopt};
    const auto known = peers_.find(session.peer);
    if (known != peers_.end() && !known->second.being_stored && !known->second.waits)
        message.yours = known->second.statement;
    sessions_.send_if_known(id, session, std::move(message));
}

// ---------------------------------------------------------------- what others say

Result<OwnState::Finding> OwnState::take(SessionId id, Session& session, const StateMessage& message) {
    const NodeId peer = session.peer;
    session.restored = message.restored;
    if (auto good = take_theirs(id, session, message.own); !good) return tl::unexpected(good.error());
    if (!message.yours) return Finding::nothing_new;
    return judge(peer, *message.yours);
}

Result<void> OwnState::take_theirs(SessionId id, Session& session, const SignedBytes& statement) {
    PeerState& known = peers_[session.peer];
    if (known.statement == statement) return {};
    const auto state = verify_state(session.peer, context_.config.network, statement);
    if (!state) return tl::unexpected(state.error());
    if (state->number <= known.number) {
        send_to(id, session);  // it is shown the newer one
        return {};
    }
    known.number = state->number;
    known.statement = statement;
    known.waits = true;
    return {};
}

/// Makes one write at a time for each peer. The newest statement follows.
void OwnState::tick() {
    for (auto& [peer, known] : peers_) {
        if (!known.waits || known.being_stored || !known.writes.take(1, context_.now.steady)) continue;
        known.waits = false;
        known.being_stored = true;
        writes_.persist({PutPeerState{peer, known.number, known.statement}},
                        after_write::PeerStateStored{peer, known.number});
    }
}

void OwnState::on(const after_write::PeerStateStored& stored) {
    PeerState& known = peers_.at(stored.peer);
    known.being_stored = false;
    if (known.waits) return;
    // The peer learns that its statement is kept here.
    if (Session* session = sessions_.established(stored.peer))
        send_to(sessions_.id_of(stored.peer), *session);
}

void OwnState::give_up(const after_write::PeerStateStored& never, const std::string& reason) {
    context_.note(EventKind::store_refused, never.peer, {}, reason);
    peers_.erase(never.peer);
}

Result<OwnState::Finding> OwnState::judge(const NodeId& peer, const SignedBytes& ours) {
    if (signed_ == ours) {
        confirmed_by_.insert(peer);
        return Finding::nothing_new;
    }
    const auto seen = verify_state(context_.id(), context_.config.network, ours);
    if (!seen) return tl::unexpected(seen.error());
    const auto known = starts_.find(seen->start);
    if (known != starts_.end() && seen->number <= known->second) {
        if (seen->start == start_) confirmed_by_.insert(peer);
        return Finding::nothing_new;
    }
    if (seen->number > newest_seen_.number) newest_seen_ = *seen;
    starts_[seen->start] = std::max(starts_[seen->start], seen->number);
    const bool began_after_us =
        seen->start != start_ && (seen->previous == start_ || confirmed_by_.contains(peer));
    if (copied_) return Finding::nothing_new;
    if (!began_after_us) {
        go_on_above(*seen);
        return Finding::old_copy;
    }
    copied_ = true;
    context_.note(EventKind::own_copy_met, peer, {},
                  "another copy of this node has started while this one runs");
    writes_.persist({PutStart{seen->start, seen->previous, seen->number, true}, PutCopied{true}},
                    after_write::Nothing{});
    return Finding::second_copy;
}

void OwnState::go_on_above(const StateStatement& seen) {
    const PutStart heard{seen.start, seen.previous, seen.number, seen.start != start_};
    begin_start(derived_start(), seen.start, std::max(number_, seen.number) + 1);
    restored_ = ever_restored_ = true;
    context_.note(EventKind::own_state_old, {}, {},
                  "others have seen number " + std::to_string(seen.number) + " of this node's state");
    writes_.persist({heard, current(), SetRestored{}}, after_write::StateStored{current()});
}

// ---------------------------------------------------------------- what follows from it

void OwnState::set_restored() {
    restored_ = ever_restored_ = true;
}

void OwnState::clear_restored() {
    if (!std::exchange(restored_, false)) return;
    writes_.persist({ClearRestored{}}, after_write::Nothing{});
    for (const auto& [peer, id] : sessions_.all_established())
        send_to(id, sessions_.at(id));
}

void OwnState::claim() {
    if (std::exchange(copied_, false)) {
        ever_restored_ = true;
        begin_start(derived_start(), newest_seen_.start, std::max(number_, newest_seen_.number) + 1);
        writes_.persist({current(), SetRestored{}, PutCopied{false}}, after_write::StateStored{current()});
        restored_ = true;
    }
    clear_restored();
}

}  // namespace unlearn::protocol
