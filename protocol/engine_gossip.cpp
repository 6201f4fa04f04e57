#include <algorithm>

#include "protocol/engine.hpp"
#include "protocol/exit_digest.hpp"

namespace unlearn::protocol {

std::vector<BurntId> Engine::burnt_ids() const {
    std::vector<BurntId> ids;
    for (const auto& [owner, exit] : exits_)
        if (exit.tombstone_durable) ids.push_back(BurntId{owner.bytes()});
    if (own_exit_ && own_exit_->stage == OwnExitStage::announced) {
        const BurntId own{id().bytes()};
        ids.insert(std::upper_bound(ids.begin(), ids.end(), own), own);
    }
    return ids;
}

void Engine::begin_comparison(SessionId session_id, Session& session) {
    Comparison comparison;
    for (std::size_t i = 0; i < DigestSalt::kSize; i += 8) {
        const std::uint64_t word = draw();
        for (std::size_t byte = 0; byte < 8; ++byte)
            comparison.salt.value[i + byte] = static_cast<std::uint8_t>(word >> (8 * byte));
    }
    DigestMessage digest{comparison.salt, exit_digest(comparison.salt, burnt_ids())};
    session.comparison = std::move(comparison);
    send(session_id, session, std::move(digest));
}

void Engine::tick_comparisons() {
    if (now_.steady < next_comparison_ || session_of_.empty()) return;
    next_comparison_ = now_.steady + config_.pace.compare_every;
    const auto chosen =
        std::next(session_of_.begin(), static_cast<std::ptrdiff_t>(draw() % session_of_.size()));
    begin_comparison(chosen->second, sessions_.at(chosen->second));
}

void Engine::handle_digest(SessionId session_id, Session& session, const DigestMessage& digest) {
    if (session.last_answer && now_.steady < *session.last_answer + kCompareAtMostEvery) {
        ++counters_.messages_ignored;
        return;
    }
    session.last_answer = now_.steady;
    session.answered = digest.salt;
    const auto known = burnt_ids();
    const auto buckets = differing_buckets(digest.exits, exit_digest(digest.salt, known));
    std::vector<BurntId> ids;
    std::copy_if(known.begin(), known.end(), std::back_inserter(ids),
                 [&](const BurntId& burnt) { return in_buckets(buckets, burnt); });
    send_delta(session_id, session, digest.salt, DeltaPart::known, buckets, ids);
    // Equal: we have missed nothing that this neighbour knows either.
    if (buckets == 0) clear_quarantine({});
}

void Engine::send_delta(SessionId session_id, Session& session, const DigestSalt& salt, DeltaPart part,
                        std::uint64_t buckets, const std::vector<BurntId>& ids) {
    for (std::size_t at = 0;;) {
        const std::size_t count = std::min(kMaxDeltaIds, ids.size() - at);
        const auto first = ids.begin() + static_cast<std::ptrdiff_t>(at);
        at += count;
        Delta delta{
            salt, part, at == ids.size(), buckets, {first, first + static_cast<std::ptrdiff_t>(count)}};
        const bool last = delta.last;
        send(session_id, session, std::move(delta));
        if (last) return;
    }
}

void Engine::handle_delta(SessionId session_id, Session& session, const Delta& delta) {
    if (delta.part == DeltaPart::wanted) {
        if (session.answered != delta.salt) {
            ++counters_.messages_ignored;
            return;
        }
        return send_notices(session_id, session, delta.ids);
    }
    if (!session.comparison || session.comparison->salt != delta.salt) {
        ++counters_.messages_ignored;
        return;
    }
    auto& there = session.comparison->known_there;
    if (there.size() + delta.ids.size() > kMaxTombstones)
        return drop_peer(session_id, session.key,
                         Error{ErrorCode::too_much, "delta: more ids than anybody keeps"});
    there.insert(there.end(), delta.ids.begin(), delta.ids.end());
    if (delta.last) finish_comparison(session_id, session, delta.buckets);
}

void Engine::finish_comparison(SessionId session_id, Session& session, std::uint64_t buckets) {
    auto there = std::move(session.comparison->known_there);
    const DigestSalt salt = session.comparison->salt;
    session.comparison.reset();
    ++counters_.comparisons;
    std::sort(there.begin(), there.end());

    std::vector<BurntId> here;
    for (const auto& burnt : burnt_ids())
        if (in_buckets(buckets, burnt)) here.push_back(burnt);
    std::vector<BurntId> only_here;
    std::set_difference(here.begin(), here.end(), there.begin(), there.end(), std::back_inserter(only_here));
    // What is here but not durable yet is not asked for again.
    for (const auto& [owner, exit] : exits_)
        if (!exit.tombstone_durable) here.push_back(BurntId{owner.bytes()});
    std::sort(here.begin(), here.end());
    std::vector<BurntId> only_there;
    std::set_difference(there.begin(), there.end(), here.begin(), here.end(), std::back_inserter(only_there));

    clear_quarantine({only_there.begin(), only_there.end()});
    // Whom we know comes first: of the exits of strangers only so many are taken in a day.
    const auto strangers =
        std::stable_partition(only_there.begin(), only_there.end(),
                              [ours = known_owners()](const BurntId& burnt) { return ours.contains(burnt); });
    if (strangers == only_there.begin()) compared_with(session.peer, only_there.empty());
    send_notices(session_id, session, only_here);
    if (only_there.empty()) return;
    if (only_there.size() > kMaxNoticesPerComparison) only_there.resize(kMaxNoticesPerComparison);
    send_delta(session_id, session, salt, DeltaPart::wanted, buckets, only_there);
}

/// Of all exits that `peer` knows, those that are unknown here are of strangers, who can have no seed here;
/// or there are none (`all`). The comparison was ours: its answer cannot be a replay.
void Engine::compared_with(const NodeId& peer, bool all) {
    if (!restored_) return;
    vouchers_[peer] |= all;
    const auto of_all =
        std::count_if(vouchers_.begin(), vouchers_.end(), [](const auto& voucher) { return voucher.second; });
    if (of_all >= 2 || (all && will_do_alone(peer))) {
        restored_ = false;
        vouchers_.clear();
        persist({ClearRestored{}}, ThenNothing{});
    }
    for (auto& [owner, held] : held_)
        refresh_use(owner, held);
}

/// Somebody is no stranger any more, and its exit may be among those that vouchers know and that were left
/// out.
void Engine::doubt_vouchers() {
    if (vouchers_.empty()) return;
    vouchers_.clear();
    for (const auto& [peer, session_id] : session_of_)
        begin_comparison(session_id, sessions_.at(session_id));
}

/// What an owner does not say about itself, another neighbour may.
bool Engine::is_vouched_for(const NodeId& owner) const {
    return std::any_of(vouchers_.begin(), vouchers_.end(),
                       [&](const auto& voucher) { return voucher.first != owner || will_do_alone(owner); });
}

/// Where there is no other neighbour, the owner must do. One that has vanished must not keep the seeds of the
/// others out of use for ever, either.
bool Engine::will_do_alone(const NodeId& peer) const {
    return !has_other_neighbour(peer) || now_.steady >= started_at_ + config_.lease_time;
}

bool Engine::has_other_neighbour(const NodeId& peer) const {
    return std::any_of(peers_.begin(), peers_.end(), [&](const auto& known) {
        return known.first != peer && !known.second.former && !exits_.contains(known.first);
    });
}

void Engine::send_notices(SessionId session_id, Session& session, std::vector<BurntId> ids) {
    if (ids.size() > kMaxNoticesPerComparison) ids.resize(kMaxNoticesPerComparison);  // the next one goes on
    std::sort(ids.begin(), ids.end());
    if (own_exit_ && own_exit_->stage == OwnExitStage::announced &&
        std::binary_search(ids.begin(), ids.end(), BurntId{id().bytes()}))
        send(session_id, session, Exit{own_exit_->notice});
    // Both are sorted: one walk.
    auto wanted = ids.begin();
    for (auto it = exits_.begin(); it != exits_.end() && wanted != ids.end(); ++it) {
        while (wanted != ids.end() && wanted->value < it->first.bytes())
            ++wanted;
        if (wanted != ids.end() && wanted->value == it->first.bytes() && it->second.tombstone_durable)
            send(session_id, session, Exit{it->second.notice});
    }
}

}  // namespace unlearn::protocol
