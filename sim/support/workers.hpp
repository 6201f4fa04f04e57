#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include <boost/asio/thread_pool.hpp>

#include "node/network/asio.hpp"

namespace unlearn::sim::support {

/// A fixed number of worker threads for training and scoring, each computing on one thread.
class Workers {
  public:
    explicit Workers(std::size_t threads) : pool_(threads) {}
    ~Workers() { pool_.join(); }

    /// Calls `job(0)` to `job(count - 1)` on the workers and waits for all of them. Returns the first error,
    /// if there is one; jobs that have not begun by then are skipped.
    [[nodiscard]] std::optional<std::string> for_each(
        std::size_t count, const std::function<std::optional<std::string>(std::size_t)>& job);

    [[nodiscard]] boost::asio::thread_pool& pool() { return pool_; }

  private:
    boost::asio::thread_pool pool_;
};

}  // namespace unlearn::sim::support
