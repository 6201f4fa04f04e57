#include "protocol/engine/exit_comparison.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace unlearn::protocol {

std::vector<BurntId> ExitComparison::burnt_ids() const {
    std::vector<BurntId> ids = others_.durable();
    if (own_exit_.announced_notice() != nullptr) {
        const BurntId own{context_.id().bytes()};
        ids.insert(std::upper_bound(ids.begin(), ids.end(), own), own);
    }
    return ids;
}

std::uint64_t ExitComparison::draw() {
    // splitmix64 (Steele, Lea, Flood 2014), for salts and for choices that need not be secret.
    std::uint64_t z = (random_state_ += 0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

void ExitComparison::begin(SessionId id, Session& session) {
    Comparison comparison;
    for (std::size_t i = 0; i < DigestSalt::kSize; i += 8) {
        const std::uint64_t word = draw();
        for (std::size_t byte = 0; byte < 8; ++byte)
            comparison.salt.value[i + byte] = static_cast<std::uint8_t>(word >> (8 * byte));
    }
    DigestMessage digest{comparison.salt, exit_digest(comparison.salt, burnt_ids())};
    running_.insert_or_assign(id, std::move(comparison));
    sessions_.send(id, session, std::move(digest));
}

void ExitComparison::tick() {
    const auto& established = sessions_.all_established();
    if (context_.now.steady < next_comparison_ || established.empty()) return;
    next_comparison_ = context_.now.steady + context_.config.pace.compare_every;
    const auto chosen =
        std::next(established.begin(), static_cast<std::ptrdiff_t>(draw() % established.size()));
    begin(chosen->second, sessions_.at(chosen->second));
}

void ExitComparison::forget(SessionId id) {
    running_.erase(id);
    answered_.erase(id);
}

// ---------------------------------------------------------------- answering

void ExitComparison::take_digest(SessionId id, Session& session, const DigestMessage& digest) {
    const auto last = answered_.find(id);
    if (last != answered_.end() && context_.now.steady < last->second.at + kCompareAtMostEvery) {
        ++context_.counters.messages_ignored;
        return;
    }
    answered_.insert_or_assign(id, Answered{digest.salt, context_.now.steady});
    const auto known = burnt_ids();
    const auto buckets = differing_buckets(digest.exits, exit_digest(digest.salt, known));
    std::vector<BurntId> ids;
    std::copy_if(known.begin(), known.end(), std::back_inserter(ids),
                 [&](const BurntId& burnt) { return in_buckets(buckets, burnt); });
    send_delta(id, session, digest.salt, DeltaPart::known, buckets, ids);
}

void ExitComparison::send_delta(SessionId id, Session& session, const DigestSalt& salt, DeltaPart part,
                                std::uint64_t buckets, const std::vector<BurntId>& ids) {
    for (std::size_t at = 0;;) {
        const std::size_t count = std::min(kMaxDeltaIds, ids.size() - at);
        const auto first = ids.begin() + static_cast<std::ptrdiff_t>(at);
        at += count;
        Delta delta{
            salt, part, at == ids.size(), buckets, {first, first + static_cast<std::ptrdiff_t>(count)}};
        const bool last = delta.last;
        sessions_.send(id, session, std::move(delta));
        if (last) return;
    }
}

void ExitComparison::send_notices(SessionId id, Session& session, std::vector<BurntId> ids) {
    if (ids.size() > kMaxNoticesPerComparison) ids.resize(kMaxNoticesPerComparison);  // the rest comes later
    std::sort(ids.begin(), ids.end());
    const auto* own = own_exit_.announced_notice();
    if (own != nullptr && std::binary_search(ids.begin(), ids.end(), BurntId{context_.id().bytes()}))
        sessions_.send(id, session, Exit{*own});
    for (auto& notice : others_.notices_of(ids))
        sessions_.send(id, session, Exit{std::move(notice)});
    for (auto& list : others_.lists_of(ids))
        sessions_.send_if_known(id, session, Holders{std::move(list)});
}

// ---------------------------------------------------------------- our own comparisons

Result<void> ExitComparison::take_delta(SessionId id, Session& session, const Delta& delta) {
    if (delta.part == DeltaPart::wanted) {
        const auto answered = answered_.find(id);
        if (answered == answered_.end() || answered->second.salt != delta.salt)
            ++context_.counters.messages_ignored;
        else
            send_notices(id, session, delta.ids);
        return {};
    }
    const auto running = running_.find(id);
    if (running == running_.end() || running->second.salt != delta.salt) {
        ++context_.counters.messages_ignored;
        return {};
    }
    auto& there = running->second.known_there;
    if (there.size() + delta.ids.size() > kMaxTombstones)
        return fail(ErrorCode::too_much, "delta: more ids than anybody keeps");
    there.insert(there.end(), delta.ids.begin(), delta.ids.end());
    if (delta.last) finish(id, session, delta.buckets);
    return {};
}

void ExitComparison::finish(SessionId id, Session& session, std::uint64_t buckets) {
    auto [salt, there] = std::move(running_.at(id));
    running_.erase(id);
    ++context_.counters.comparisons;
    std::sort(there.begin(), there.end());

    std::vector<BurntId> here;
    for (const auto& burnt : burnt_ids())
        if (in_buckets(buckets, burnt)) here.push_back(burnt);
    std::vector<BurntId> only_here;
    std::set_difference(here.begin(), here.end(), there.begin(), there.end(), std::back_inserter(only_here));
    // An exit that is here but not durable yet is not asked for again.
    const auto not_durable = others_.not_durable();
    here.insert(here.end(), not_durable.begin(), not_durable.end());
    std::sort(here.begin(), here.end());
    std::vector<BurntId> only_there;
    std::set_difference(there.begin(), there.end(), here.begin(), here.end(), std::back_inserter(only_there));

    // Known owners come first, because only a limited number of exits of strangers is accepted each day.
    const auto strangers =
        std::stable_partition(only_there.begin(), only_there.end(),
                              [ours = known_owners()](const BurntId& burnt) { return ours.contains(burnt); });
    note_voucher(session, {{only_there.begin(), strangers}, only_there.empty()});
    send_notices(id, session, only_here);
    if (only_there.empty()) return;
    if (only_there.size() > kMaxNoticesPerComparison) only_there.resize(kMaxNoticesPerComparison);
    send_delta(id, session, salt, DeltaPart::wanted, buckets, only_there);
}

// ---------------------------------------------------------------- after a restore

/// We began the comparison, so its answer cannot be a replay. A neighbour whose own state is an old copy may
/// have missed what we have missed. Nodes of version 1 do not say so and are believed.
void ExitComparison::note_voucher(const Session& session, Voucher voucher) {
    if (settled_) return;
    const bool counts = session.version < 2 || (session.state_heard && !session.restored);
    if (!counts && !waited_long_enough()) return;
    const bool suffices = voucher.knows_nothing_else && suffices_alone(session.peer);
    vouchers_.insert_or_assign(session.peer, std::move(voucher));
    const auto complete = std::count_if(vouchers_.begin(), vouchers_.end(),
                                        [](const auto& known) { return known.second.knows_nothing_else; });
    if (complete >= 2 || suffices) settle();
    held_.refresh_all();
}

void ExitComparison::settle() {
    settled_ = true;
    vouchers_.clear();
    own_state_.clear_restored();
}

void ExitComparison::doubt() {
    settled_ = false;
    started_at_ = context_.now.steady;
    vouchers_.clear();
    for (const auto& [peer, id] : sessions_.all_established())
        begin(id, sessions_.at(id));
}

void ExitComparison::compare_again() {
    if (vouchers_.empty()) return;
    vouchers_.clear();
    for (const auto& [peer, id] : sessions_.all_established())
        begin(id, sessions_.at(id));
}

/// An owner may hide its own exit, so another neighbour has to vouch for it.
bool ExitComparison::is_vouched_for(const NodeId& owner) const {
    return std::any_of(vouchers_.begin(), vouchers_.end(), [&](const auto& voucher) {
        return !voucher.second.left.contains(BurntId{owner.bytes()}) &&
               (voucher.first != owner || suffices_alone(owner));
    });
}

/// Without another neighbour, the owner's own word must do. It must also do after the time of a lease, so
/// that a neighbour that has vanished does not keep the seeds of others out of use forever.
bool ExitComparison::suffices_alone(const NodeId& peer) const {
    return !others_.has_neighbour_besides(peer) || waited_long_enough();
}

bool ExitComparison::waited_long_enough() const {
    return context_.now.steady >= started_at_ + context_.config.lease_time;
}

std::set<BurntId> ExitComparison::known_owners() const {
    std::set<BurntId> owners;
    for (const auto& [id, peer] : peers_.all())
        owners.insert(BurntId{id.bytes()});
    for (const auto& [id, recipient] : own_seed_.recipients())
        owners.insert(BurntId{id.bytes()});
    for (const NodeId& owner : erasures_.all_on_disk())
        owners.insert(BurntId{owner.bytes()});
    return owners;
}

bool ExitComparison::is_known_owner(const NodeId& owner) const {
    return peers_.find(owner) != nullptr || own_seed_.recipients().contains(owner) ||
           erasures_.may_be_on_disk(owner);
}

}  // namespace unlearn::protocol
