#pragma once

#include <optional>
#include <string_view>

#include "protocol/durable.hpp"

/// The one gate, which decides whether a seed may be used. It is asked at every point below. A seed that was
/// admitted at one point may be forbidden at the next, because its owner can leave in between.
namespace unlearn::protocol {

/// The points on the way of a seed at which the gate is asked.
enum class AdmissionPoint { announce, fetch, chunk, install, load, rebuild };

/// The answer of the gate: `admitted`, or the reason why not.
enum class Admission {
    admitted,
    own_seed,
    owner_exited,
    expelled,
    we_are_exiting,
    not_newer,
    refused_before,
    too_many_exits,
    removed,
    exits_only,
    no_membership,
    no_place,
    too_large,
    unvouched,
    copied,
    lease_ended,
    held_aside,
};

/// What the answer depends on: the owner's own statements and ours, never another peer's seed.
struct AdmissionFacts {
    bool owner_is_self = false;
    bool owner_exited = false;    ///< a tombstone is known, durable or not
    bool owner_expelled = false;  ///< a revocation is known, durable or not
    bool we_are_exiting = false;
    std::optional<SeedVersion> held;     ///< the version of the owner's seed that is in place
    std::optional<SeedVersion> refused;  ///< the newest version of the owner's seed that was judged unusable
    SeedVersion offered{};
    bool too_many_exits = false;  ///< there is no room to remember the exits of more owners
    bool removed = false;         ///< we exchange nothing with the owner any more
    bool too_large = false;       ///< the offered seed does not fit into its owner's share
    /// Why the owner has no place among those that exchange seeds with us, or `admitted`.
    Admission no_seeds = Admission::admitted;
    // These keep a seed that is in place out of use for a while.
    bool unvouched = false;    ///< no neighbour but its owner has told us yet that the owner has not left
    bool copied = false;       ///< a second copy of this node runs, and the operator has not decided yet
    bool lease_ended = false;  ///< the lease has ended, or none came
    bool held_aside = false;   ///< the seed was judged to do harm
};

/// Returns a line of text for an answer.
[[nodiscard]] std::string_view describe(Admission admission);

/// Decides whether the owner's seed of version `facts.offered` may pass `point`.
[[nodiscard]] Admission admit(const AdmissionFacts& facts, AdmissionPoint point);

}  // namespace unlearn::protocol
