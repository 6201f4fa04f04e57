#include "sim/faults/rules.hpp"

#include <algorithm>
#include <array>

namespace unlearn::sim::faults {

using protocol::Admission;
using protocol::AdmissionFacts;
using protocol::AdmissionPoint;

namespace {

constexpr std::array<std::string_view, 10> kNames{"none",
                                                  "ack-before-durable",
                                                  "announce-check-only",
                                                  "forget-by-age",
                                                  "ignore-unknown-owners",
                                                  "accept-unsigned-exit",
                                                  "skip-quarantine",
                                                  "outlive-lease",
                                                  "keep-on-disk",
                                                  "serve-unrecorded"};

Admission only_when_announced(const AdmissionFacts& facts, AdmissionPoint point) {
    AdmissionFacts unaware = facts;
    if (point != AdmissionPoint::announce) unaware.owner_exited = false;
    return protocol::admit(unaware, point);
}

Admission without_end_of_lease(const AdmissionFacts& facts, AdmissionPoint point) {
    AdmissionFacts endless = facts;
    endless.lease_ended = false;
    return protocol::admit(endless, point);
}

template <typename... Ops>
bool has_one_of(const std::vector<protocol::StoreOp>& ops) {
    return std::any_of(ops.begin(), ops.end(),
                       [](const protocol::StoreOp& op) { return (std::holds_alternative<Ops>(op) || ...); });
}

Admission without_quarantine(const AdmissionFacts& facts, AdmissionPoint point) {
    AdmissionFacts cleared = facts;
    cleared.unvouched = false;
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
    if (rule == BrokenRule::outlive_lease) return without_end_of_lease;
    return protocol::admit;
}

bool answers_before_durable(BrokenRule rule, const std::vector<protocol::StoreOp>& ops) {
    if (rule == BrokenRule::ack_before_durable) return has_one_of<protocol::PutTombstone>(ops);
    return rule == BrokenRule::serve_unrecorded && has_one_of<protocol::PutRecipient>(ops);
}

std::vector<protocol::StoreOp> stored_by(BrokenRule rule, std::vector<protocol::StoreOp> ops,
                                         const std::function<bool(const protocol::NodeId&)>& has_left) {
    // Storage refuses such seeds, too, and would hide that the gate lets them in.
    if (rule == BrokenRule::announce_check_only)
        std::erase_if(ops, [&](const protocol::StoreOp& op) {
            const auto* seed = std::get_if<protocol::PutHeldSeed>(&op);
            return seed != nullptr && has_left(seed->owner);
        });
    if (rule == BrokenRule::keep_on_disk)
        std::erase_if(ops, [](const protocol::StoreOp& op) {
            return std::holds_alternative<protocol::EraseHeldSeed>(op);
        });
    return ops;
}

}  // namespace unlearn::sim::faults
