#pragma once

#include <vector>

#include "protocol/limits.hpp"
#include "protocol/messages.hpp"

/// Compares two sets of exited owners without sending them. The ids fall into buckets, and one keyed
/// hash stands for each bucket. The key is fresh for every comparison, so nobody can prepare two different
/// sets with equal hashes.
namespace unlearn::protocol {

/// Returns the bucket that the id falls into.
[[nodiscard]] inline std::size_t bucket_of(const ExitedId& id) {
    return id.value[0] % kExitBuckets;
}

/// Returns one hash for each bucket that is not empty: BLAKE2b-128, keyed with `salt`, over the ids of the
/// bucket in the order of `sorted`.
[[nodiscard]] ExitDigest exit_digest(const DigestSalt& salt, const std::vector<ExitedId>& sorted);

/// Returns bit i set when bucket i differs. Each digest must have one hash for each bit of `occupied`.
[[nodiscard]] std::uint64_t differing_buckets(const ExitDigest& a, const ExitDigest& b);

/// True when the id falls into one of `buckets`, where bit i stands for bucket i.
[[nodiscard]] inline bool in_buckets(std::uint64_t buckets, const ExitedId& id) {
    return (buckets >> bucket_of(id) & 1U) != 0;
}

}  // namespace unlearn::protocol
