#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/run/event_log.hpp"

/// Waiting until every seed has reached every neighbour, without waiting for what cannot come any more.
namespace unlearn::sim::run {

/// Follows the events of an exchange. A seed that is held aside has arrived.
class Exchange {
  public:
    /// Who is to get whose seed: names of holder and owner.
    using Pairs = std::vector<std::pair<std::string, std::string>>;

    /// Seeds of this version are waited for.
    Exchange(const Pairs& expected, protocol::SeedVersion version);

    /// Takes in what happened since the last call; `entries` is the whole log.
    void look_at(const std::vector<EventLog::Entry>& entries);

    [[nodiscard]] std::size_t expected() const { return arrived_.size(); }
    [[nodiscard]] std::size_t arrived() const { return count_; }
    [[nodiscard]] bool is_complete() const { return count_ == arrived_.size(); }
    /// Why it will never be complete, in one line that names node, owner and reason: a seed was refused, a
    /// peer dropped for breaking the protocol, or a node cannot store what it gets.
    [[nodiscard]] const std::optional<std::string>& hopeless() const { return hopeless_; }
    /// "6 of 8 seeds arrived; missing: that of node-1 at node-2 (peer-down), ..."
    [[nodiscard]] std::string progress() const;

  private:
    using Pair = std::pair<std::string, std::string>;

    void look_at(const EventLog::Entry& entry);

    protocol::SeedVersion version_;
    std::map<Pair, bool> arrived_;
    std::map<Pair, std::string> last_word_;  ///< what the holder said last about the link to the owner
    std::size_t count_ = 0;
    std::size_t seen_ = 0;  ///< entries of the log
    std::optional<std::string> hopeless_;
};

}  // namespace unlearn::sim::run
