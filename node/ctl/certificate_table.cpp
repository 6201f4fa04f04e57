#include "node/ctl/certificate_table.hpp"

#include <algorithm>

#include "node/ctl/table.hpp"
#include "node/runtime/certificate.hpp"

namespace unlearn::ctl {
namespace {

using nlohmann::json;

/// Returns a member that is a text; empty when it is absent or anything else.
std::string text_in(const json& object, const char* name) {
    const auto found = object.is_object() ? object.find(name) : object.end();
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string signed_at(const json& certificate, const json& holder) {
    const auto receipt = runtime::read_receipt(certificate, holder);
    return receipt ? format_time(receipt->made_at.time_since_epoch().count()) : "-";
}

/// Shows RFC 3339 in UTC like all other times.
std::string shown_time(std::string text) {
    constexpr std::size_t kSeparator = 10;
    if (text.size() > kSeparator && text[kSeparator] == 'T') text[kSeparator] = ' ';
    return text;
}

std::string completeness(const json& certificate, const json& holders) {
    if (!holders.is_array()) return "no: it was made from a sealed exit, and who held the seed is not known";
    if (field(certificate, "complete") == "yes") return "yes";
    const auto number_of = [&](std::string_view status) {
        return std::count_if(holders.begin(), holders.end(),
                             [&](const json& holder) { return text_in(holder, "status") == status; });
    };
    const auto of_all = " of " + std::to_string(holders.size()) + " recorded holders ";
    if (const auto missing = number_of("missing"); missing > 0)
        return "no: " + std::to_string(missing) + of_all + "did not sign";
    if (const auto doubtful = number_of("doubtful"); doubtful > 0)
        return "no: " + std::to_string(doubtful) + of_all + "never asked for what they were served, they say";
    return "no: the owner did not sign the list of holders";
}

}  // namespace

void print_holders(const json& certificate, std::ostream& out) {
    const auto holders = certificate.value("holders", json());
    if (!holders.is_array() || holders.empty()) return;
    Table table({{"HOLDER"}, {"STATUS"}, {"VERSION", Align::right}, {"SIGNED AT"}, {"LAST LEASE UNTIL"}});
    for (const auto& holder : holders)
        table.add({field(holder, "node"), field(holder, "status"), field(holder, "served_version"),
                   signed_at(certificate, holder), shown_time(time_field(holder, "last_lease_until"))});
    table.print(out);
    out << '\n';
}

void print_certificate(const json& certificate, std::ostream& out) {
    const auto holders = certificate.value("holders", json::array());
    Facts facts;
    facts.add("owner", field(certificate, "owner"));
    facts.add("network", field(certificate, "network"));
    facts.add("complete", completeness(certificate, holders));
    facts.print(out);
    out << '\n';
    print_holders(certificate, out);
    if (holders.is_array() && holders.empty())
        out << "The owner's record names no holder: nobody was ever served the seed.\n\n";
    out << field(certificate, "what_this_does_not_prove") << '\n';
}

}  // namespace unlearn::ctl
