#include "protocol/engine/comparison/exit_walk.hpp"

#include <algorithm>
#include <utility>

namespace unlearn::protocol {
namespace {

/// Around a known owner, ranges are as large as would hold up to this many of the neighbour's ids. Larger
/// ones cost more bytes, and smaller ones tell more about whom we know.
constexpr std::uint64_t kIdsAroundOwner = 4;

std::uint8_t digits_around_owner(std::uint64_t count_there) {
    std::uint8_t digits = 0;
    for (std::uint64_t ids = count_there; ids > (digits == 0 ? kMaxListedIds : kIdsAroundOwner);
         ids /= kRangeParts)
        ++digits;
    return digits;
}

/// Moves up to `most` values from the end of `from`.
template <typename T>
std::vector<T> take_last(std::vector<T>& from, std::size_t most) {
    const auto begin = from.end() - static_cast<std::ptrdiff_t>(std::min(most, from.size()));
    std::vector<T> out(begin, from.end());
    from.erase(begin, from.end());
    return out;
}

}  // namespace

ExitWalk::ExitWalk(std::vector<ExitedId> owners, std::uint64_t count_there, std::size_t room,
                   const ExitedId& cursor)
    : owners_(std::move(owners)), room_(room), begin_(cursor), cursor_(cursor) {
    const std::uint8_t digits = digits_around_owner(count_there);
    for (const auto& owner : owners_) {
        const IdRange range = IdRange::around(owner, digits);
        if (open_.empty() || open_.back() != range) open_.push_back(range);
    }
    settled_ = open_.empty();
}

bool ExitWalk::ask(ExitQuery& query) {
    query.ranges.clear();
    query.wanted.clear();
    if (++rounds_ > kMaxWalkRounds) return false;
    if (settled_ && !std::exchange(begun_strangers_, true)) open_.push_back(IdRange{});
    // The notices that are found are asked for as quickly as more of them are.
    const bool find_more = !settled_ || wanted_.size() < kMaxNoticesAsked;
    if (find_more) query.ranges = take_last(open_, kMaxRangesAsked);
    query.wanted = take_last(wanted_, kMaxNoticesAsked);
    std::sort(query.ranges.begin(), query.ranges.end());
    asked_ = query.ranges;
    return !query.ranges.empty() || !query.wanted.empty();
}

Result<void> ExitWalk::take(const ExitAnswer& answer, const DigestSalt& salt, const ExitSet& here,
                            const Knows& knows) {
    if (answer.ranges.size() != asked_.size())
        return fail(ErrorCode::malformed, "answer: " + std::to_string(answer.ranges.size()) + " ranges for " +
                                              std::to_string(asked_.size()));
    const auto asked = std::exchange(asked_, {});
    for (std::size_t i = 0; i < asked.size(); ++i) {
        const bool inside = std::all_of(answer.ranges[i].ids.begin(), answer.ranges[i].ids.end(),
                                        [&](const ExitedId& id) { return asked[i].contains(id); });
        if (!inside || (answer.ranges[i].occupied != 0 && asked[i].digits == kIdDigits))
            return fail(ErrorCode::malformed, "answer: ids outside of their range");
        if (settled_)
            take_strangers(asked[i], answer.ranges[i], salt, here, knows);
        else
            take_owners(asked[i], answer.ranges[i], salt, here);
    }
    put_in_order();
    settled_ |= open_.empty();
    return {};
}

// ---------------------------------------------------------------- known owners

bool ExitWalk::holds_owner(const IdRange& range) const {
    const auto owner = std::lower_bound(owners_.begin(), owners_.end(), range.first);
    return owner != owners_.end() && range.contains(*owner);
}

void ExitWalk::take_owners(const IdRange& range, const RangeAnswer& answer, const DigestSalt& salt,
                           const ExitSet& here) {
    for (const auto& id : answer.ids)
        if (std::binary_search(owners_.begin(), owners_.end(), id)) find_owner(id);
    // Where the ids are the same as here, there are no owners whose exit is unknown here.
    open_parts(range, answer, salt, here, true);
}

void ExitWalk::find_owner(const ExitedId& owner) {
    if (owners_gone_.insert(owner).second) wanted_.push_back(owner);
}

// ---------------------------------------------------------------- strangers

void ExitWalk::take_strangers(const IdRange& range, const RangeAnswer& answer, const DigestSalt& salt,
                              const ExitSet& here, const Knows& knows) {
    for (const auto& id : answer.ids) {
        if (knows(id)) continue;
        // An owner's exit may have come there after the owners were settled.
        if (std::binary_search(owners_.begin(), owners_.end(), id))
            find_owner(id);
        else
            find_stranger(id);
    }
    if (!left_out_) open_parts(range, answer, salt, here, false);
}

void ExitWalk::find_stranger(const ExitedId& owner) {
    if (strangers_.size() < kMaxStrangersNoted)
        strangers_.push_back(owner);
    else if (room_ == 0)
        return;
    if (room_ > 0) {
        --room_;
        wanted_.push_back(owner);
        return;
    }
    if (!left_out_) cursor_ = owner;
    left_out_ = true;
    open_.clear();
    found_.clear();
}

void ExitWalk::stop_looking() {
    if (!settled_ || open_.empty()) return;
    cursor_ = open_.back().first;
    left_out_ = true;
    open_.clear();
}

// ---------------------------------------------------------------- ranges

void ExitWalk::open_parts(const IdRange& range, const RangeAnswer& answer, const DigestSalt& salt,
                          const ExitSet& here, bool only_with_owners) {
    std::size_t at = 0;
    for (std::uint8_t digit = 0; digit < kRangeParts; ++digit) {
        if ((answer.occupied >> digit & 1U) == 0) continue;
        const RangeFingerprint& there = answer.parts[at++];
        const IdRange part = range.part(digit);
        if (only_with_owners && !holds_owner(part)) continue;
        const RangeDigest digest = here.digest(part);
        if (digest != RangeDigest{} && fingerprint_of(salt, digest) == there) continue;
        if (open_.size() + found_.size() < kMaxOpenRanges || only_with_owners)
            found_.push_back(part);
        else
            left_out_ = true;
    }
}

/// Those from the beginning of the search on come first, that is, last in the list.
void ExitWalk::put_in_order() {
    const auto later = [this](const IdRange& a, const IdRange& b) {
        return std::pair{a.last() < begin_, a.first} > std::pair{b.last() < begin_, b.first};
    };
    std::sort(found_.begin(), found_.end(), later);
    open_.insert(open_.end(), found_.begin(), found_.end());
    found_.clear();
}

}  // namespace unlearn::protocol
