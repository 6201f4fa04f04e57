#include "node/network/access_list.hpp"

#include <algorithm>
#include <utility>

#include "node/network/limits.hpp"

namespace unlearn::network {

std::vector<AccessList::Key> AccessList::allow(std::span<const Key> keys) {
    const std::lock_guard lock(mutex_);
    const std::set<Key> before = std::exchange(allowed_, {keys.begin(), keys.end()});
    for (const Key& key : allowed_) {
        counters_.confirmed += slots_.erase(key);
        refused_until_.erase(key);
    }
    std::vector<Key> struck_off;
    std::ranges::set_difference(before, allowed_, std::back_inserter(struck_off));
    return struck_off;
}

void AccessList::admit_provisionally(std::size_t at_most, std::chrono::milliseconds for_at_most) {
    const std::lock_guard lock(mutex_);
    const bool on = at_most > 0 && for_at_most.count() > 0;
    at_most_ = on ? at_most : 0;
    for_at_most_ = on ? for_at_most : std::chrono::milliseconds{0};
    if (on) return;
    counters_.expired += slots_.size();
    slots_.clear();
    refused_until_.clear();
}

AccessList::Answer AccessList::connecting(const Key& key, Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    if (allowed_.contains(key)) return Answer::allowed;
    if (at_most_ == 0 || is_refused(key, now)) return Answer::refused;
    if (const auto known = slots_.find(key); known != slots_.end()) {
        Slot& slot = known->second;
        if (slot.deadline <= now || slot.connections >= kMaxProvisionalConnections) return Answer::refused;
        ++slot.connections;
        return Answer::provisional;
    }
    if (slots_.size() >= at_most_) {
        ++counters_.refused_full;
        return Answer::refused;
    }
    slots_.emplace(key, Slot{now + for_at_most_, 1, false});
    ++counters_.admitted;
    return Answer::provisional;
}

std::optional<std::string> AccessList::problem_with_message(const Key& key, const Frames& frames,
                                                            Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    if (allowed_.contains(key)) return std::nullopt;
    const auto found = slots_.find(key);
    if (found == slots_.end() || found->second.deadline <= now) return "key is not on the allow list";
    if (std::exchange(found->second.has_spoken, true)) return "second message of an unknown key";
    if (frames.size() > 2 || (frames.size() == 2 && frames[1].size() > protocol::kMaxHelloBody))
        return "first message of an unknown key is longer than a hello";
    return std::nullopt;
}

bool AccessList::is_allowed(const Key& key) const {
    const std::lock_guard lock(mutex_);
    return allowed_.contains(key);
}

bool AccessList::is_known(const Key& key, Clock::time_point now) const {
    const std::lock_guard lock(mutex_);
    const auto slot = slots_.find(key);
    return allowed_.contains(key) || (slot != slots_.end() && slot->second.deadline > now);
}

void AccessList::refuse(const Key& key, Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    const auto slot = slots_.find(key);
    if (slot == slots_.end()) return;
    ++counters_.broke_rules;
    take_slot_away(slot, now);
}

void AccessList::expire(Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    for (auto it = slots_.begin(); it != slots_.end();) {
        const auto slot = it++;
        if (slot->second.deadline > now) continue;
        ++counters_.expired;
        take_slot_away(slot, now);
    }
}

std::optional<AccessList::Clock::time_point> AccessList::next_deadline() const {
    const std::lock_guard lock(mutex_);
    std::optional<Clock::time_point> next;
    for (const auto& [key, slot] : slots_)
        next = next ? std::min(*next, slot.deadline) : slot.deadline;
    return next;
}

std::optional<std::chrono::milliseconds> AccessList::provisional_time() const {
    const std::lock_guard lock(mutex_);
    return at_most_ > 0 ? std::optional(for_at_most_) : std::nullopt;
}

ProvisionalCounters AccessList::counters() const {
    const std::lock_guard lock(mutex_);
    return counters_;
}

void AccessList::take_slot_away(std::map<Key, Slot>::iterator slot, Clock::time_point now) {
    if (refused_until_.size() >= kMaxRefusedKeys)
        std::erase_if(refused_until_, [now](const auto& entry) { return entry.second <= now; });
    // Forgetting one key early gains nothing for a peer that has so many keys.
    if (refused_until_.size() >= kMaxRefusedKeys)
        refused_until_.erase(
            std::ranges::min_element(refused_until_, {}, &std::pair<const Key, Clock::time_point>::second));
    refused_until_[slot->first] = now + 2 * for_at_most_;
    slots_.erase(slot);
}

bool AccessList::is_refused(const Key& key, Clock::time_point now) {
    const auto found = refused_until_.find(key);
    if (found == refused_until_.end()) return false;
    if (found->second > now) return true;
    refused_until_.erase(found);
    return false;
}

}  // namespace unlearn::network
