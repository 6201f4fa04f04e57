#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

#include "protocol/engine/fetch.hpp"

namespace unlearn::sim::virtual_world {

/// The only clock of a simulated world. Time stands still while a task runs, then jumps to the next task.
/// Tasks of one moment run in the order in which they were scheduled.
class VirtualTime {
  public:
    using Task = std::function<void()>;

    [[nodiscard]] protocol::SteadyTime now() const { return now_; }
    void after(protocol::SteadyTime delay, Task task) { at(now_ + delay, std::move(task)); }
    void at(protocol::SteadyTime when, Task task);

    [[nodiscard]] bool has_next() const { return !queue_.empty(); }
    [[nodiscard]] protocol::SteadyTime next() const { return queue_.top().when; }
    void run_next();
    /// Runs everything up to `end` and leaves the clock there.
    void run_until(protocol::SteadyTime end) {
        run_while(end, [] { return true; });
    }
    /// Does the same, as long as `go_on` returns true after each task.
    template <typename GoOn>
    void run_while(protocol::SteadyTime end, GoOn&& go_on) {
        while (has_next() && next() <= end) {
            run_next();
            if (!go_on()) return;
        }
        now_ = std::max(now_, end);
    }
    [[nodiscard]] std::uint64_t tasks_run() const { return tasks_run_; }

  private:
    struct Entry {
        protocol::SteadyTime when;
        std::uint64_t number;
        Task task;
        bool operator<(const Entry& other) const {
            return when != other.when ? when > other.when : number > other.number;
        }
    };
    std::priority_queue<Entry> queue_;
    protocol::SteadyTime now_{std::chrono::seconds{1}};
    std::uint64_t next_number_ = 0;
    std::uint64_t tasks_run_ = 0;
};

}  // namespace unlearn::sim::virtual_world
