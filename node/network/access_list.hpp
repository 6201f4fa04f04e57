#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "node/network/frames.hpp"
#include "node/network/traffic.hpp"
#include "protocol/identity.hpp"

namespace unlearn::network {

/// Decides who may connect to one node: the keys on the allow list and, when provisional admission is on, a
/// few unknown keys for a short time each. In that time an unknown key may send one Hello.
///
/// An unknown key takes a slot with its first connection. Calling `allow` with a list that contains the key
/// confirms it. A key that breaks a rule or is not confirmed in time loses its slot and is refused for twice
/// the time it had. Only the node's thread frees slots (`expire`, `refuse`, `allow`): while that thread is
/// busy, slots stay taken and no new key gets in.
///
/// Thread-safe: the ZAP thread asks while the node's thread makes changes.
class AccessList {
  public:
    using Clock = std::chrono::steady_clock;
    using Key = protocol::CurvePublicKey;

    /// Replaces the allow list. @return the keys that were removed from it.
    std::vector<Key> allow(std::span<const Key> keys);
    /// Admits at most `at_most` unknown keys at a time, each for `for_at_most`. 0 turns this off and frees
    /// all slots.
    void admit_provisionally(std::size_t at_most, std::chrono::milliseconds for_at_most);

    enum class Answer { refused, allowed, provisional };
    /// Decides whether `key` may connect now. Takes a slot for an unknown key.
    [[nodiscard]] Answer connecting(const Key& key, Clock::time_point now);
    /// Returns why a message of `key` must not be delivered; nothing when it may be delivered. An unknown key
    /// may send only one message, and this call uses it up.
    [[nodiscard]] std::optional<std::string> problem_with_message(const Key& key, const Frames& frames,
                                                                  Clock::time_point now);
    [[nodiscard]] bool is_allowed(const Key& key) const;
    /// Returns true when the key is listed or has a slot that has not expired.
    [[nodiscard]] bool is_known(const Key& key, Clock::time_point now) const;

    /// Takes the slot of an unknown key away. Does nothing to a key that is listed or has no slot.
    void refuse(const Key& key, Clock::time_point now);
    /// Takes away the slots whose time is over.
    void expire(Clock::time_point now);
    /// Returns when the next slot expires; nothing when no slot is taken.
    [[nodiscard]] std::optional<Clock::time_point> next_deadline() const;
    /// Returns how long an unknown key may stay; nothing when unknown keys are not admitted.
    [[nodiscard]] std::optional<std::chrono::milliseconds> provisional_time() const;
    [[nodiscard]] ProvisionalCounters counters() const;

  private:
    struct Slot {
        Clock::time_point deadline;
        std::size_t connections = 0;
        bool has_spoken = false;
    };
    void take_slot_away(std::map<Key, Slot>::iterator slot, Clock::time_point now);
    [[nodiscard]] bool is_refused(const Key& key, Clock::time_point now);

    mutable std::mutex mutex_;
    std::set<Key> allowed_;
    std::size_t at_most_ = 0;
    std::chrono::milliseconds for_at_most_{0};
    std::map<Key, Slot> slots_;
    std::map<Key, Clock::time_point> refused_until_;
    ProvisionalCounters counters_;
};

}  // namespace unlearn::network
