#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "protocol/admission.hpp"

namespace unlearn::sim {

/// A rule of the protocol that a run breaks on purpose, to see that the simulation notices.
enum class BrokenRule {
    none,
    ack_before_durable,     ///< storage answers before it has written
    announce_check_only,    ///< the gate is asked about announcements and nowhere else
    forget_by_age,          ///< a start drops tombstones that are older than a minute
    ignore_unknown_owners,  ///< exits of owners that are no neighbours are not kept
    accept_unsigned_exit,   ///< an exit counts whoever signed it
    skip_quarantine,        ///< seeds from disk are used at once
};

[[nodiscard]] std::span<const std::string_view> broken_rule_names();
[[nodiscard]] std::string_view name_of(BrokenRule rule);
[[nodiscard]] std::optional<BrokenRule> parse_broken_rule(std::string_view name);

/// The gate of a node that breaks `rule`; `admit` for rules that are broken elsewhere.
using Gate = protocol::Admission (*)(const protocol::AdmissionFacts&, protocol::AdmissionPoint);
[[nodiscard]] Gate gate_of(BrokenRule rule);

}  // namespace unlearn::sim
