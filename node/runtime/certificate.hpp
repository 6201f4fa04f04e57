#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "protocol/digest.hpp"
#include "protocol/engine.hpp"
#include "protocol/records.hpp"

/// The erasure certificate: what an owner can show about its exit. protocol/certificate.md describes the
/// file.
namespace unlearn::runtime {

/// Makes the certificate of an exit. `progress` must belong to an exit that has begun. Times are wall-clock.
[[nodiscard]] nlohmann::json make_certificate(const protocol::NodeId& owner,
                                              const protocol::NetworkId& network,
                                              const protocol::ExitProgress& progress);

/// Makes the certificate of a sealed exit, which another node started for the owner of `notice`. It contains
/// the notice alone, because the holders of the owner's seeds are not known. The notice must verify.
[[nodiscard]] nlohmann::json make_sealed_certificate(const protocol::NetworkId& network,
                                                     const protocol::SignedBytes& notice);

/// Makes the sealed exit itself: a signed notice in a file, kept for the day on which the device is lost.
[[nodiscard]] nlohmann::json make_sealed_exit(const protocol::NetworkId& network,
                                              const protocol::SignedBytes& notice);
/// Reads a sealed exit. @return the notice; malformed or bad_signature when it is not a valid one of the
/// network that the file names.
[[nodiscard]] protocol::Result<protocol::SignedBytes> read_sealed_exit(const nlohmann::json& sealed);

/// What is proved of one holder.
enum class HolderStatus {
    erased,    ///< it signed that it stored the exit and erased the seed
    left,      ///< it signed that it erased the seed because it left itself, and it has left
    doubtful,  ///< it signed, but also that it never asked for the version that it was served
    missing,   ///< nothing
};
/// Returns the name of the status.
[[nodiscard]] std::string_view name_of(HolderStatus status);
/// Returns the status of a recipient in `progress`.
[[nodiscard]] HolderStatus status_of(const protocol::ExitProgress& progress, const protocol::NodeId& holder,
                                     const protocol::NetworkId& network);

/// Who says that no holder is missing in the list.
enum class ListProof {
    none,       ///< nobody: the list may have been changed by anyone
    signed_,    ///< the owner signed it
    on_record,  ///< the owner signed it, and that its state was an old copy once
};

/// What a certificate proves, checked offline with only the public keys in it.
struct CertificateVerdict {
    protocol::NodeId owner;
    protocol::NetworkId network;
    std::vector<protocol::NodeId> erased;
    std::vector<protocol::NodeId> left;
    std::vector<protocol::NodeId> doubtful;
    std::vector<protocol::NodeId> missing;
    bool holders_unknown = false;  ///< a sealed exit: only the notice is proved
    ListProof list_proof = ListProof::none;
    std::optional<protocol::SignedBytes> list;  ///< the owner's statement, if it is there
    [[nodiscard]] bool complete() const {
        return missing.empty() && doubtful.empty() && !holders_unknown && list_proof != ListProof::none;
    }
};

/// True when the two certificates hold two different lists that one owner signed. Then neither of them
/// counts.
[[nodiscard]] bool contradict(const CertificateVerdict& one, const CertificateVerdict& other);

/// Reads the receipt of one entry of a certificate's `holders`. @return malformed or bad_signature when the
/// entry has no receipt that its holder signed.
[[nodiscard]] protocol::Result<protocol::Receipt> read_receipt(const nlohmann::json& certificate,
                                                               const nlohmann::json& entry);

/// Verifies a whole certificate. @return malformed or bad_signature, naming the field, when a part does not
/// verify or the parts contradict each other.
[[nodiscard]] protocol::Result<CertificateVerdict> verify_certificate(const nlohmann::json& certificate);

}  // namespace unlearn::runtime
