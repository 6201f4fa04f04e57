#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "protocol/digest.hpp"
#include "protocol/engine.hpp"
#include "protocol/records.hpp"

/// The erasure certificate: what an owner can show about its exit. protocol/certificate.md describes the
/// file.
namespace unlearn::runtime {

/// `progress` must be of an exit that has begun. Times are wall-clock.
[[nodiscard]] nlohmann::json make_certificate(const protocol::NodeId& owner,
                                              const protocol::NetworkId& network,
                                              const protocol::ExitProgress& progress);

/// For a sealed exit, which another node started for `notice`'s owner: the notice alone. Nobody knows who
/// held the owner's seeds. The notice must be one that verifies.
[[nodiscard]] nlohmann::json make_sealed_certificate(const protocol::NetworkId& network,
                                                     const protocol::SignedBytes& notice);

/// The sealed exit itself: a signed notice that waits in a file for the day on which the device is lost.
[[nodiscard]] nlohmann::json make_sealed_exit(const protocol::NetworkId& network,
                                              const protocol::SignedBytes& notice);
/// @return the notice, or malformed or bad_signature when it is not a valid one of this network.
[[nodiscard]] protocol::Result<protocol::SignedBytes> read_sealed_exit(const nlohmann::json& sealed);

/// What a certificate proves, checked offline with nothing but the public keys in it.
struct CertificateVerdict {
    protocol::NodeId owner;
    std::vector<protocol::NodeId> erased;   ///< signed that they stored the exit and erased the seed
    std::vector<protocol::NodeId> left;     ///< signed that they erased the seed because they left themselves
    std::vector<protocol::NodeId> missing;  ///< on record as holders, without a receipt
    bool holders_unknown = false;           ///< a sealed exit: only the notice is proved
    [[nodiscard]] bool complete() const { return missing.empty() && !holders_unknown; }
};

/// The receipt of one entry of a certificate's `holders`. @return malformed or bad_signature when there is
/// none that the holder signed.
[[nodiscard]] protocol::Result<protocol::Receipt> read_receipt(const nlohmann::json& certificate,
                                                               const nlohmann::json& entry);

/// @return malformed or bad_signature, naming the field, when anything in it does not verify or does not fit
/// together.
[[nodiscard]] protocol::Result<CertificateVerdict> verify_certificate(const nlohmann::json& certificate);

}  // namespace unlearn::runtime
