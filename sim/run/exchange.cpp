#include "sim/run/exchange.hpp"

namespace unlearn::sim::run {

using protocol::EventKind;

Exchange::Exchange(const Pairs& expected, protocol::SeedVersion version) : version_(version) {
    for (const auto& pair : expected)
        arrived_.emplace(pair, false);
}

void Exchange::look_at(const std::vector<EventLog::Entry>& entries) {
    for (; seen_ < entries.size(); ++seen_)
        look_at(entries[seen_]);
}

void Exchange::look_at(const EventLog::Entry& entry) {
    const Pair pair{entry.node, entry.subject};
    const auto give_up = [&](const std::string& what) {
        if (!failure_) failure_ = entry.node + ": " + what;
    };
    switch (entry.event.kind) {
        case EventKind::seed_installed:
        case EventKind::seed_suspended: {
            // A new seed that is suspended at once is held aside.
            const auto found = arrived_.find(pair);
            if (entry.event.version != version_ || found == arrived_.end() || found->second) return;
            found->second = true;
            ++count_;
            return;
        }
        case EventKind::seed_refused:
            return give_up(entry.node == entry.subject
                               ? "its own seed cannot be published: " + entry.event.detail
                               : "refuses the seed of " + entry.subject + ": " + entry.event.detail);
        case EventKind::peer_dropped:
            return give_up("drops " + entry.subject + ": " + entry.event.detail);
        case EventKind::store_failed:
        case EventKind::store_impossible:
            return give_up("cannot store what it has to keep: " + entry.event.detail);
        case EventKind::peer_up:
            last_word_.erase(pair);
            return;
        case EventKind::peer_down:
        case EventKind::peer_suspect:
        case EventKind::peer_unresolved:
            last_word_[pair] = protocol::name_of(entry.event.kind);
            if (!entry.event.detail.empty()) last_word_[pair] += ": " + entry.event.detail;
            return;
        default:
            return;
    }
}

std::string Exchange::progress() const {
    constexpr std::size_t kMostNamed = 3;
    std::string line = std::to_string(count_) + " of " + std::to_string(arrived_.size()) + " seeds arrived";
    std::size_t named = 0;
    for (const auto& [pair, arrived] : arrived_) {
        if (arrived) continue;
        if (++named > kMostNamed) return line + ", ...";
        line += (named == 1 ? "; missing: that of " : ", that of ") + pair.second + " at " + pair.first;
        if (const auto word = last_word_.find(pair); word != last_word_.end())
            line += " (" + word->second + ")";
    }
    return line;
}

}  // namespace unlearn::sim::run
