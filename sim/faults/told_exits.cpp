#include "sim/faults/told_exits.hpp"

#include <utility>

namespace unlearn::sim::faults {

using namespace protocol;

void ToldExits::take_all(std::set<ExitedId> unknown) {
    covered_ = {IdRange{}};
    unknown_ = std::move(unknown);
}

void ToldExits::take(const ExitQuery& query, const ExitAnswer& answer, const ExitSet& here) {
    if (answer.all == fingerprint_of(query.salt, here.digest())) return take_all({});
    for (std::size_t i = 0; i < query.ranges.size() && i < answer.ranges.size(); ++i) {
        const auto& range = query.ranges[i];
        const auto& told = answer.ranges[i];
        if (told.occupied == 0) {
            covered_.insert(range);
            for (const auto& id : told.ids)
                if (!here.contains(id)) unknown_.insert(id);
            continue;
        }
        std::size_t at = 0;
        for (std::uint8_t digit = 0; digit < kRangeParts; ++digit) {
            const IdRange part = range.part(digit);
            const bool occupied = (told.occupied >> digit & 1U) != 0;
            if (!occupied || told.parts[at] == fingerprint_of(query.salt, here.digest(part)))
                covered_.insert(part);
            if (occupied) ++at;
        }
    }
}

void ToldExits::learnt(const std::function<bool(const ExitedId&)>& is_known) {
    std::erase_if(unknown_, is_known);
}

bool ToldExits::rules_out(const ExitedId& owner) const {
    if (unknown_.contains(owner)) return false;
    for (std::uint8_t digits = 0; digits <= kIdDigits; ++digits)
        if (covered_.contains(IdRange::around(owner, digits))) return true;
    return false;
}

bool ToldExits::covers(const IdRange& range) const {
    if (covered_.contains(range)) return true;
    const auto inside = covered_.lower_bound(range);
    if (inside == covered_.end() || !range.contains(*inside)) return false;
    for (std::uint8_t digit = 0; digit < kRangeParts; ++digit)
        if (!covers(range.part(digit))) return false;
    return true;
}

}  // namespace unlearn::sim::faults
