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

/// Who may connect to one node: the keys on the allow list and, where that is turned on, a few unknown keys
/// for a short while each, in which they may say one hello.
///
/// An unknown key takes a slot with its first connection. `allow` with that key in the list confirms it. A
/// key that is not confirmed in time, or breaks a rule, loses its slot and is refused for twice the time it
/// had. Slots are given back by the node's thread only (`expire`, `refuse`, `allow`), after which it ends the
/// sessions: while that thread is busy, slots stay taken and nobody new gets in.
///
/// Thread-safe: the ZAP thread asks while the node's thread changes.
class AccessList {
  public:
    using Clock = std::chrono::steady_clock;
    using Key = protocol::CurvePublicKey;

    /// Replaces the list. @return the keys that were struck off it.
    std::vector<Key> allow(std::span<const Key> keys);
    /// At most `at_most` unknown keys at a time, each for `for_at_most`; 0 turns it off and ends those that
    /// have a slot.
    void admit_provisionally(std::size_t at_most, std::chrono::milliseconds for_at_most);

    enum class Answer { refused, allowed, provisional };
    /// May `key` connect now? Takes a slot for an unknown key.
    [[nodiscard]] Answer connecting(const Key& key, Clock::time_point now);
    /// Why a message of `key` must not be delivered; nothing when it may. An unknown key's only message is
    /// used up by asking.
    [[nodiscard]] std::optional<std::string> problem_with_message(const Key& key, const Frames& frames,
                                                                  Clock::time_point now);
    [[nodiscard]] bool is_allowed(const Key& key) const;
    /// Listed, or with a slot whose time is not over.
    [[nodiscard]] bool is_known(const Key& key, Clock::time_point now) const;

    /// Takes the slot of an unknown key away; nothing happens to one that is listed or has none.
    void refuse(const Key& key, Clock::time_point now);
    /// Takes the slots away whose time is over.
    void expire(Clock::time_point now);
    /// When the next slot's time is over.
    [[nodiscard]] std::optional<Clock::time_point> next_deadline() const;
    /// How long an unknown key has; nothing while none are admitted.
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
