#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "protocol/durable.hpp"
#include "protocol/identity.hpp"

/// The statements that nodes sign. Each is a msgpack array with an Ed25519 signature over its bytes, valid
/// for one purpose in one network. The bytes are kept and passed on as they came; nobody re-encodes them.
namespace unlearn::protocol {

/// The statement "this is version `version` of my seed". The owner signs it.
struct SeedRecord {
    NodeId owner;
    SeedVersion version{};
    std::string architecture;           ///< the architecture's descriptor, for example "mlp:32"
    std::uint32_t payload_bytes = 0;    ///< 1 to kMaxSeedBytes
    std::uint32_t chunk_bytes = 0;      ///< kMinChunk, twice that or kMaxPayload
    std::vector<Digest> chunk_digests;  ///< one digest for each chunk, in order
    WallTime made_at{};

    [[nodiscard]] std::uint32_t chunk_count() const {
        return static_cast<std::uint32_t>(chunk_digests.size());
    }
    /// The number of bytes in chunk `index`: chunk_bytes, or the rest for the last chunk.
    [[nodiscard]] std::uint32_t chunk_size(std::uint32_t index) const;
};

/// The statement "every holder of version `version` of my seed may use it until `not_after`". The owner signs
/// it and renews it while running. A lease limits how long a node that no exit can reach may use the seed.
struct Lease {
    NodeId owner;
    SeedVersion version{};
    std::uint64_t number = 0;  ///< starts at 1 and only grows, across all versions
    WallTime not_after{};
};

/// The statement "`member` belongs to my network". The network key signs it. It never ends by itself: a
/// member leaves by its exit.
struct Membership {
    NodeId member;
};

/// The statement "I leave this network for good; drop every seed of mine". The owner signs it. It is final.
struct ExitNotice {
    NodeId owner;
    WallTime made_at{};
    /// In a network with a key, this proves to nodes that never heard of the owner that it is a member.
    std::optional<SignedBytes> membership;
};

/// Why a holder has erased the seed of an owner.
enum class ReceiptReason : std::uint8_t {
    exit = 1,  ///< the holder stored the owner's tombstone and erased its seed
    left = 2,  ///< the holder is itself leaving and erased the owner's seed
};

/// The statement "I, `holder`, hold no seed of `owner` any more". The holder
/// signs it, and sends it only once the erasure is durable.
struct Receipt {
    NodeId owner;
    NodeId holder;
    ReceiptReason reason{};
    SeedVersion erased{};  ///< the version that was erased; 0 when none was held
    WallTime made_at{};
    /// The highest version that the holder ever asked the owner for, 0 for none. Receipts of version 1 of the
    /// wire format do not have it.
    std::optional<SeedVersion> asked = std::nullopt;
};

/// What a peer may hold of its owner's seed, and for how long.
struct Recipient {
    SeedVersion version{};   ///< the newest version that it may have
    WallTime lease_until{};  ///< the end of the last lease that it may have
};
/// All peers that an owner ever served, by their ids.
using Recipients = std::map<NodeId, Recipient>;

/// The statement "these are all nodes that I ever served". The owner signs it once, when its exit has begun
/// and nobody can be served any more. The holders themselves are not in it, only what they are checked with.
struct HolderList {
    NodeId owner;
    Digest notice;            ///< of the bytes of the owner's exit notice
    std::uint32_t count = 0;  ///< how many holders there are
    Digest holders;           ///< see digest_of_holders
    /// The owner's state was a copy once, older than what others had seen, so its record may lack holders.
    bool restored = false;
};

/// Returns the digest of the holders in the order of their NodeIds: 32 bytes of the id, the version and the
/// end of the lease in seconds, 8 bytes each, little-endian.
[[nodiscard]] Digest digest_of_holders(const Recipients& holders);

/// The statement "my state has this number". The node signs it at every start and with every exit that it
/// learns of. Neighbours keep the newest one and show it to the node again, which finds out so that its state
/// is an old copy.
struct StateStatement {
    NodeId node;
    std::uint64_t number = 0;  ///< starts at 1 and only grows, across all starts
    StartId start;
    StartId previous;  ///< the start before, or zeros at the first
};

/// Splits `payload` into chunks and describes it. Returns too_large unless the payload has 1 to kMaxSeedBytes
/// bytes and the architecture 1 to kMaxArchitectureText characters.
[[nodiscard]] Result<SeedRecord> describe_seed(const NodeId& owner, SeedVersion version,
                                               std::string architecture, ByteView payload, WallTime made_at);

/// Each encodes the statement and signs it for its purpose in `network`.
[[nodiscard]] SignedBytes sign_record(const Identity& owner, const NetworkId& network,
                                      const SeedRecord& record);
[[nodiscard]] SignedBytes sign_lease(const Identity& owner, const NetworkId& network, const Lease& lease);
[[nodiscard]] SignedBytes sign_membership(const Identity& network_key, const NetworkId& network,
                                          const Membership& membership);
[[nodiscard]] SignedBytes sign_notice(const Identity& owner, const NetworkId& network,
                                      const ExitNotice& notice);
/// Makes a receipt of version 2 of the wire format when `receipt.asked` is given, otherwise one of version 1.
[[nodiscard]] SignedBytes sign_receipt(const Identity& holder, const NetworkId& network,
                                       const Receipt& receipt);
[[nodiscard]] SignedBytes sign_holder_list(const Identity& owner, const NetworkId& network,
                                           const HolderList& list);
[[nodiscard]] SignedBytes sign_state(const Identity& node, const NetworkId& network,
                                     const StateStatement& state);

/// Each checks the signature and decodes the statement. The error is bad_signature when the signature is not
/// that of the given signer, and malformed when the bytes do not decode or name another signer.
[[nodiscard]] Result<SeedRecord> verify_record(const NodeId& signer, const NetworkId& network,
                                               const SignedBytes& signed_record);
[[nodiscard]] Result<Lease> verify_lease(const NodeId& signer, const NetworkId& network,
                                         const SignedBytes& signed_lease);
[[nodiscard]] Result<Membership> verify_membership(const NodeId& network_key, const NetworkId& network,
                                                   const SignedBytes& signed_membership);
/// Takes receipts of both versions.
[[nodiscard]] Result<Receipt> verify_receipt(const NodeId& signer, const NetworkId& network,
                                             const SignedBytes& signed_receipt);
[[nodiscard]] Result<StateStatement> verify_state(const NodeId& signer, const NetworkId& network,
                                                  const SignedBytes& signed_state);
/// As above. Other nodes pass exit notices and lists of holders on, so the signer is the owner that they
/// name.
[[nodiscard]] Result<ExitNotice> verify_notice(const NetworkId& network, const SignedBytes& signed_notice);
[[nodiscard]] Result<HolderList> verify_holder_list(const NetworkId& network, const SignedBytes& signed_list);
/// Returns the owner that a notice names, without a check of the signature. It serves to look up a notice
/// that was verified before.
[[nodiscard]] Result<NodeId> owner_named_in(const SignedBytes& signed_notice);

}  // namespace unlearn::protocol
