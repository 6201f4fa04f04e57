#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "protocol/durable.hpp"
#include "protocol/engine/admission.hpp"

namespace unlearn::sim::faults {

/// A rule of the protocol that a run breaks on purpose, to see that the simulation notices.
enum class BrokenRule {
    none,
    ack_before_durable,     ///< a tombstone counts before it is written
    announce_check_only,    ///< exits are looked at when a seed is announced and nowhere else
    forget_by_age,          ///< a start drops tombstones that are older than a minute
    ignore_unknown_owners,  ///< exits of owners that are no neighbours are not kept
    accept_unsigned_exit,   ///< an exit counts whoever signed it
    skip_quarantine,        ///< seeds from disk are used at once
    outlive_lease,          ///< a seed is used after the end of its lease
    keep_on_disk,           ///< receipts are signed, and the seed stays on the disk
    serve_unrecorded,       ///< a seed is served before it is on record who asked
};

[[nodiscard]] std::span<const std::string_view> broken_rule_names();
[[nodiscard]] std::string_view name_of(BrokenRule rule);
[[nodiscard]] std::optional<BrokenRule> parse_broken_rule(std::string_view name);

/// The gate of a node that breaks `rule`; `admit` for rules that are broken elsewhere.
using Gate = protocol::Admission (*)(const protocol::AdmissionFacts&, protocol::AdmissionPoint);
[[nodiscard]] Gate gate_of(BrokenRule rule);

/// Whether a node that breaks `rule` takes these for stored before they are.
[[nodiscard]] bool answers_before_durable(BrokenRule rule, const std::vector<protocol::StoreOp>& ops);

/// What a node that breaks `rule` really stores of `ops`. `has_left`: owners of whose exit it knows.
[[nodiscard]] std::vector<protocol::StoreOp> stored_by(
    BrokenRule rule, std::vector<protocol::StoreOp> ops,
    const std::function<bool(const protocol::NodeId&)>& has_left);

}  // namespace unlearn::sim::faults
