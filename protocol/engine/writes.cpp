#include "protocol/engine/writes.hpp"

#include <algorithm>
#include <utility>

#include "protocol/limits.hpp"

namespace unlearn::protocol {

/// Only where a later write replaces or erases what an earlier one stored does their order matter. All other
/// records keep the first or the highest, whichever comes when.
std::optional<Writes::Key> Writes::key_of(const StoreOp& op) {
    enum Table : int { held_seed, own_seed, peer, restored, copied };
    struct Visitor {
        std::optional<Key> operator()(const PutHeldSeed& put) const { return Key{held_seed, put.owner}; }
        std::optional<Key> operator()(const EraseHeldSeed& erase) const {
            return Key{held_seed, erase.owner};
        }
        std::optional<Key> operator()(const PutHeldLease& put) const { return Key{held_seed, put.owner}; }
        // The exit erases our own seed, so the seed must not be written after it.
        std::optional<Key> operator()(const PutOwnSeed&) const { return Key{own_seed, {}}; }
        std::optional<Key> operator()(const PutExiting&) const { return Key{own_seed, {}}; }
        std::optional<Key> operator()(const PutPeer& put) const { return Key{peer, put.peer}; }
        std::optional<Key> operator()(const PutTombstone&) const { return std::nullopt; }
        std::optional<Key> operator()(const PutRecipient&) const { return std::nullopt; }
        std::optional<Key> operator()(const PutReceipt&) const { return std::nullopt; }
        std::optional<Key> operator()(const PutHolderList&) const { return std::nullopt; }
        std::optional<Key> operator()(const PutPeerList&) const { return std::nullopt; }
        std::optional<Key> operator()(const PutAsked&) const { return std::nullopt; }
        std::optional<Key> operator()(const PutOwnLease&) const { return std::nullopt; }
        std::optional<Key> operator()(const PutLeftReceipt&) const { return std::nullopt; }
        std::optional<Key> operator()(const PutEquivocation&) const { return std::nullopt; }
        std::optional<Key> operator()(const PutRetired&) const { return std::nullopt; }
        std::optional<Key> operator()(const PutStart&) const { return std::nullopt; }
        std::optional<Key> operator()(const PutPeerState&) const { return std::nullopt; }
        std::optional<Key> operator()(const SetRestored&) const { return Key{restored, {}}; }
        std::optional<Key> operator()(const ClearRestored&) const { return Key{restored, {}}; }
        std::optional<Key> operator()(const PutCopied&) const { return Key{copied, {}}; }
    };
    return std::visit(Visitor{}, op);
}

std::vector<Writes::Key> Writes::keys_of(const std::vector<StoreOp>& ops) {
    std::vector<Key> keys;
    for (const StoreOp& op : ops)
        if (const auto key = key_of(op)) keys.push_back(*key);
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    return keys;
}

void Writes::persist(std::vector<StoreOp> ops, AfterWrite then) {
    const Ticket ticket = next_ticket_++;
    auto keys = keys_of(ops);
    for (const Key& key : keys)
        order_[key].insert(ticket);
    waiting_.emplace(ticket, Waiting{std::move(ops), std::move(then), std::move(keys)});
    ++not_asked_;
    ask_if_first(ticket);
}

void Writes::ask_if_first(Ticket ticket) {
    Waiting& write = waiting_.at(ticket);
    const bool first = std::all_of(write.keys.begin(), write.keys.end(),
                                   [&](const Key& key) { return *order_.at(key).begin() == ticket; });
    if (write.state == State::asked || !first) return;
    write.state = State::asked;
    --not_asked_;
    context_.emit(Persist{ticket, write.ops});
}

Writes::Iterator Writes::remove(Iterator write) {
    const Ticket ticket = write->first;
    const std::vector<Key> keys = std::move(write->second.keys);
    if (write->second.state != State::asked) --not_asked_;
    const auto next = waiting_.erase(write);
    std::set<Ticket> held_up;
    for (const Key& key : keys) {
        const auto queue = order_.find(key);
        queue->second.erase(ticket);
        if (queue->second.empty())
            order_.erase(queue);
        else
            held_up.insert(*queue->second.begin());
    }
    for (const Ticket follower : held_up)
        if (waiting_.at(follower).state == State::blocked) ask_if_first(follower);
    return next;
}

std::optional<AfterWrite> Writes::take(const Stored& done) {
    const auto it = waiting_.find(done.ticket);
    if (it == waiting_.end()) return std::nullopt;
    AfterWrite then = std::move(it->second.then);
    remove(it);
    return then;
}

void Writes::fail(const StoreFailed& failed) {
    const auto it = waiting_.find(failed.ticket);
    if (it == waiting_.end() || it->second.state != State::asked) return;
    ++context_.counters.store_failures;
    context_.note(EventKind::store_failed, {}, {}, failed.reason);
    it->second.state = State::failed;
    it->second.retry_at = context_.now.steady + kStoreRetry;
    ++not_asked_;
}

void Writes::tick() {
    if (not_asked_ == 0) return;
    for (const auto& [ticket, write] : waiting_)
        if (write.state == State::failed && write.retry_at <= context_.now.steady) ask_if_first(ticket);
}

void Writes::forget_unwanted() {
    if (not_asked_ == 0) return;
    for (auto it = waiting_.begin(); it != waiting_.end();)
        it = it->second.state != State::asked && !wanted_(it->second.then) ? remove(it) : std::next(it);
}

}  // namespace unlearn::protocol
