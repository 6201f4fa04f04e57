#include "sim/baselines/team.hpp"

#include <exception>

#include <ATen/Parallel.h>

#include "sim/baselines/cpu_clock.hpp"

namespace unlearn::sim::baselines {

Team::Team(std::size_t workers) {
    for (std::size_t i = 0; i < workers; ++i)
        threads_.emplace_back([this, i] { work(i); });
}

Team::~Team() {
    {
        const std::lock_guard lock(mutex_);
        over_ = true;
    }
    changed_.notify_all();
    for (auto& thread : threads_)
        thread.join();
}

Result<double> Team::for_each(std::size_t count, const Job& job) {
    std::unique_lock lock(mutex_);
    job_ = &job;
    next_ = 0;
    count_ = count;
    cpu_seconds_ = 0.0;
    error_.reset();
    ++call_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return next_ >= count_ && busy_ == 0; });
    job_ = nullptr;
    if (error_) return failed_with(*error_);
    return cpu_seconds_;
}

void Team::work(std::size_t worker) {
    at::init_num_threads();  // applies the fixed thread count, which OpenMP keeps for each thread
    std::size_t seen = 0;
    std::unique_lock lock(mutex_);
    while (true) {
        changed_.wait(lock, [&] { return over_ || call_ != seen; });
        if (over_) return;
        seen = call_;
        ++busy_;
        do_items(worker, lock);
        if (--busy_ == 0) changed_.notify_all();
    }
}

void Team::do_items(std::size_t worker, std::unique_lock<std::mutex>& lock) {
    const double started = thread_cpu_seconds();
    while (next_ < count_) {
        const std::size_t index = next_++;
        const Job& job = *job_;
        lock.unlock();
        std::optional<std::string> error;
        try {
            error = job(worker, index);
        } catch (const std::exception& exception) {  // from LibTorch, or std::bad_alloc
            error = exception.what();
        }
        lock.lock();
        // The other items are still done, because the reported error must not depend on which worker was
        // first.
        if (error && (!error_ || index < failed_)) {
            error_ = std::move(error);
            failed_ = index;
        }
    }
    cpu_seconds_ += thread_cpu_seconds() - started;
}

}  // namespace unlearn::sim::baselines
