#include "protocol/engine/writes.hpp"

#include <utility>

#include "protocol/limits.hpp"

namespace unlearn::protocol {

void Writes::persist(std::vector<StoreOp> ops, AfterWrite then) {
    const Ticket ticket = next_ticket_++;
    context_.emit(Persist{ticket, ops});
    waiting_.emplace(ticket, Waiting{std::move(ops), std::move(then), std::nullopt});
}

std::optional<AfterWrite> Writes::take(const Stored& done) {
    const auto it = waiting_.find(done.ticket);
    if (it == waiting_.end()) return std::nullopt;
    AfterWrite then = std::move(it->second.then);
    waiting_.erase(it);
    return then;
}

void Writes::fail(const StoreFailed& failed) {
    const auto it = waiting_.find(failed.ticket);
    if (it == waiting_.end()) return;
    ++context_.counters.store_failures;
    it->second.retry_at = context_.now.steady + kStoreRetry;
    context_.note(EventKind::store_failed, {}, {}, failed.reason);
}

void Writes::tick(const std::function<bool(const AfterWrite&)>& wanted) {
    for (auto it = waiting_.begin(); it != waiting_.end();) {
        auto& [ticket, write] = *it;
        if (!write.retry_at || *write.retry_at > context_.now.steady) {
            ++it;
            continue;
        }
        write.retry_at.reset();
        if (!wanted(write.then)) {
            it = waiting_.erase(it);
            continue;
        }
        context_.emit(Persist{ticket, write.ops});
        ++it;
    }
}

}  // namespace unlearn::protocol
