#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "protocol/durable.hpp"
#include "protocol/engine/admission.hpp"

namespace unlearn::sim::faults {

/// A rule of the protocol that a run breaks on purpose, to see that the simulation notices it.
enum class BrokenRule {
    none,
    ack_before_durable,     ///< a tombstone counts before it is written
    announce_check_only,    ///< exits are checked only when a seed is announced
    forget_by_age,          ///< a start drops tombstones older than a minute
    ignore_unknown_owners,  ///< exits of owners that are not neighbours are not kept
    accept_unsigned_exit,   ///< an exit counts no matter who signed it
    skip_quarantine,        ///< seeds from disk are used at once
    outlive_lease,          ///< a seed is used after the end of its lease
    keep_on_disk,           ///< receipts are signed, but the seed stays on the disk
    serve_unrecorded,       ///< a seed is served before the recipient is on record
};

/// Returns the names of all rules, in the order of the enumerators.
[[nodiscard]] std::span<const std::string_view> broken_rule_names();
/// Returns the name of a rule.
[[nodiscard]] std::string_view name_of(BrokenRule rule);
/// Returns the rule of this name, or nothing.
[[nodiscard]] std::optional<BrokenRule> parse_broken_rule(std::string_view name);

/// Decides whether a seed may be used.
using Gate = protocol::Admission (*)(const protocol::AdmissionFacts&, protocol::AdmissionPoint);
/// Returns the gate of a node that breaks `rule`, or `admit` for rules that are broken elsewhere.
[[nodiscard]] Gate gate_of(BrokenRule rule);

/// Whether a node that breaks `rule` treats these operations as stored before they are.
[[nodiscard]] bool answers_before_durable(BrokenRule rule, const std::vector<protocol::StoreOp>& ops);

/// Returns what a node that breaks `rule` really stores of `ops`. `has_left` says whether the node knows of
/// an owner's exit.
[[nodiscard]] std::vector<protocol::StoreOp> stored_by(
    BrokenRule rule, std::vector<protocol::StoreOp> ops,
    const std::function<bool(const protocol::NodeId&)>& has_left);

}  // namespace unlearn::sim::faults
