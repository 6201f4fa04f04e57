#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "node/storage/batch_queue.hpp"

namespace unlearn::storage {

/// Owns a `Store` and the one thread that uses it. All public functions may be called from any thread; `done`
/// and `task` run on the storage thread.
class StorageThread final : public AsyncStore {
  public:
    explicit StorageThread(std::unique_ptr<Store> store);
    /// Carries out everything that is queued, calls every `done`, and then closes the store.
    ~StorageThread() override;
    StorageThread(const StorageThread&) = delete;
    StorageThread& operator=(const StorageThread&) = delete;

    [[nodiscard]] protocol::Result<void> submit(std::vector<protocol::StoreOp> ops, Done done) override;
    [[nodiscard]] protocol::Result<void> post(std::function<void(Store&)> task) override;
    [[nodiscard]] StorageCounters counters() const override { return batches_.counters(); }
    [[nodiscard]] std::optional<protocol::Error> failure() const override { return batches_.failure(); }

  private:
    [[nodiscard]] protocol::Result<void> add(BatchQueue::Batch batch);
    void run();
    /// Waits until there is something to do, or it is time to end.
    void wait();

    BatchQueue batches_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool ending_ = false;  // guarded by mutex_
    std::jthread thread_;  // last, so that it starts after all other members exist
};

}  // namespace unlearn::storage
