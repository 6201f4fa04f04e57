#pragma once

#include <vector>

#include "protocol/limits.hpp"
#include "protocol/messages.hpp"

/// Comparing two sets of exited owners without sending them: ids fall into buckets, and one keyed hash stands
/// for each bucket. The key is fresh for every comparison, so that nobody can prepare two sets that look
/// alike.
namespace unlearn::protocol {

[[nodiscard]] inline std::size_t bucket_of(const BurntId& id) {
    return id.value[0] % kExitBuckets;
}

/// BLAKE2b-128 keyed with `salt` over the ids of each bucket, in the order of `sorted`.
[[nodiscard]] ExitDigest exit_digest(const DigestSalt& salt, const std::vector<BurntId>& sorted);

/// Bit i: bucket i differs. The hashes must fit `occupied`.
[[nodiscard]] std::uint64_t differing_buckets(const ExitDigest& a, const ExitDigest& b);

[[nodiscard]] inline bool in_buckets(std::uint64_t buckets, const BurntId& id) {
    return (buckets >> bucket_of(id) & 1U) != 0;
}

}  // namespace unlearn::protocol
