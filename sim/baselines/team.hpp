#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "sim/result.hpp"

namespace unlearn::sim::baselines {

/// Worker threads that live as long as the team, so that each can keep memory of its own between rounds.
/// Counts their CPU time. Fix LibTorch's thread counts at 1 first (learning/threads.hpp). Only one thread at
/// a time may hand out work.
class Team {
  public:
    /// Does the work for item `index` in worker `worker` (0 to size() - 1). @return an error, or nothing.
    using Job = std::function<std::optional<std::string>(std::size_t worker, std::size_t index)>;

    explicit Team(std::size_t workers);
    ~Team();
    Team(const Team&) = delete;
    Team& operator=(const Team&) = delete;

    [[nodiscard]] std::size_t size() const { return threads_.size(); }

    /// Calls `job` for every index below `count` on whichever worker is free, and waits for all. @return the
    /// CPU seconds of the workers, or the error of the lowest index that failed.
    [[nodiscard]] Result<double> for_each(std::size_t count, const Job& job);

  private:
    void work(std::size_t worker);
    void do_items(std::size_t worker, std::unique_lock<std::mutex>& lock);

    std::mutex mutex_;
    std::condition_variable changed_;
    const Job* job_ = nullptr;
    std::size_t next_ = 0;
    std::size_t count_ = 0;
    std::size_t busy_ = 0;      // number of workers inside do_items()
    std::size_t call_ = 0;      // number of calls of for_each() so far
    double cpu_seconds_ = 0.0;  // CPU seconds of this call
    std::size_t failed_ = 0;    // the lowest index that failed in this call
    std::optional<std::string> error_;
    bool over_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace unlearn::sim::baselines
