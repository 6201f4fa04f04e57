#include "node/learning/product_turn.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace unlearn::learning {
namespace {

// With a plain mutex, a training thread could take it again and again while others wait.
class TicketLock {
  public:
    void lock() {
        std::unique_lock guard(mutex_);
        const std::uint64_t mine = next_++;
        served_.wait(guard, [&] { return mine == serving_; });
    }

    void unlock() {
        {
            const std::lock_guard guard(mutex_);
            ++serving_;
        }
        served_.notify_all();
    }

  private:
    std::mutex mutex_;
    std::condition_variable served_;
    std::uint64_t next_ = 0;
    std::uint64_t serving_ = 0;
};

std::atomic<bool> products_take_turns{false};

TicketLock& turns() {
    static TicketLock lock;
    return lock;
}

}  // namespace

void let_products_take_turns(bool on) {
    products_take_turns = on;
}

ProductTurn::ProductTurn() : held_(products_take_turns) {
    if (held_) turns().lock();
}

ProductTurn::~ProductTurn() {
    if (held_) turns().unlock();
}

}  // namespace unlearn::learning
