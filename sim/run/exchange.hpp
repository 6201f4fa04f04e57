#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/run/event_log.hpp"

/// Waits until every seed has reached every neighbour, but not for seeds that can no longer arrive.
namespace unlearn::sim::run {

/// Follows the events of an exchange. A seed that is held aside counts as arrived.
class Exchange {
  public:
    /// The expected seeds, as pairs of names: holder and owner.
    using Pairs = std::vector<std::pair<std::string, std::string>>;

    /// Waits for seeds of this version.
    Exchange(const Pairs& expected, protocol::SeedVersion version);

    /// Processes what happened since the last call. `entries` is the whole log.
    void look_at(const std::vector<EventLog::Entry>& entries);

    [[nodiscard]] std::size_t expected() const { return arrived_.size(); }
    [[nodiscard]] std::size_t arrived() const { return count_; }
    [[nodiscard]] bool is_complete() const { return count_ == arrived_.size(); }
    /// The reason why the exchange can never be complete, in one line that names node, owner and reason: a
    /// seed was refused, a peer was dropped for breaking the protocol, or a node cannot store what it gets.
    [[nodiscard]] const std::optional<std::string>& failure() const { return failure_; }
    /// Returns a line such as "6 of 8 seeds arrived; missing: that of node-1 at node-2 (peer-down), ..."
    [[nodiscard]] std::string progress() const;

  private:
    using Pair = std::pair<std::string, std::string>;

    void look_at(const EventLog::Entry& entry);

    protocol::SeedVersion version_;
    std::map<Pair, bool> arrived_;
    std::map<Pair, std::string> last_word_;  ///< the holder's last event about its link to the owner
    std::size_t count_ = 0;
    std::size_t seen_ = 0;  ///< number of log entries already processed
    std::optional<std::string> failure_;
};

}  // namespace unlearn::sim::run
