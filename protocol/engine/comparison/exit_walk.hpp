#pragma once

#include <cstddef>
#include <functional>
#include <set>
#include <vector>

#include "protocol/engine/comparison/exit_set.hpp"

namespace unlearn::protocol {

/// One search for the exits that a neighbour knows and we do not: range-based set reconciliation (Meyer 2023,
/// arXiv 2212.13567) over the ranges of ExitSet. It is a state machine without time or messages of its own:
/// `ask` fills the next query, `take` reads its answer, until `ask` returns false.
///
/// The ranges around known owners come first, until it is certain which of their exits are known there. Then
/// everything else is compared, until all strangers' exits that can be taken are found.
class ExitWalk {
  public:
    /// Returns true when the exit of the owner is known here, durable or not.
    using Knows = std::function<bool(const ExitedId&)>;

    /// `owners` are the known owners whose exit is unknown here, in rising order; `count_there` is how many
    /// exits the neighbour says that it knows. At most `room` exits of strangers will be asked for, those
    /// from `cursor` on first.
    ExitWalk(std::vector<ExitedId> owners, std::uint64_t count_there, std::size_t room,
             const ExitedId& cursor);

    /// Fills the ranges and the wanted notices of `query`. The query before it must have been answered.
    /// @return false when there is nothing more to ask
    [[nodiscard]] bool ask(ExitQuery& query);
    /// Reads the answer to the last query, whose fingerprints are keyed with `salt`.
    /// @return malformed when it does not answer that query
    [[nodiscard]] Result<void> take(const ExitAnswer& answer, const DigestSalt& salt, const ExitSet& here,
                                    const Knows& knows);
    /// Looks for no further exits of strangers; those found so far are still asked for.
    void stop_looking();

    /// True once it is certain which exits of known owners the neighbour knows.
    [[nodiscard]] bool owners_settled() const { return settled_; }
    [[nodiscard]] const std::vector<ExitedId>& owners() const { return owners_; }
    /// The known owners whose exit is known there and was unknown here.
    [[nodiscard]] const std::set<ExitedId>& owners_gone() const { return owners_gone_; }
    /// True when no range is left to be compared and none was left out.
    [[nodiscard]] bool complete() const { return begun_strangers_ && open_.empty() && !left_out_; }
    /// The strangers whose exit was found there and unknown here, at most kMaxStrangersNoted of them.
    [[nodiscard]] const std::vector<ExitedId>& strangers() const { return strangers_; }
    /// Where the next search for exits of strangers should begin.
    [[nodiscard]] const ExitedId& cursor() const { return cursor_; }
    /// The number of ranges that wait to be asked for.
    [[nodiscard]] std::size_t open_ranges() const { return open_.size(); }

  private:
    [[nodiscard]] bool holds_owner(const IdRange& range) const;
    void take_owners(const IdRange& range, const RangeAnswer& answer, const DigestSalt& salt,
                     const ExitSet& here);
    void take_strangers(const IdRange& range, const RangeAnswer& answer, const DigestSalt& salt,
                        const ExitSet& here, const Knows& knows);
    void find_owner(const ExitedId& owner);
    void find_stranger(const ExitedId& owner);
    /// Adds the differing parts of a range to those that are to be asked for.
    void open_parts(const IdRange& range, const RangeAnswer& answer, const DigestSalt& salt,
                    const ExitSet& here, bool only_with_owners);
    void put_in_order();

    std::vector<ExitedId> owners_;
    std::set<ExitedId> owners_gone_;
    std::vector<ExitedId> strangers_;
    std::vector<IdRange> open_;     ///< to be asked for, the last one first
    std::vector<IdRange> found_;    ///< new ones from the answer that is being read
    std::vector<IdRange> asked_;    ///< those of the last query
    std::vector<ExitedId> wanted_;  ///< whose notices are to be asked for, the last one first
    std::size_t room_;
    std::size_t rounds_ = 0;
    ExitedId begin_;   ///< where the search among strangers begins
    ExitedId cursor_;  ///< where the next one should
    bool settled_ = false;
    bool begun_strangers_ = false;
    bool left_out_ = false;
};

}  // namespace unlearn::protocol
