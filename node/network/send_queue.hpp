#pragma once

#include <array>
#include <cstddef>
#include <deque>

#include "node/network/transport.hpp"

namespace unlearn::network {

/// The messages that wait to be sent to one peer: bounded, urgent first, in order within each priority.
/// libzmq's own queue is kept as short as possible, because a message in it can no longer be overtaken. Not
/// thread-safe.
class SendQueue {
  public:
    /// Adds a message. @return false when the queue would grow beyond kMaxQueuedBytes; the message is then
    /// not added.
    [[nodiscard]] bool push(Frames frames, Priority priority);

    [[nodiscard]] bool empty() const;
    [[nodiscard]] std::size_t bytes() const { return bytes_; }
    /// The priority and the message that go next. The queue must not be empty.
    [[nodiscard]] Priority next_priority() const;
    [[nodiscard]] Frames& next();
    void pop();

    void drop_bulk();
    void clear();

  private:
    static constexpr std::size_t kPriorities = 3;
    struct Entry {
        Frames frames;
        std::size_t bytes = 0;
    };
    [[nodiscard]] std::size_t first_lane() const;

    std::array<std::deque<Entry>, kPriorities> lanes_;
    std::size_t bytes_ = 0;
};

}  // namespace unlearn::network
