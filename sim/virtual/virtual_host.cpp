#include "sim/virtual/virtual_host.hpp"

#include <utility>

#include "node/storage/batch_queue.hpp"

namespace unlearn::sim::virtual_world {

using protocol::Result;
using protocol::SteadyTime;

namespace {

/// The world begins in November 2023.
constexpr protocol::WallTime kBegin{std::chrono::seconds{1'700'000'000}};

class VirtualTimer final : public runtime::Timer {
  public:
    explicit VirtualTimer(std::weak_ptr<VirtualHost> host) : host_(std::move(host)) {}
    ~VirtualTimer() override { cancel(); }

    void set(std::chrono::milliseconds after, std::function<void()> then) override {
        cancel();
        current_ = std::make_shared<bool>(true);
        if (const auto host = host_.lock())
            host->run_later(after, [current = current_, then = std::move(then)] {
                if (*current) then();
            });
    }
    void cancel() override {
        if (current_) *current_ = false;
    }

  private:
    std::weak_ptr<VirtualHost> host_;
    std::shared_ptr<bool> current_;
};

/// The production store and queue, driven by the world's clock instead of a thread.
class VirtualStore final : public storage::AsyncStore {
  public:
    VirtualStore(std::shared_ptr<VirtualHost> host, const VirtualDisk& disk,
                 const VirtualHost::Options& options, std::unique_ptr<storage::Store> store)
        : host_(std::move(host)), disk_(disk), options_(options), batches_(std::move(store)) {}

    /// Like the storage thread, this finishes what was asked for, unless the machine died.
    ~VirtualStore() override {
        *alive_ = false;
        while (!disk_.crashed() && !batches_.empty())
            batches_.carry_out(batches_.take());
    }

    [[nodiscard]] Result<void> submit(std::vector<protocol::StoreOp> ops, Done done) override {
        const bool early = options_.answers_before_durable && options_.answers_before_durable(ops);
        if (options_.stored) ops = options_.stored(std::move(ops));
        if ((early || ops.empty()) && done) std::exchange(done, nullptr)({});
        return add({std::move(ops), std::move(done), {}});
    }
    [[nodiscard]] Result<void> post(std::function<void(storage::Store&)> task) override {
        return add({{}, {}, std::move(task)});
    }
    [[nodiscard]] storage::StorageCounters counters() const override { return batches_.counters(); }
    [[nodiscard]] std::optional<protocol::Error> failure() const override { return batches_.failure(); }

  private:
    [[nodiscard]] Result<void> add(storage::BatchQueue::Batch batch) {
        auto added = batches_.add(std::move(batch));
        if (added && !std::exchange(working_, true)) work_later();
        return added;
    }
    void work_later() {
        host_->run_later(options_.write_latency ? options_.write_latency() : SteadyTime{1000},
                         [this, alive = alive_] {
                             if (*alive) work();
                         });
    }
    void work() {
        batches_.carry_out(batches_.take());
        if (!batches_.empty()) return work_later();
        working_ = false;
        host_->run_later(storage::kSettleAfter, [this, alive = alive_] {
            if (*alive && !working_ && !disk_.crashed()) batches_.settle();
        });
    }

    std::shared_ptr<VirtualHost> host_;
    const VirtualDisk& disk_;
    VirtualHost::Options options_;
    storage::BatchQueue batches_;
    bool working_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

/// Answers but stores nothing: for networks in which no node ever restarts.
class ForgetfulStore final : public storage::AsyncStore {
  public:
    explicit ForgetfulStore(std::shared_ptr<VirtualHost> host) : host_(std::move(host)) {}

    [[nodiscard]] Result<void> submit(std::vector<protocol::StoreOp>, Done done) override {
        ++counters_.batches;
        host_->run_later(SteadyTime{1000}, [done = std::move(done)] { done({}); });
        return {};
    }
    [[nodiscard]] Result<void> post(std::function<void(storage::Store&)>) override {
        return protocol::fail(protocol::ErrorCode::internal, "this node has no disk");
    }
    [[nodiscard]] storage::StorageCounters counters() const override { return counters_; }
    [[nodiscard]] std::optional<protocol::Error> failure() const override { return std::nullopt; }

  private:
    std::shared_ptr<VirtualHost> host_;
    storage::StorageCounters counters_;
};

}  // namespace

VirtualHost::VirtualHost(VirtualTime& time, VirtualDisk& disk, Options options)
    : time_(time),
      disk_(disk),
      options_(std::move(options)),
      random_(options_.seed),
      clock_error_(options_.clock_error) {}

protocol::Now VirtualHost::now() const {
    return {time_.now(),
            kBegin + clock_error_ + std::chrono::duration_cast<std::chrono::seconds>(time_.now())};
}

void VirtualHost::run_later(SteadyTime delay, std::function<void()> task) {
    time_.after(delay, [self = shared_from_this(), task = std::move(task)]() mutable {
        if (self->paused_until_ <= self->time_.now()) return task();
        self->run_later(self->paused_until_ - self->time_.now(), std::move(task));
    });
}

std::unique_ptr<runtime::Timer> VirtualHost::make_timer() {
    return std::make_unique<VirtualTimer>(weak_from_this());
}

Result<runtime::OpenedStorage> VirtualHost::open_storage(const std::filesystem::path& directory,
                                                         const storage::Binding& binding,
                                                         std::uint64_t log_entries) {
    if (options_.forgets)
        return runtime::OpenedStorage{{}, {}, std::make_unique<ForgetfulStore>(shared_from_this())};
    auto opened = runtime::open_store(
        directory, binding,
        [self = weak_from_this()] {
            const auto host = self.lock();
            return host ? host->now().wall : protocol::WallTime{};
        },
        disk_, log_entries);
    if (!opened) return tl::unexpected(opened.error());
    if (options_.after_load) options_.after_load(opened->state);
    return runtime::OpenedStorage{
        std::move(opened->state), std::move(opened->damaged),
        std::make_unique<VirtualStore>(shared_from_this(), disk_, options_, std::move(opened->store))};
}

}  // namespace unlearn::sim::virtual_world
