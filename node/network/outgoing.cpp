#include "node/network/outgoing.hpp"

#include "node/network/limits.hpp"

namespace unlearn::network {
namespace {

constexpr std::chrono::milliseconds kIdleBeforeAdopting{200};

}  // namespace

BulkGate::BulkGate(std::optional<TcpConnection> connection) : connection_(connection) {
    const auto bytes = connection_ ? connection_->bytes() : std::nullopt;
    if (bytes) handed_over_ = bytes->sent + bytes->unsent;
}

bool BulkGate::open_for(std::uint64_t size) {
    const auto bytes = connection_ ? connection_->bytes() : std::nullopt;
    if (!bytes) return true;
    adopt_if_idle(*bytes);
    if (handed_over_ <= bytes->sent) return true;
    return handed_over_ - bytes->sent + size <= kMaxBulkUnsent;
}

/// When nothing has moved for a while and TCP has nothing left to send, our count of bytes is wrong (for
/// example because this libzmq frames differently). TCP's count then replaces ours, so that bulk does not
/// wait for ever.
void BulkGate::adopt_if_idle(const TcpConnection::Bytes& bytes) {
    const auto now = Clock::now();
    if (bytes.sent != last_sent_ || bytes.unsent != 0) {
        last_sent_ = bytes.sent;
        last_change_ = now;
    } else if (now - last_change_ > kIdleBeforeAdopting) {
        handed_over_ = bytes.sent;
    }
}

FlushResult Outgoing::flush(zmq::socket_t& socket, const RoutingId* to, TrafficCounters& traffic) {
    FlushResult result;
    for (int sent = 0; sent < kFlushBatch && !queue_.empty(); ++sent) {
        Frames& frames = queue_.next();
        const std::uint64_t size = wire_size(frames);
        if (queue_.next_priority() == Priority::bulk && !gate_.open_for(size)) {
            result.blocked = true;
            break;
        }
        const std::uint8_t kind = kind_number(frames);
        const SendResult outcome = send(socket, to, frames);
        if (outcome == SendResult::full) {
            result.blocked = true;
            break;
        }
        if (outcome == SendResult::gone) {
            queue_.clear();
            break;
        }
        traffic.count_sent(kind, size);
        gate_.handed_over(size);
        queue_.pop();
        result.progressed = true;
    }
    return result;
}

}  // namespace unlearn::network
