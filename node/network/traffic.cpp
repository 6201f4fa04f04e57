#include "node/network/traffic.hpp"

namespace unlearn::network {
namespace {

TrafficCount sum(const std::array<TrafficCount, TrafficCounters::kKinds>& counts) {
    TrafficCount total;
    for (const TrafficCount& count : counts) {
        total.messages += count.messages;
        total.bytes += count.bytes;
    }
    return total;
}

void add(std::array<TrafficCount, TrafficCounters::kKinds>& counts, std::uint8_t kind, std::uint64_t bytes) {
    TrafficCount& count = counts[kind < TrafficCounters::kKinds ? kind : 0];
    ++count.messages;
    count.bytes += bytes;
}

}  // namespace

std::uint64_t wire_size(const Frames& frames) {
    std::uint64_t total = 0;
    for (const protocol::Bytes& frame : frames)
        total += wire_size_of_frame(frame.size());
    return total;
}

void TrafficCounters::count_sent(std::uint8_t kind, std::uint64_t bytes) {
    add(sent, kind, bytes);
}

void TrafficCounters::count_received(const Frames& frames) {
    add(received, kind_number(frames), wire_size(frames));
}

TrafficCount TrafficCounters::total_sent() const {
    return sum(sent);
}

TrafficCount TrafficCounters::total_received() const {
    return sum(received);
}

}  // namespace unlearn::network
