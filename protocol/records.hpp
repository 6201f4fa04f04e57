#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "protocol/durable.hpp"
#include "protocol/identity.hpp"

/// The statements that nodes sign. Each is msgpack bytes with an Ed25519 signature over them, for one purpose
/// in one network. The bytes are kept and passed on as they came: `verify_*` checks the signature first and
/// decodes then.
namespace unlearn::protocol {

using WallTime = std::chrono::sys_seconds;

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

/// "I leave this network for ever; drop every seed of mine." Signed by the owner. Terminal.
struct ExitNotice {
    NodeId owner;
    WallTime made_at{};
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
[[nodiscard]] SignedBytes sign_notice(const Identity& owner, const NetworkId& network,
                                      const ExitNotice& notice);
[[nodiscard]] SignedBytes sign_receipt(const Identity& holder, const NetworkId& network,
                                       const Receipt& receipt);

/// Each returns bad_signature when the signature does not fit `signer`, malformed when the bytes do not
/// decode or name another signer than `signer`.
[[nodiscard]] Result<SeedRecord> verify_record(const NodeId& signer, const NetworkId& network,
                                               const SignedBytes& signed_record);
[[nodiscard]] Result<Receipt> verify_receipt(const NodeId& signer, const NetworkId& network,
                                             const SignedBytes& signed_receipt);
/// An exit notice travels through third parties: the signer is the owner that it names.
[[nodiscard]] Result<ExitNotice> verify_notice(const NetworkId& network, const SignedBytes& signed_notice);

}  // namespace unlearn::protocol
