#include "protocol/engine/comparison/exit_digest.hpp"

#include <array>

#include <sodium.h>

namespace unlearn::protocol {

static_assert(kExitBuckets == 64, "occupied and differing buckets are named in 64 bits");

ExitDigest exit_digest(const DigestSalt& salt, const std::vector<ExitedId>& sorted) {
    ExitDigest digest;
    std::array<std::vector<ExitedId>, kExitBuckets> buckets;
    for (const auto& id : sorted)
        buckets[bucket_of(id)].push_back(id);
    for (std::size_t i = 0; i < kExitBuckets; ++i) {
        if (buckets[i].empty()) continue;
        digest.occupied |= std::uint64_t{1} << i;
        crypto_generichash_state state;
        crypto_generichash_init(&state, salt.value.data(), DigestSalt::kSize, BucketHash::kSize);
        for (const auto& id : buckets[i])
            crypto_generichash_update(&state, id.value.data(), ExitedId::kSize);
        crypto_generichash_final(&state, digest.hashes.emplace_back().value.data(), BucketHash::kSize);
    }
    return digest;
}

std::uint64_t differing_buckets(const ExitDigest& a, const ExitDigest& b) {
    std::uint64_t differing = a.occupied ^ b.occupied;
    std::size_t in_a = 0;
    std::size_t in_b = 0;
    for (std::size_t i = 0; i < kExitBuckets; ++i) {
        const std::uint64_t bit = std::uint64_t{1} << i;
        const bool both = (a.occupied & b.occupied & bit) != 0;
        if (both && a.hashes[in_a] != b.hashes[in_b]) differing |= bit;
        if ((a.occupied & bit) != 0) ++in_a;
        if ((b.occupied & bit) != 0) ++in_b;
    }
    return differing;
}

}  // namespace unlearn::protocol
