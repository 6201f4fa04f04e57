#include "node/runtime/certificate.hpp"

#include <algorithm>
#include <set>

#include "protocol/records.hpp"

namespace unlearn::runtime {
namespace {

using namespace unlearn::protocol;
using nlohmann::json;

constexpr std::string_view kSchema = "unlearnd erasure certificate 1";
constexpr std::string_view kLimits =
    "Proves that every holder listed as erased or left signed that it dropped, overwrote and will never use "
    "this "
    "owner's seed again; it cannot prove that no dishonest holder kept a copy.";

json statement(const SignedBytes& value) {
    return {{"bytes", to_hex(value.bytes)}, {"signature", to_hex(value.signature.view())}};
}

Error malformed(std::string detail) {
    return Error{ErrorCode::malformed, "certificate: " + std::move(detail)};
}

template <typename T>
Result<T> fixed_from_hex(const json& text) {
    auto bytes = from_hex(text.get<std::string>());
    if (!bytes) return tl::unexpected(bytes.error());
    return T::from(*bytes);
}

Result<SignedBytes> read_statement(const json& value) {
    auto bytes = from_hex(value.at("bytes").get<std::string>());
    auto signature = fixed_from_hex<Signature>(value.at("signature"));
    if (!bytes) return tl::unexpected(bytes.error());
    if (!signature) return tl::unexpected(signature.error());
    return SignedBytes{std::move(*bytes), *signature};
}

std::string_view status_of(ReceiptReason reason) {
    return reason == ReceiptReason::exit ? "erased" : "left";
}

Result<CertificateVerdict> verify(const json& certificate) {
    if (certificate.at("schema") != kSchema)
        return tl::unexpected(malformed("not a certificate of this version"));
    const auto network = fixed_from_hex<NetworkId>(certificate.at("network"));
    if (!network) return tl::unexpected(network.error());
    const auto owner = NodeId::from_text(certificate.at("owner").get<std::string>());
    if (!owner) return tl::unexpected(owner.error());
    const auto signed_notice = read_statement(certificate.at("notice"));
    if (!signed_notice) return tl::unexpected(signed_notice.error());
    const auto notice = verify_notice(*network, *signed_notice);
    if (!notice) return tl::unexpected(notice.error());
    if (notice->owner != *owner) return tl::unexpected(malformed("the notice is of another owner"));

    CertificateVerdict verdict;
    verdict.owner = *owner;
    std::set<NodeId> seen;
    for (const auto& entry : certificate.at("holders")) {
        const auto holder = NodeId::from_text(entry.at("node").get<std::string>());
        if (!holder) return tl::unexpected(holder.error());
        if (!seen.insert(*holder).second)
            return tl::unexpected(malformed("holder named twice: " + holder->text()));
        const std::string status = entry.at("status");
        if (status == "missing") {
            verdict.missing.push_back(*holder);
            continue;
        }
        const auto signed_receipt = read_statement(entry.at("receipt"));
        if (!signed_receipt) return tl::unexpected(signed_receipt.error());
        const auto receipt = verify_receipt(*holder, *network, *signed_receipt);
        if (!receipt) return tl::unexpected(receipt.error());
        if (receipt->owner != *owner)
            return tl::unexpected(malformed("receipt for another owner by " + holder->text()));
        if (status != status_of(receipt->reason))
            return tl::unexpected(malformed("status of " + holder->text() + " does not fit its receipt"));
        (receipt->reason == ReceiptReason::exit ? verdict.erased : verdict.left).push_back(*holder);
    }
    if (certificate.at("complete").get<bool>() != verdict.complete())
        return tl::unexpected(malformed("\"complete\" does not fit the holders"));
    return verdict;
}

}  // namespace

json make_certificate(const NodeId& owner, const NetworkId& network, const ExitProgress& progress) {
    json out{{"schema", kSchema},        {"network", to_hex(network.view())},
             {"owner", owner.text()},    {"notice", statement(progress.notice)},
             {"holders", json::array()}, {"what_this_does_not_prove", kLimits}};
    bool complete = true;
    for (const auto& [holder, version] : progress.recipients) {
        json entry{{"node", holder.text()}, {"served_version", static_cast<std::uint64_t>(version)}};
        const auto receipt = progress.receipts.find(holder);
        if (receipt == progress.receipts.end()) {
            entry["status"] = "missing";
            complete = false;
        } else {
            const auto decoded = verify_receipt(holder, network, receipt->second);
            entry["status"] = status_of(decoded ? decoded->reason : ReceiptReason::exit);
            entry["receipt"] = statement(receipt->second);
        }
        out["holders"].push_back(std::move(entry));
    }
    out["complete"] = complete;
    return out;
}

Result<CertificateVerdict> verify_certificate(const json& certificate) {
    try {
        return verify(certificate);
    } catch (const json::exception& error) {
        return tl::unexpected(malformed(error.what()));
    }
}

}  // namespace unlearn::runtime
