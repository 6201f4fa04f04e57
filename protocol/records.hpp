#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "protocol/durable.hpp"
#include "protocol/identity.hpp"

/// The statements that nodes sign. Each is msgpack bytes with an Ed25519 signature over them, for one purpose
/// in one network. The bytes are kept and passed on as they came: `verify_*` checks the signature first and
/// decodes then.
namespace unlearn::protocol {

/// "This is version `version` of my seed." Signed by the owner.
struct SeedRecord {
    NodeId owner;
    SeedVersion version{};
    std::string architecture;           ///< descriptor of the registry, for example "mlp:32"
    std::uint32_t payload_bytes = 0;    ///< 1 to kMaxSeedBytes
    std::uint32_t chunk_bytes = 0;      ///< kMinChunk, twice that or kMaxPayload
    std::vector<Digest> chunk_digests;  ///< one for each chunk, in order
    WallTime made_at{};

    [[nodiscard]] std::uint32_t chunk_count() const {
        return static_cast<std::uint32_t>(chunk_digests.size());
    }
    /// Bytes of chunk `index`: chunk_bytes, or what is left for the last one.
    [[nodiscard]] std::uint32_t chunk_size(std::uint32_t index) const;
};

/// "Whoever holds version `version` of my seed may use it until `not_after`." Signed by the owner, and
/// renewed while it is there. It bounds how long a node that no exit can reach may still use the seed.
struct Lease {
    NodeId owner;
    SeedVersion version{};
    std::uint64_t number = 0;  ///< only grows, over all versions; starts at 1
    WallTime not_after{};
};

/// "`member` belongs to my network." Signed by the network key. For ever, as leaving is an exit.
struct Membership {
    NodeId member;
};

/// "I leave this network for ever; drop every seed of mine." Signed by the owner. Terminal.
struct ExitNotice {
    NodeId owner;
    WallTime made_at{};
    /// In a network with a key: shows to those who never heard of the owner that there is such a member.
    std::optional<SignedBytes> membership;
};

enum class ReceiptReason : std::uint8_t {
    exit = 1,  ///< the holder stored the owner's tombstone and erased its seed
    left = 2,  ///< the holder is itself leaving and erased the owner's seed
};

/// "I, `holder`, hold no seed of `owner` any more." Signed by the holder, only after the erasure is durable.
struct Receipt {
    NodeId owner;
    NodeId holder;
    ReceiptReason reason{};
    SeedVersion erased{};  ///< the version that was erased; 0 when none was held
    WallTime made_at{};
};

/// Splits `payload` into chunks and describes it. `payload` must hold 1 to kMaxSeedBytes bytes.
[[nodiscard]] Result<SeedRecord> describe_seed(const NodeId& owner, SeedVersion version,
                                               std::string architecture, ByteView payload, WallTime made_at);

[[nodiscard]] SignedBytes sign_record(const Identity& owner, const NetworkId& network,
                                      const SeedRecord& record);
[[nodiscard]] SignedBytes sign_lease(const Identity& owner, const NetworkId& network, const Lease& lease);
[[nodiscard]] SignedBytes sign_membership(const Identity& network_key, const NetworkId& network,
                                          const Membership& membership);
[[nodiscard]] SignedBytes sign_notice(const Identity& owner, const NetworkId& network,
                                      const ExitNotice& notice);
[[nodiscard]] SignedBytes sign_receipt(const Identity& holder, const NetworkId& network,
                                       const Receipt& receipt);

/// Each returns bad_signature when the signature does not fit `signer`, malformed when the bytes do not
/// decode or name another signer than `signer`.
[[nodiscard]] Result<SeedRecord> verify_record(const NodeId& signer, const NetworkId& network,
                                               const SignedBytes& signed_record);
[[nodiscard]] Result<Lease> verify_lease(const NodeId& signer, const NetworkId& network,
                                         const SignedBytes& signed_lease);
[[nodiscard]] Result<Membership> verify_membership(const NodeId& network_key, const NetworkId& network,
                                                   const SignedBytes& signed_membership);
[[nodiscard]] Result<Receipt> verify_receipt(const NodeId& signer, const NetworkId& network,
                                             const SignedBytes& signed_receipt);
/// An exit notice travels through third parties: the signer is the owner that it names.
[[nodiscard]] Result<ExitNotice> verify_notice(const NetworkId& network, const SignedBytes& signed_notice);
/// The owner that a notice names. The signature is not checked: this finds a notice that was verified before.
[[nodiscard]] Result<NodeId> owner_named_in(const SignedBytes& signed_notice);

}  // namespace unlearn::protocol
