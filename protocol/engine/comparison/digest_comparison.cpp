#include "protocol/engine/comparison/digest_comparison.hpp"

#include <algorithm>
#include <iterator>

namespace unlearn::protocol {

std::uint64_t DigestComparison::draw() {
    std::uint64_t z = (random_state_ += 0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

void DigestComparison::begin(SessionId id, Session& session) {
    const auto pause = pause_until_.find(id);
    if (pause != pause_until_.end() && context_.now.steady < pause->second) return;
    Comparison comparison;
    for (std::size_t i = 0; i < DigestSalt::kSize; i += 8) {
        const std::uint64_t word = draw();
        for (std::size_t byte = 0; byte < 8; ++byte)
            comparison.salt.value[i + byte] = static_cast<std::uint8_t>(word >> (8 * byte));
    }
    DigestMessage digest{comparison.salt, exit_digest(comparison.salt, about_.exits.set().ids())};
    running_.insert_or_assign(id, std::move(comparison));
    sessions_.send(id, session, std::move(digest));
}

void DigestComparison::forget(SessionId id) {
    running_.erase(id);
    answered_.erase(id);
    pause_until_.erase(id);
}

// ---------------------------------------------------------------- answering

void DigestComparison::take_digest(SessionId id, Session& session, const DigestMessage& digest) {
    const SteadyTime now = context_.now.steady;
    const auto last = answered_.find(id);
    const auto pause = kCompareAtMostEvery + about_.exits.set().size() * kCompareTimePerExit;
    if (last != answered_.end() && now < last->second.at + pause) {
        ++context_.counters.messages_ignored;
        return;
    }
    Answered& answered = answered_.insert_or_assign(id, Answered{std::nullopt, now}).first->second;
    const auto known = about_.exits.set().ids();
    const auto buckets = differing_buckets(digest.exits, exit_digest(digest.salt, known));
    std::vector<ExitedId> ids;
    std::copy_if(known.begin(), known.end(), std::back_inserter(ids),
                 [&](const ExitedId& exited) { return in_buckets(buckets, exited); });
    // A part of the ids would say that the others are unknown here, so it is all of them or no answer.
    const auto bytes = static_cast<double>(ids.size() * ExitedId::kSize);
    if (!sessions_.allowances_of(session.peer).delta_bytes.take(bytes, now)) {
        ++context_.counters.messages_ignored;
        return;
    }
    answered.salt = digest.salt;
    send_delta(id, session, digest.salt, DeltaPart::known, buckets, ids);
}

void DigestComparison::send_delta(SessionId id, Session& session, const DigestSalt& salt, DeltaPart part,
                                  std::uint64_t buckets, const std::vector<ExitedId>& ids) {
    in_parts(ids, [&](std::vector<ExitedId> some, bool last) {
        sessions_.send(id, session, Delta{salt, part, last, buckets, std::move(some)});
    });
}

void DigestComparison::send_notices(SessionId id, Session& session, std::vector<ExitedId> ids) {
    if (ids.size() > kMaxNoticesPerComparison) ids.resize(kMaxNoticesPerComparison);  // the rest comes later
    auto& allowance = sessions_.allowances_of(session.peer).delta_bytes;
    about_.exits.send_notices(id, session, ids, [&](Kind, std::size_t bytes) {
        return allowance.take(static_cast<double>(bytes), context_.now.steady);
    });
}

// ---------------------------------------------------------------- our own comparisons

void DigestComparison::take_delta(SessionId id, Session& session, const Delta& delta) {
    if (delta.part == DeltaPart::wanted) {
        const auto answered = answered_.find(id);
        if (answered == answered_.end() || answered->second.salt != delta.salt)
            ++context_.counters.messages_ignored;
        else
            send_notices(id, session, delta.ids);
        return;
    }
    const auto running = running_.find(id);
    if (running == running_.end() || running->second.salt != delta.salt) {
        ++context_.counters.messages_ignored;
        return;
    }
    auto& there = running->second.known_there;
    there.insert(there.end(), delta.ids.begin(), delta.ids.end());
    // What fits into one message is little even every kCompareInterval.
    if (there.size() > kMaxDeltaIds) {
        const std::chrono::duration<double> pause{static_cast<double>(there.size() * ExitedId::kSize) /
                                                  kDeltaBytesPerSecond};
        pause_until_[id] = context_.now.steady + std::chrono::duration_cast<std::chrono::milliseconds>(pause);
    }
    if (there.size() > kMaxDeltaIdsKept)
        running_.erase(running);
    else if (delta.last)
        finish(id, session, delta.buckets);
}

void DigestComparison::finish(SessionId id, Session& session, std::uint64_t buckets) {
    auto [salt, there] = std::move(running_.at(id));
    running_.erase(id);
    ++context_.counters.comparisons;
    std::sort(there.begin(), there.end());

    std::vector<ExitedId> only_here;
    for (const auto& exited : about_.exits.set().ids())
        if (in_buckets(buckets, exited) && !std::binary_search(there.begin(), there.end(), exited))
            only_here.push_back(exited);
    // An exit that is here but not durable yet is not asked for again.
    std::vector<ExitedId> only_there;
    std::copy_if(there.begin(), there.end(), std::back_inserter(only_there),
                 [this](const ExitedId& exited) { return !about_.exits.contains(exited); });

    // Known owners come first, because only a limited number of exits of strangers is accepted each day.
    Compared result{session.peer, {only_there.begin(), only_there.end()}, only_there.empty()};
    const auto strangers = std::stable_partition(
        only_there.begin(), only_there.end(),
        [ours = about_.known_owners()](const ExitedId& exited) { return ours.contains(exited); });
    about_.conclude(result);
    // The peer may put some off each time, so that they do not begin with the same ones.
    if (!only_here.empty())
        std::rotate(only_here.begin(),
                    only_here.begin() + static_cast<std::ptrdiff_t>(draw() % only_here.size()),
                    only_here.end());
    send_notices(id, session, only_here);
    const auto known = static_cast<std::size_t>(std::distance(only_there.begin(), strangers));
    const std::size_t strangers_taken =
        std::min(only_there.size() - known, about_.exits.room_for_strangers(session.peer));
    only_there.resize(std::min(kMaxNoticesPerComparison, known + strangers_taken));
    if (only_there.empty()) return;
    send_delta(id, session, salt, DeltaPart::wanted, buckets, only_there);
}

}  // namespace unlearn::protocol
