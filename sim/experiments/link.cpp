#include "sim/experiments/link.hpp"

#include <algorithm>

#include "node/network/traffic.hpp"

namespace unlearn::sim::experiments {

using namespace std::chrono_literals;
using protocol::NodeId;
using protocol::SteadyTime;

namespace {

constexpr std::uint64_t kPacketBytes = 1400;
constexpr SteadyTime kFirstTimeout = 200ms;
/// The end of the backoff. The protocol takes a silent connection for dead long before.
constexpr SteadyTime kLastTimeout = 60s;

}  // namespace

SteadyTime Link::latency() {
    const double spread = 2.0 * random_.uniform() - 1.0;
    const SteadyTime jitter = settings_.jitter;
    const auto moved = SteadyTime(static_cast<std::int64_t>(spread * static_cast<double>(jitter.count())));
    return std::max<SteadyTime>(settings_.latency + moved, 1us);
}

virtual_world::Fate Link::judge(const NodeId& from, const NodeId& to, const network::Frames& frames) {
    const std::uint64_t bytes = network::wire_size(frames);
    virtual_world::Fate fate;
    if (settings_.bytes_per_second) {
        const auto kind = static_cast<protocol::Kind>(network::kind_number(frames));
        fate.delay = transmission(from, to, protocol::lane_of(kind), bytes);
    }
    if (settings_.loss <= 0.0) return fate;
    if (settings_.lost == LinkSettings::Lost::packet)
        fate.delay += retransmissions(bytes);
    else if (lost())
        fate.copies = 0;
    return fate;
}

SteadyTime Link::retransmissions(std::uint64_t bytes) {
    SteadyTime last{};
    for (std::uint64_t packet = 0; packet * kPacketBytes < bytes; ++packet) {
        SteadyTime late{};
        for (SteadyTime timeout = kFirstTimeout; timeout < kLastTimeout && lost(); timeout *= 2)
            late += timeout;
        last = std::max(last, late);
    }
    return last;
}

SteadyTime Link::transmission(const NodeId& from, const NodeId& to, protocol::Lane lane,
                              std::uint64_t bytes) {
    auto& busy = busy_until_[{from, to}];
    const auto own = static_cast<std::size_t>(lane);
    const auto takes =
        SteadyTime(static_cast<std::int64_t>(1e6 * static_cast<double>(bytes) / *settings_.bytes_per_second));
    const SteadyTime done = std::max(busy[own], time_.now()) + takes;
    busy[own] = done;
    // Less urgent lanes wait for this message.
    for (std::size_t other = own + 1; other < busy.size(); ++other)
        busy[other] = std::max(busy[other] + takes, done);
    return done - time_.now();
}

}  // namespace unlearn::sim::experiments
