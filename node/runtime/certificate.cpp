#include "node/runtime/certificate.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <set>

#include "protocol/records.hpp"

namespace unlearn::runtime {
namespace {

using namespace unlearn::protocol;
using nlohmann::json;

constexpr std::string_view kSchema = "unlearnd erasure certificate 1";
constexpr std::string_view kSealedSchema = "unlearnd sealed exit 1";
constexpr std::string_view kHoldersUnknown = "unknown";
constexpr std::string_view kLimits =
    "Proves that every holder listed as erased or left signed that it dropped, overwrote and will never use "
    "this "
    "owner's seed again; it cannot prove that no dishonest holder kept a copy.";

/// Returns a time in RFC 3339, in UTC.
std::string text_of(WallTime time) {
    const std::time_t seconds = time.time_since_epoch().count();
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    const auto length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return {text.data(), length};
}

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

/// Returns the receipt in a holder's entry if that holder signed it.
Result<Receipt> receipt_in(const json& entry, const NodeId& holder, const NetworkId& network) {
    const auto signed_receipt = read_statement(entry.at("receipt"));
    if (!signed_receipt) return tl::unexpected(signed_receipt.error());
    return verify_receipt(holder, network, *signed_receipt);
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
    verdict.holders_unknown = certificate.at("holders") == kHoldersUnknown;
    std::set<NodeId> seen;
    for (const auto& entry : verdict.holders_unknown ? json::array() : certificate.at("holders")) {
        const auto holder = NodeId::from_text(entry.at("node").get<std::string>());
        if (!holder) return tl::unexpected(holder.error());
        if (!seen.insert(*holder).second)
            return tl::unexpected(malformed("holder named twice: " + holder->text()));
        const std::string status = entry.at("status");
        if (status == "missing") {
            verdict.missing.push_back(*holder);
            continue;
        }
        const auto receipt = receipt_in(entry, *holder, *network);
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
    for (const auto& [holder, recipient] : progress.recipients) {
        json entry{{"node", holder.text()},
                   {"served_version", static_cast<std::uint64_t>(recipient.version)},
                   {"last_lease_until", text_of(recipient.lease_until)}};
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

json make_sealed_certificate(const NetworkId& network, const SignedBytes& notice) {
    const auto owner = verify_notice(network, notice).value_or(ExitNotice{}).owner;
    return {{"schema", kSchema},
            {"network", to_hex(network.view())},
            {"owner", owner.text()},
            {"notice", statement(notice)},
            {"holders", kHoldersUnknown},
            {"complete", false},
            {"what_this_does_not_prove", kLimits}};
}

json make_sealed_exit(const NetworkId& network, const SignedBytes& notice) {
    return {{"schema", kSealedSchema},
            {"network", to_hex(network.view())},
            {"owner", verify_notice(network, notice).value_or(ExitNotice{}).owner.text()},
            {"notice", statement(notice)}};
}

Result<SignedBytes> read_sealed_exit(const json& sealed) {
    try {
        if (sealed.at("schema") != kSealedSchema)
            return tl::unexpected(Error{ErrorCode::malformed, "not a sealed exit of this version"});
        const auto network = fixed_from_hex<NetworkId>(sealed.at("network"));
        if (!network) return tl::unexpected(network.error());
        auto notice = read_statement(sealed.at("notice"));
        if (!notice) return notice;
        if (const auto valid = verify_notice(*network, *notice); !valid) return tl::unexpected(valid.error());
        return notice;
    } catch (const json::exception& error) {
        return tl::unexpected(Error{ErrorCode::malformed, std::string("sealed exit: ") + error.what()});
    }
}

Result<Receipt> read_receipt(const json& certificate, const json& entry) {
    try {
        const auto network = fixed_from_hex<NetworkId>(certificate.at("network"));
        if (!network) return tl::unexpected(network.error());
        const auto holder = NodeId::from_text(entry.at("node").get<std::string>());
        if (!holder) return tl::unexpected(holder.error());
        return receipt_in(entry, *holder, *network);
    } catch (const json::exception& error) {
        return tl::unexpected(malformed(error.what()));
    }
}

Result<CertificateVerdict> verify_certificate(const json& certificate) {
    try {
        return verify(certificate);
    } catch (const json::exception& error) {
        return tl::unexpected(malformed(error.what()));
    }
}

}  // namespace unlearn::runtime
