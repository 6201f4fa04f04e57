#include "node/runtime/certificate.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <optional>

#include "node/runtime/statement_json.hpp"
#include "protocol/records.hpp"

namespace unlearn::runtime {
namespace {

using namespace unlearn::protocol;
using nlohmann::json;

constexpr std::string_view kSchema = "unlearnd erasure certificate 2";
/// The schema before the owner signed the list of its holders.
constexpr std::string_view kOldSchema = "unlearnd erasure certificate 1";
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

/// Reads what text_of writes.
std::optional<WallTime> time_in(const std::string& text) {
    std::tm parts{};
    const char* end = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    if (end == nullptr || *end != '\0') return std::nullopt;
    const WallTime time{std::chrono::seconds(timegm(&parts))};
    if (text_of(time) != text) return std::nullopt;
    return time;
}

Error malformed(std::string detail) {
    return Error{ErrorCode::malformed, "certificate: " + std::move(detail)};
}

/// What is wrong, without the number that the library puts before it.
std::string problem_of(const json::exception& error) {
    const std::string_view what = error.what();
    const auto end = what.find("] ");
    return std::string(end == std::string_view::npos ? what : what.substr(end + 2));
}

/// Returns the receipt in a holder's entry if that holder signed it.
Result<Receipt> receipt_in(const json& entry, const NodeId& holder, const NetworkId& network) {
    const auto signed_receipt = signed_in(entry.at("receipt"));
    if (!signed_receipt) return tl::unexpected(signed_receipt.error());
    return verify_receipt(holder, network, *signed_receipt);
}

/// What a receipt proves of a holder that was served `served`. `has_left` says that the holder's own exit is
/// shown.
HolderStatus status_of(const Receipt& receipt, SeedVersion served, bool has_left) {
    if (receipt.reason == ReceiptReason::left && !has_left) return HolderStatus::missing;
    if (receipt.asked && *receipt.asked < served) return HolderStatus::doubtful;
    return receipt.reason == ReceiptReason::exit ? HolderStatus::erased : HolderStatus::left;
}

bool fits(const HolderList& list, const NodeId& owner, const SignedBytes& notice, const Recipients& holders) {
    return list.owner == owner && list.notice == digest_of(notice.bytes) && list.count == holders.size() &&
           list.holders == digest_of_holders(holders);
}

Result<bool> shows_exit_of(const json& entry, const NodeId& holder, const NetworkId& network) {
    if (!entry.contains("exit")) return false;
    const auto signed_notice = signed_in(entry.at("exit"));
    if (!signed_notice) return tl::unexpected(signed_notice.error());
    const auto notice = verify_notice(network, *signed_notice);
    if (!notice) return tl::unexpected(notice.error());
    if (notice->owner != holder) return tl::unexpected(malformed("the exit is not that of " + holder.text()));
    return true;
}

/// Reads one entry of `holders` and checks that its status is what its receipt proves.
Result<HolderStatus> check_holder(const json& entry, const NodeId& holder, const CertificateVerdict& verdict,
                                  SeedVersion served, bool old) {
    const std::string status = entry.at("status");
    if (holder == verdict.owner) return tl::unexpected(malformed("the owner is named as its own holder"));
    if (status == name_of(HolderStatus::missing)) {
        if (entry.contains("receipt"))
            return tl::unexpected(malformed("status of " + holder.text() + " is missing, beside a receipt"));
        return HolderStatus::missing;
    }
    const auto receipt = receipt_in(entry, holder, verdict.network);
    if (!receipt) return tl::unexpected(receipt.error());
    if (receipt->owner != verdict.owner)
        return tl::unexpected(malformed("receipt for another owner by " + holder.text()));
    const auto has_left = shows_exit_of(entry, holder, verdict.network);
    if (!has_left) return tl::unexpected(has_left.error());
    const HolderStatus proved = status_of(*receipt, served, *has_left || old);
    if (status != name_of(proved))
        return tl::unexpected(malformed("status of " + holder.text() + " does not fit its receipt"));
    return proved;
}

Result<Recipient> recipient_in(const json& entry, const NodeId& holder) {
    const auto lease_until = time_in(entry.at("last_lease_until").get<std::string>());
    if (!lease_until) return tl::unexpected(malformed("last_lease_until of " + holder.text()));
    const auto& served = entry.at("served_version");
    if (!served.is_number_unsigned()) return tl::unexpected(malformed("served_version of " + holder.text()));
    return Recipient{SeedVersion{served.get<std::uint64_t>()}, *lease_until};
}

Result<void> check_holders(const json& holders, CertificateVerdict& verdict, Recipients& recipients,
                           bool old) {
    for (const auto& entry : holders) {
        const auto holder = NodeId::from_text(entry.at("node").get<std::string>());
        if (!holder) return tl::unexpected(holder.error());
        const auto recipient = recipient_in(entry, *holder);
        if (!recipient) return tl::unexpected(recipient.error());
        if (!recipients.emplace(*holder, *recipient).second)
            return tl::unexpected(malformed("holder named twice: " + holder->text()));
        const auto status = check_holder(entry, *holder, verdict, recipient->version, old);
        if (!status) return tl::unexpected(status.error());
        std::vector<NodeId>* const lists[] = {&verdict.erased, &verdict.left, &verdict.doubtful,
                                              &verdict.missing};
        lists[static_cast<std::size_t>(*status)]->push_back(*holder);
    }
    return {};
}

Result<void> check_list(const json& certificate, const SignedBytes& notice, const Recipients& holders,
                        CertificateVerdict& verdict) {
    if (certificate.at("list").is_null()) return {};
    auto signed_list = signed_in(certificate.at("list"));
    if (!signed_list) return tl::unexpected(signed_list.error());
    const auto list = verify_holder_list(verdict.network, *signed_list);
    if (!list) return tl::unexpected(list.error());
    if (!fits(*list, verdict.owner, notice, holders))
        return tl::unexpected(malformed("the holders are not those that the owner signed"));
    verdict.list_proof = list->restored ? ListProof::on_record : ListProof::signed_;
    verdict.list = std::move(*signed_list);
    return {};
}

Result<CertificateVerdict> verify(const json& certificate) {
    const bool old = certificate.at("schema") == kOldSchema;
    if (!old && certificate.at("schema") != kSchema)
        return tl::unexpected(malformed("not a certificate of this version"));
    const auto network = value_in_hex<NetworkId>(certificate.at("network"));
    if (!network) return tl::unexpected(network.error());
    const auto owner = NodeId::from_text(certificate.at("owner").get<std::string>());
    if (!owner) return tl::unexpected(owner.error());
    const auto signed_notice = signed_in(certificate.at("notice"));
    if (!signed_notice) return tl::unexpected(signed_notice.error());
    const auto notice = verify_notice(*network, *signed_notice);
    if (!notice) return tl::unexpected(notice.error());
    if (notice->owner != *owner) return tl::unexpected(malformed("the notice is of another owner"));

    CertificateVerdict verdict;
    verdict.owner = *owner;
    verdict.network = *network;
    verdict.holders_unknown = certificate.at("holders") == kHoldersUnknown;
    Recipients recipients;
    if (!verdict.holders_unknown)
        if (auto good = check_holders(certificate.at("holders"), verdict, recipients, old); !good)
            return tl::unexpected(good.error());
    if (!old)
        if (auto good = check_list(certificate, *signed_notice, recipients, verdict); !good)
            return tl::unexpected(good.error());
    // Before the list was signed, `complete` was said without it.
    const bool complete = old ? verdict.missing.empty() && !verdict.holders_unknown : verdict.complete();
    if (certificate.at("complete").get<bool>() != complete)
        return tl::unexpected(malformed("\"complete\" does not fit the holders"));
    return verdict;
}

}  // namespace

std::string_view name_of(HolderStatus status) {
    constexpr std::string_view kNames[] = {"erased", "left", "doubtful", "missing"};
    return kNames[static_cast<std::size_t>(status)];
}

HolderStatus status_of(const ExitProgress& progress, const NodeId& holder, const NetworkId& network) {
    const auto receipt = progress.receipts.find(holder);
    if (receipt == progress.receipts.end()) return HolderStatus::missing;
    const auto decoded = verify_receipt(holder, network, receipt->second);
    if (!decoded) return HolderStatus::missing;
    return status_of(*decoded, progress.recipients.at(holder).version, progress.left.contains(holder));
}

bool contradict(const CertificateVerdict& one, const CertificateVerdict& other) {
    return one.owner == other.owner && one.network == other.network && one.list && other.list &&
           one.list->bytes != other.list->bytes;
}

json make_certificate(const NodeId& owner, const NetworkId& network, const ExitProgress& progress) {
    json out{{"schema", kSchema},     {"network", to_hex(network.view())},
             {"owner", owner.text()}, {"notice", signed_json(progress.notice)},
             {"list", json()},        {"holders", json::array()},
             {"complete", false},     {"what_this_does_not_prove", kLimits}};
    if (progress.list) {
        const auto list = verify_holder_list(network, *progress.list);
        if (list && fits(*list, owner, progress.notice, progress.recipients))
            out["list"] = signed_json(*progress.list);
    }
    bool complete = !out["list"].is_null();
    for (const auto& [holder, recipient] : progress.recipients) {
        const HolderStatus status = status_of(progress, holder, network);
        json entry{{"node", holder.text()},
                   {"served_version", static_cast<std::uint64_t>(recipient.version)},
                   {"last_lease_until", text_of(recipient.lease_until)},
                   {"status", name_of(status)}};
        if (status != HolderStatus::missing) entry["receipt"] = signed_json(progress.receipts.at(holder));
        if (const auto exit = progress.left.find(holder); exit != progress.left.end())
            entry["exit"] = signed_json(exit->second);
        complete = complete && (status == HolderStatus::erased || status == HolderStatus::left);
        out["holders"].push_back(std::move(entry));
    }
    out["complete"] = complete;
    return out;
}

json make_sealed_certificate(const NetworkId& network, const SignedBytes& notice) {
    const auto owner = verify_notice(network, notice).value_or(ExitNotice{}).owner;
    return {{"schema", kSchema},     {"network", to_hex(network.view())},
            {"owner", owner.text()}, {"notice", signed_json(notice)},
            {"list", json()},        {"holders", kHoldersUnknown},
            {"complete", false},     {"what_this_does_not_prove", kLimits}};
}

json make_sealed_exit(const NetworkId& network, const SignedBytes& notice) {
    return {{"schema", kSealedSchema},
            {"network", to_hex(network.view())},
            {"owner", verify_notice(network, notice).value_or(ExitNotice{}).owner.text()},
            {"notice", signed_json(notice)}};
}

Result<SignedBytes> read_sealed_exit(const json& sealed) {
    try {
        if (sealed.at("schema") != kSealedSchema)
            return tl::unexpected(Error{ErrorCode::malformed, "not a sealed exit of this version"});
        const auto network = value_in_hex<NetworkId>(sealed.at("network"));
        if (!network) return tl::unexpected(network.error());
        auto notice = signed_in(sealed.at("notice"));
        if (!notice) return notice;
        if (const auto valid = verify_notice(*network, *notice); !valid) return tl::unexpected(valid.error());
        return notice;
    } catch (const json::exception& error) {
        return tl::unexpected(Error{ErrorCode::malformed, "sealed exit: " + problem_of(error)});
    }
}

Result<Receipt> read_receipt(const json& certificate, const json& entry) {
    try {
        const auto network = value_in_hex<NetworkId>(certificate.at("network"));
        if (!network) return tl::unexpected(network.error());
        const auto holder = NodeId::from_text(entry.at("node").get<std::string>());
        if (!holder) return tl::unexpected(holder.error());
        return receipt_in(entry, *holder, *network);
    } catch (const json::exception& error) {
        return tl::unexpected(malformed(problem_of(error)));
    }
}

Result<CertificateVerdict> verify_certificate(const json& certificate) {
    try {
        return verify(certificate);
    } catch (const json::exception& error) {
        return tl::unexpected(malformed(problem_of(error)));
    }
}

}  // namespace unlearn::runtime
