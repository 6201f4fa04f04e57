#include "node/storage/storage_thread.hpp"

#include <utility>

namespace unlearn::storage {

using protocol::Result;

StorageThread::StorageThread(std::unique_ptr<Store> store)
    : batches_(std::move(store)), thread_([this] { run(); }) {}

StorageThread::~StorageThread() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

Result<void> StorageThread::submit(std::vector<protocol::StoreOp> ops, Done done) {
    return add({std::move(ops), std::move(done), {}});
}

Result<void> StorageThread::post(std::function<void(Store&)> task) {
    return add({{}, {}, std::move(task)});
}

Result<void> StorageThread::add(BatchQueue::Batch batch) {
    auto added = batches_.add(std::move(batch));
    // Taking the lock once ensures that the thread does not miss the batch between its check of the queue and
    // its sleep.
    { const std::lock_guard lock(mutex_); }
    wake_.notify_one();
    return added;
}

void StorageThread::run() {
    while (true) {
        wait();
        auto batches = batches_.take();
        if (batches.empty()) return;
        batches_.carry_out(std::move(batches));
    }
}

void StorageThread::wait() {
    const auto ready = [this] { return ending_ || !batches_.empty(); };
    std::unique_lock lock(mutex_);
    if (wake_.wait_for(lock, kSettleAfter, ready)) return;
    lock.unlock();
    batches_.settle();
    lock.lock();
    wake_.wait(lock, ready);
}

}  // namespace unlearn::storage
