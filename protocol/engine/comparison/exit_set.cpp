#include "protocol/engine/comparison/exit_set.hpp"

#include <algorithm>
#include <cassert>

#include <sodium.h>

namespace unlearn::protocol {
namespace {

/// A node of the tree keeps its ids in one piece up to this number. Digests do not depend on it.
constexpr std::size_t kIdsInOnePiece = 64;

using Ids = std::span<const ExitedId>;

template <typename Values>
RangeDigest hash_of(std::uint8_t lead, const Values& values) {
    crypto_generichash_state state;
    crypto_generichash_init(&state, nullptr, 0, RangeDigest::kSize);
    crypto_generichash_update(&state, &lead, 1);
    for (const auto& value : values)
        crypto_generichash_update(&state, value.value.data(), value.value.size());
    RangeDigest out;
    crypto_generichash_final(&state, out.value.data(), RangeDigest::kSize);
    return out;
}

/// Returns those of `ids` whose half-byte at `position` is `digit`. All half-bytes before it are equal.
Ids part_of(Ids ids, std::uint8_t position, std::uint8_t digit) {
    const auto begin = std::partition_point(
        ids.begin(), ids.end(), [&](const ExitedId& id) { return digit_of(id, position) < digit; });
    const auto end = std::partition_point(
        begin, ids.end(), [&](const ExitedId& id) { return digit_of(id, position) == digit; });
    return {begin, end};
}

/// Returns the digest of `ids`, which are all ids of a range with `digits` half-bytes.
RangeDigest digest_of_ids(Ids ids, std::uint8_t digits) {
    if (ids.empty()) return {};
    if (ids.size() <= kMaxListedIds) return hash_of(0, ids);
    std::array<RangeDigest, kRangeParts> parts;
    for (std::uint8_t digit = 0; digit < kRangeParts; ++digit)
        parts[digit] = digest_of_ids(part_of(ids, digits, digit), static_cast<std::uint8_t>(digits + 1));
    return hash_of(1, parts);
}

}  // namespace

RangeFingerprint fingerprint_of(const DigestSalt& salt, const RangeDigest& digest) {
    RangeFingerprint out;
    crypto_generichash(out.value.data(), RangeFingerprint::kSize, digest.value.data(), RangeDigest::kSize,
                       salt.value.data(), DigestSalt::kSize);
    return out;
}

void ExitSet::split(Node& node, std::uint8_t digits) {
    node.parts = std::make_unique<Parts>();
    for (std::uint8_t digit = 0; digit < kRangeParts; ++digit) {
        const Ids ids = part_of(node.ids, digits, digit);
        Node& part = (*node.parts)[digit];
        part.ids.assign(ids.begin(), ids.end());
        part.count = ids.size();
    }
    std::vector<ExitedId>().swap(node.ids);
}

bool ExitSet::insert(const ExitedId& id) {
    if (contains(id)) return false;
    Node* node = &root_;
    for (std::uint8_t digits = 0;; ++digits) {
        ++node->count;
        node->digest.reset();
        // Different ids differ before their end, so a range of all half-bytes never has to be split.
        if (!node->parts && node->ids.size() >= kIdsInOnePiece) split(*node, digits);
        if (!node->parts) break;
        node = &(*node->parts)[digit_of(id, digits)];
    }
    node->ids.insert(std::upper_bound(node->ids.begin(), node->ids.end(), id), id);
    return true;
}

bool ExitSet::contains(const ExitedId& id) const {
    const Node* node = &root_;
    for (std::uint8_t digits = 0; node->parts; ++digits)
        node = &(*node->parts)[digit_of(id, digits)];
    return std::binary_search(node->ids.begin(), node->ids.end(), id);
}

const RangeDigest& ExitSet::digest_of(const Node& node, std::uint8_t digits) {
    if (node.digest) return *node.digest;
    if (!node.parts) return node.digest.emplace(digest_of_ids(node.ids, digits));
    std::array<RangeDigest, kRangeParts> parts;
    for (std::size_t digit = 0; digit < kRangeParts; ++digit)
        parts[digit] = digest_of((*node.parts)[digit], static_cast<std::uint8_t>(digits + 1));
    return node.digest.emplace(hash_of(1, parts));
}

const RangeDigest& ExitSet::digest() const {
    return digest_of(root_, 0);
}

ExitSet::Found ExitSet::find(const IdRange& range) const {
    const Node* node = &root_;
    std::uint8_t digits = 0;
    for (; node->parts && digits < range.digits; ++digits)
        node = &(*node->parts)[digit_of(range.first, digits)];
    if (digits == range.digits) return {node, node->ids};
    const auto begin = std::lower_bound(node->ids.begin(), node->ids.end(), range.first);
    const auto end =
        std::find_if_not(begin, node->ids.end(), [&](const ExitedId& id) { return range.contains(id); });
    return {nullptr, {begin, end}};
}

RangeDigest ExitSet::digest(const IdRange& range) const {
    const auto [node, ids] = find(range);
    return node == nullptr ? digest_of_ids(ids, range.digits) : digest_of(*node, range.digits);
}

RangeAnswer ExitSet::answer(const DigestSalt& salt, const IdRange& range) const {
    const auto [node, ids] = find(range);
    RangeAnswer out;
    if (node == nullptr || !node->parts) {
        if (ids.size() <= kMaxListedIds) {
            out.ids.assign(ids.begin(), ids.end());
            return out;
        }
    }
    assert(range.digits < kIdDigits);
    const auto below = static_cast<std::uint8_t>(range.digits + 1);
    for (std::uint8_t digit = 0; digit < kRangeParts; ++digit) {
        const RangeDigest digest = node != nullptr && node->parts
                                       ? digest_of((*node->parts)[digit], below)
                                       : digest_of_ids(part_of(ids, range.digits, digit), below);
        if (digest == RangeDigest{}) continue;
        out.occupied = static_cast<std::uint16_t>(out.occupied | 1U << digit);
        out.parts.push_back(fingerprint_of(salt, digest));
    }
    return out;
}

void ExitSet::collect(const Node& node, std::vector<ExitedId>& out) {
    out.insert(out.end(), node.ids.begin(), node.ids.end());
    if (!node.parts) return;
    for (const auto& part : *node.parts)
        collect(part, out);
}

std::vector<ExitedId> ExitSet::ids() const {
    std::vector<ExitedId> out;
    out.reserve(size());
    collect(root_, out);
    return out;
}

}  // namespace unlearn::protocol
