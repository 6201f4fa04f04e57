#include "node/network/send_queue.hpp"

#include <cassert>

#include "node/network/limits.hpp"

namespace unlearn::network {

bool SendQueue::push(Frames frames, Priority priority) {
    const std::size_t size = wire_size(frames);
    if (bytes_ + size > kMaxQueuedBytes) return false;
    bytes_ += size;
    lanes_[static_cast<std::size_t>(priority)].push_back({std::move(frames), size});
    return true;
}

bool SendQueue::empty() const {
    return first_lane() == kPriorities;
}

Priority SendQueue::next_priority() const {
    assert(!empty());
    return static_cast<Priority>(first_lane());
}

Frames& SendQueue::next() {
    assert(!empty());
    return lanes_[first_lane()].front().frames;
}

void SendQueue::pop() {
    assert(!empty());
    auto& lane = lanes_[first_lane()];
    bytes_ -= lane.front().bytes;
    lane.pop_front();
}

void SendQueue::drop_bulk() {
    auto& lane = lanes_[static_cast<std::size_t>(Priority::bulk)];
    for (const Entry& entry : lane)
        bytes_ -= entry.bytes;
    lane.clear();
}

void SendQueue::clear() {
    for (auto& lane : lanes_)
        lane.clear();
    bytes_ = 0;
}

std::size_t SendQueue::first_lane() const {
    std::size_t lane = 0;
    while (lane < kPriorities && lanes_[lane].empty())
        ++lane;
    return lane;
}

}  // namespace unlearn::network
