#pragma once

#include <optional>
#include <string_view>

#include "protocol/durable.hpp"

/// The one gate: may this seed be used? Asked at every point below, because a seed that was fine at one of
/// them may be forbidden at the next: its owner can leave in between.
namespace unlearn::protocol {

enum class AdmissionPoint { announce, fetch, chunk, install, load, rebuild };

/// What the answer depends on. It depends on the owner's own statements and ours, never on another peer's
/// seed.
struct AdmissionFacts {
    bool owner_is_self = false;
    bool owner_exited = false;  ///< a tombstone is known, stored or not yet
    bool we_are_exiting = false;
    std::optional<SeedVersion> held;     ///< the version of this owner in use
    std::optional<SeedVersion> refused;  ///< the newest version of this owner that was judged unusable
    SeedVersion offered{};
    bool too_many_exits = false;  ///< no room to remember the exits of more owners
    bool removed = false;         ///< we exchange nothing with the owner any more
    // What keeps a seed that is in place out of use for a while.
    bool quarantined = false;  ///< loaded from disk, and its owner may have left since
    bool restored = false;     ///< we are a backup, and may have signed a receipt for the owner's exit since
    bool lease_ended = false;  ///< or never came
    bool held_aside = false;   ///< judged to do harm
};

enum class Admission {
    admitted,
    own_seed,
    owner_exited,
    we_are_exiting,
    not_newer,
    refused_before,
    too_many_exits,
    removed,
    quarantined,
    restored,
    lease_ended,
    held_aside,
};
[[nodiscard]] std::string_view describe(Admission admission);

[[nodiscard]] Admission admit(const AdmissionFacts& facts, AdmissionPoint point);

}  // namespace unlearn::protocol
