#include "sim/faults/rules.hpp"

#include <algorithm>
#include <array>

namespace unlearn::sim {

using protocol::Admission;
using protocol::AdmissionFacts;
using protocol::AdmissionPoint;

namespace {

constexpr std::array<std::string_view, 7> kNames{
    "none",           "ack-before-durable",    "announce-check-only",
    "forget-by-age",  "ignore-unknown-owners", "accept-unsigned-exit",
    "skip-quarantine"};

Admission only_when_announced(const AdmissionFacts& facts, AdmissionPoint point) {
    return point == AdmissionPoint::announce ? protocol::admit(facts, point) : Admission::admitted;
}

Admission without_quarantine(const AdmissionFacts& facts, AdmissionPoint point) {
    AdmissionFacts cleared = facts;
    cleared.quarantined = false;
    return protocol::admit(cleared, point);
}

}  // namespace

std::span<const std::string_view> broken_rule_names() {
    return kNames;
}

std::string_view name_of(BrokenRule rule) {
    return kNames[static_cast<std::size_t>(rule)];
}

std::optional<BrokenRule> parse_broken_rule(std::string_view name) {
    const auto found = std::find(kNames.begin(), kNames.end(), name);
    if (found == kNames.end()) return std::nullopt;
    return static_cast<BrokenRule>(found - kNames.begin());
}

Gate gate_of(BrokenRule rule) {
    if (rule == BrokenRule::announce_check_only) return only_when_announced;
    if (rule == BrokenRule::skip_quarantine) return without_quarantine;
    return protocol::admit;
}

}  // namespace unlearn::sim
