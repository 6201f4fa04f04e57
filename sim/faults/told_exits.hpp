#pragma once

#include <functional>
#include <set>

#include "protocol/engine/comparison/exit_set.hpp"

namespace unlearn::sim::faults {

/// What a peer has told a machine about exits: in which ranges of ids it knows of no exit that the machine
/// does not know, except those that it named.
class ToldExits {
  public:
    /// The peer has named all exits that it knows and the machine does not.
    void take_all(std::set<protocol::ExitedId> unknown);
    /// Adds what an answer to `query` says. `here` are the exits that the machine tells of.
    void take(const protocol::ExitQuery& query, const protocol::ExitAnswer& answer,
              const protocol::ExitSet& here);
    /// Removes named exits that the machine has learnt since.
    void learnt(const std::function<bool(const protocol::ExitedId&)>& is_known);
    /// Whether the peer has told that it knows of no exit of `owner`.
    [[nodiscard]] bool rules_out(const protocol::ExitedId& owner) const;
    /// Whether it has told that it knows of no exit that the machine does not know.
    [[nodiscard]] bool rules_out_all() const { return unknown_.empty() && covers({}); }

  private:
    [[nodiscard]] bool covers(const protocol::IdRange& range) const;

    std::set<protocol::IdRange> covered_;
    std::set<protocol::ExitedId> unknown_;
};

}  // namespace unlearn::sim::faults
