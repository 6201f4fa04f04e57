#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "protocol/durable.hpp"
#include "protocol/network_statements.hpp"
#include "protocol/records.hpp"
#include "tests/fuzz/fuzz.hpp"

/// Who plays in the engine's target, what they sign, and what the engine's disk holds.
namespace unlearn::fuzz {

using namespace unlearn::protocol;

inline constexpr std::size_t kNeighbours = 3;
inline constexpr std::size_t kPeers = kNeighbours + 1;
inline constexpr WallTime kBegin{std::chrono::seconds(1000)};

inline Identity identity_of(std::uint8_t number) {
    return Identity::from_seed(digest_of(Bytes{number}).value);
}

inline Bytes payload() {
    return Bytes(100, 7);
}

/// Everybody, and what they have signed before: the same for all inputs, as making keys and signatures costs
/// more than all else.
struct Cast {
    NetworkId network = network_id_of({"fuzz", {1, 2, 2}, {"a", "b"}, "none", {}});
    Identity self = identity_of(1);
    Identity network_key = identity_of(2);
    Identity stranger = identity_of(3);
    std::vector<Identity> peers;

    Cast() {
        for (std::uint8_t i = 0; i < kPeers; ++i)
            peers.push_back(identity_of(static_cast<std::uint8_t>(i + 10)));
    }
    [[nodiscard]] SignedBytes record_of(const Identity& owner, SeedVersion version, WallTime made_at) {
        return signed_once("record " + name_of(owner) + text(version) + text(made_at), [&] {
            const auto record = describe_seed(owner.id(), version, "linear", payload(), made_at);
            require(record.has_value());
            return sign_record(owner, network, *record);
        });
    }
    [[nodiscard]] SignedBytes lease_of(const Identity& owner, SeedVersion version, std::uint64_t number,
                                       WallTime until) {
        return signed_once("lease " + name_of(owner) + text(version) + std::to_string(number) + text(until),
                           [&] {
                               return sign_lease(owner, network, {owner.id(), version, number, until});
                           });
    }
    [[nodiscard]] SignedBytes membership_of(const Identity& member) {
        return signed_once("membership " + name_of(member),
                           [&] { return sign_membership(network_key, network, {member.id()}); });
    }
    [[nodiscard]] SignedBytes revocation_of(const NodeId& member) {
        return signed_once("revocation " + member.text(), [&] {
            return sign_revocation(network_key, network, {network_key.id(), member, 1, kBegin});
        });
    }
    [[nodiscard]] SignedBytes succession_to(const Identity& next) {
        return signed_once("succession " + name_of(next), [&] {
            return sign_succession(network_key, network, {network_key.id(), next.id(), 1, kBegin, kBegin});
        });
    }
    [[nodiscard]] SignedBytes notice_of(const Identity& owner) {
        return signed_once("notice " + name_of(owner), [&] {
            return sign_notice(owner, network, {owner.id(), kBegin, membership_of(owner)});
        });
    }
    [[nodiscard]] SignedBytes receipt_of(const Identity& holder, const Identity& owner,
                                         ReceiptReason reason) {
        return signed_once(
            "receipt " + name_of(holder) + name_of(owner) + std::to_string(static_cast<int>(reason)), [&] {
                return sign_receipt(holder, network,
                                    {owner.id(), holder.id(), reason, SeedVersion{1}, kBegin});
            });
    }

  private:
    template <typename Sign>
    const SignedBytes& signed_once(const std::string& what, Sign&& sign) {
        const auto known = before_.find(what);
        return known != before_.end() ? known->second : before_.emplace(what, sign()).first->second;
    }
    static std::string name_of(const Identity& identity) { return identity.id().text(); }
    static std::string text(SeedVersion version) {
        return " " + std::to_string(static_cast<std::uint64_t>(version)) + " ";
    }
    static std::string text(WallTime time) { return " " + std::to_string(time.time_since_epoch().count()); }

    std::map<std::string, SignedBytes> before_;
};

inline Cast& cast() {
    static Cast everybody;
    return everybody;
}

/// What is durable.
struct Disk {
    std::set<NodeId> tombstones;
    std::set<NodeId> held;
    std::map<NodeId, SeedVersion> recipients;
    std::set<NodeId> receipts;
    std::set<NodeId> left_receipts;
    SeedVersion own_version{};
    bool exiting = false;
    bool retired = false;

    void apply(const StoreOp& op) {
        if (const auto* put = std::get_if<PutTombstone>(&op)) tombstones.insert(put->owner);
        if (const auto* put = std::get_if<PutHeldSeed>(&op)) held.insert(put->owner);
        if (const auto* put = std::get_if<EraseHeldSeed>(&op)) held.erase(put->owner);
        if (const auto* put = std::get_if<PutReceipt>(&op)) receipts.insert(put->holder);
        if (const auto* put = std::get_if<PutLeftReceipt>(&op)) left_receipts.insert(put->owner);
        if (const auto* put = std::get_if<PutOwnSeed>(&op)) own_version = std::max(own_version, put->version);
        if (std::holds_alternative<PutExiting>(op)) exiting = true;
        if (std::holds_alternative<PutRetired>(op)) retired = true;
        if (const auto* put = std::get_if<PutRecipient>(&op)) {
            auto& version = recipients[put->peer];
            version = std::max(version, put->version);
        }
    }
};

}  // namespace unlearn::fuzz
