#include "protocol/engine/writes.hpp"

#include <algorithm>
#include <utility>

#include "protocol/limits.hpp"

namespace unlearn::protocol {

/// Only where a later write replaces or erases what an earlier one stored does their order matter. All other
/// records keep the first or the highest, whichever comes when.
std::optional<Writes::Key> Writes::key_of(const StoreOp& op) {
    enum Table : int { held_seed, own_seed, peer, restored, copied, member, followed_key, own_membership };
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
        std::optional<Key> operator()(const PutRevocation&) const { return std::nullopt; }
        std::optional<Key> operator()(const PutSuccession&) const { return std::nullopt; }
        std::optional<Key> operator()(const PutMember& put) const { return Key{member, put.member}; }
        std::optional<Key> operator()(const DropMember& drop) const { return Key{member, drop.member}; }
        std::optional<Key> operator()(const PutFollowedKey&) const { return Key{followed_key, {}}; }
        std::optional<Key> operator()(const PutOwnMembership&) const { return Key{own_membership, {}}; }
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

/// True when all of it came from a peer and can be had again or done without. A promise is never among it: no
/// exit, no erasure, no recipient and no receipt.
bool Writes::is_of_a_peer(const std::vector<StoreOp>& ops) {
    return std::all_of(ops.begin(), ops.end(), [](const StoreOp& op) {
        return std::holds_alternative<PutHeldSeed>(op) || std::holds_alternative<PutHeldLease>(op) ||
               std::holds_alternative<PutEquivocation>(op) || std::holds_alternative<PutAsked>(op) ||
               std::holds_alternative<PutPeerList>(op) || std::holds_alternative<PutPeerState>(op);
    });
}

std::chrono::milliseconds Writes::retry_after(std::uint32_t failures) {
    auto wait = kStoreRetryFirst;
    for (std::uint32_t i = 1; i < failures && wait < kStoreRetryMost; ++i)
        wait *= 2;
    return std::min(wait, kStoreRetryMost);
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
    if (write->second.failures > 0) --failing_;
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
    disk_works_ = true;
    if (failing_ == 0)
        if (const auto told = outage_.end(context_.now.steady))
            context_.note(EventKind::store_recovered, {}, {}, *told);
    return then;
}

std::optional<AfterWrite> Writes::fail(const StoreFailed& failed) {
    const auto it = waiting_.find(failed.ticket);
    if (it == waiting_.end() || it->second.state != State::asked) return std::nullopt;
    ++context_.counters.store_failures;
    if (failed.for_good) return fail_for_good(it, failed.reason);
    Waiting& write = it->second;
    if (write.failures++ == 0) ++failing_;
    write.state = State::failed;
    ++not_asked_;
    disk_works_ = false;
    write.may_retry_at = context_.now.steady + kStoreRetryFirst;
    write.retry_at = context_.now.steady + retry_after(write.failures);
    auto told = outage_.fail(failed.reason, context_.now.steady);
    // Whoever publishes a seed waits for it, and is told why it takes so long.
    const bool is_waited_for = std::holds_alternative<after_write::OwnSeedStored>(write.then);
    if (!told && is_waited_for && write.failures == 1) told = failed.reason;
    if (told) context_.note(EventKind::store_failed, {}, {}, *told);
    return std::nullopt;
}

/// What a peer sent is given up. A record of our own is kept, and so is all that waits for it: what follows
/// it must not happen without it, and the process has to stop.
std::optional<AfterWrite> Writes::fail_for_good(Iterator write, const std::string& reason) {
    if (!is_of_a_peer(write->second.ops)) {
        write->second.state = State::impossible;
        ++not_asked_;
        context_.note(EventKind::store_impossible, {}, {}, reason);
        return std::nullopt;
    }
    AfterWrite then = std::move(write->second.then);
    remove(write);
    return then;
}

void Writes::tick() {
    if (not_asked_ == 0) return;
    for (const auto& [ticket, write] : waiting_) {
        if (write.state != State::failed) continue;
        // After any success the disk may be well again, so what failed does not wait for its own time.
        const SteadyTime due = disk_works_ ? write.may_retry_at : write.retry_at;
        if (due <= context_.now.steady) ask_if_first(ticket);
    }
}

void Writes::forget_unwanted() {
    if (not_asked_ == 0) return;
    for (auto it = waiting_.begin(); it != waiting_.end();)
        it = it->second.state != State::asked && !wanted_(it->second.then) ? remove(it) : std::next(it);
}

}  // namespace unlearn::protocol
