#include "node/storage/batch_queue.hpp"

#include <algorithm>
#include <bit>
#include <iterator>
#include <utility>
#include <variant>

namespace unlearn::storage {

using namespace protocol;

namespace {

std::size_t payload_bytes(const std::vector<StoreOp>& ops) {
    std::size_t bytes = 0;
    for (const StoreOp& op : ops)
        if (const auto* seed = std::get_if<PutHeldSeed>(&op); seed != nullptr && seed->payload)
            bytes += seed->payload->size();
    return bytes;
}

}  // namespace

std::chrono::microseconds StorageCounters::latency_at(double quantile) const {
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < by_power_of_two.size(); ++i) {
        seen += by_power_of_two[i];
        if (seen > 0 && static_cast<double>(seen) >= quantile * static_cast<double>(batches))
            return std::min(longest_latency, std::chrono::microseconds(std::int64_t{1} << i));
    }
    return longest_latency;
}

Result<void> BatchQueue::add(Batch batch) {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= kMaxQueuedBatches)
        return fail(ErrorCode::internal, store_->directory().string() + ": too many writes are waiting");
    queue_.push_back(std::move(batch));
    return {};
}

bool BatchQueue::empty() const {
    const std::lock_guard lock(mutex_);
    return queue_.empty();
}

StorageCounters BatchQueue::counters() const {
    const std::lock_guard lock(mutex_);
    auto out = counters_;
    out.waiting = queue_.size();
    return out;
}

std::optional<Error> BatchQueue::failure() const {
    const std::lock_guard lock(mutex_);
    return failure_;
}

std::vector<BatchQueue::Batch> BatchQueue::take() {
    const std::lock_guard lock(mutex_);
    std::vector<Batch> out;
    std::size_t bytes = 0;
    while (!queue_.empty() && out.size() < kMaxSharedBatches) {
        bytes += payload_bytes(queue_.front().ops);
        const bool alone = queue_.front().task || (!out.empty() && out.back().task);
        if (!out.empty() && (alone || bytes > kMaxSharedBytes)) break;
        out.push_back(std::move(queue_.front()));
        queue_.pop_front();
    }
    return out;
}

void BatchQueue::settle() {
    if (store_->settle()) return;
    // Nothing is lost: the next erasure does this work itself, and the next quiet moment tries again.
    const std::lock_guard lock(mutex_);
    ++counters_.housekeeping_failures;
}

void BatchQueue::carry_out(std::vector<Batch> batches) {
    if (batches.empty()) return;
    if (batches.front().task) return batches.front().task(*store_);
    if (batches.size() > 1) {
        std::vector<StoreOp> shared;
        for (const Batch& batch : batches)
            std::copy(batch.ops.begin(), batch.ops.end(), std::back_inserter(shared));
        const auto applied = store_->apply(shared);
        shared.clear();  // frees the payloads before `done` reports that they are erased
        if (applied) {
            count_transaction();
            for (Batch& batch : batches)
                complete(batch, applied);
            return;
        }
    }
    for (Batch& batch : batches) {
        auto applied = store_->apply(batch.ops);
        count_transaction();
        complete(batch, std::move(applied));
    }
}

void BatchQueue::count_transaction() {
    const std::lock_guard lock(mutex_);
    ++counters_.transactions;
}

void BatchQueue::complete(Batch& batch, Result<void> result) {
    const auto latency = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - batch.submitted);
    {
        const std::lock_guard lock(mutex_);
        ++counters_.batches;
        failure_ = store_->failure();
        if (!result) ++counters_.failures;
        counters_.total_latency += latency;
        counters_.longest_latency = std::max(counters_.longest_latency, latency);
        const auto power =
            static_cast<std::size_t>(std::bit_width(static_cast<std::uint64_t>(latency.count())));
        ++counters_.by_power_of_two[std::min(power, counters_.by_power_of_two.size() - 1)];
    }
    batch.ops.clear();  // for the same reason as above
    if (batch.done) batch.done(std::move(result));
}

}  // namespace unlearn::storage
