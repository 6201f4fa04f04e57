#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "protocol/limits.hpp"
#include "protocol/messages.hpp"

namespace unlearn::protocol {

/// The hash over all ids of a range. It depends on the ids alone, and two different sets have different
/// hashes, because BLAKE2b-256 withstands collisions: nobody can choose ids so that a difference goes unseen.
using RangeDigest = FixedBytes<32, struct RangeDigestTag>;

/// Returns what stands for a range in messages: BLAKE2b-128 of its digest, keyed with `salt`. The key is
/// unknown to whoever chose the ids, so the short hash withstands collisions, too.
[[nodiscard]] RangeFingerprint fingerprint_of(const DigestSalt& salt, const RangeDigest& digest);

/// The ids of owners that have left, in order, with a digest for each range. An insertion costs a few hashes,
/// and so does a question about a range, whatever the number of ids.
///
/// The digest of a range without ids is 32 zero bytes; with up to kMaxListedIds ids, BLAKE2b-256(0, ids in
/// rising order); with more, BLAKE2b-256(1, digests of its 16 parts).
class ExitSet {
  public:
    ExitSet() = default;
    ExitSet(const ExitSet&) = delete;
    ExitSet& operator=(const ExitSet&) = delete;
    ExitSet(ExitSet&&) noexcept = default;
    ExitSet& operator=(ExitSet&&) noexcept = default;
    ~ExitSet() = default;

    /// @return false when the id is here already
    bool insert(const ExitedId& id);
    [[nodiscard]] bool contains(const ExitedId& id) const;
    [[nodiscard]] std::size_t size() const { return root_.count; }
    /// The digest of all ids.
    [[nodiscard]] const RangeDigest& digest() const;
    /// The digest of the ids in the range.
    [[nodiscard]] RangeDigest digest(const IdRange& range) const;
    /// The ids in the range, when there are at most kMaxListedIds, and otherwise the fingerprints of its
    /// parts.
    [[nodiscard]] RangeAnswer answer(const DigestSalt& salt, const IdRange& range) const;
    /// All ids, in rising order.
    [[nodiscard]] std::vector<ExitedId> ids() const;

  private:
    struct Node;
    using Parts = std::array<Node, kRangeParts>;
    /// One range. A range with more than a few ids has its parts instead of ids.
    struct Node {
        std::size_t count = 0;
        std::vector<ExitedId> ids;     ///< in rising order
        std::unique_ptr<Parts> parts;  ///< or nullptr
        mutable std::optional<RangeDigest> digest;
    };
    /// A node, or some ids of one.
    struct Found {
        const Node* node = nullptr;
        std::span<const ExitedId> ids;
    };

    static void split(Node& node, std::uint8_t digits);
    static const RangeDigest& digest_of(const Node& node, std::uint8_t digits);
    static void collect(const Node& node, std::vector<ExitedId>& out);
    [[nodiscard]] Found find(const IdRange& range) const;

    Node root_;
};

}  // namespace unlearn::protocol
