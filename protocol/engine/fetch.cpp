#include "protocol/engine/fetch.hpp"

#include <algorithm>

#include "protocol/limits.hpp"

namespace unlearn::protocol {

std::size_t Fetch::window_bytes(SteadyTime now) const {
    std::size_t window = std::min<std::size_t>(grown_window_, kMaxWindowBytes);
    if (started_ && now > *started_ && bytes_since_start_ > 0) {
        const double seconds = std::chrono::duration<double>(now - *started_).count();
        const double rate = static_cast<double>(bytes_since_start_) / seconds;
        const double cap = rate * std::chrono::duration<double>(kMaxWindowTime).count();
        if (cap < static_cast<double>(window)) window = static_cast<std::size_t>(cap);
    }
    return std::max<std::size_t>(window, record_.chunk_bytes);
}

std::optional<Get> Fetch::next_get(SteadyTime now) {
    if (asked_ >= record_.chunk_count()) return std::nullopt;
    const auto window = static_cast<std::uint32_t>(window_bytes(now) / record_.chunk_bytes);
    const std::uint32_t in_flight = asked_ - received_;
    const std::uint32_t room = window > in_flight ? window - in_flight : 0;
    // Ask for several chunks at once, not for each chunk alone.
    if (room == 0 || room * 2 < window) return std::nullopt;
    const Get get{record_.version, asked_, std::min(room, record_.chunk_count() - asked_)};
    asked_ += get.count;
    if (!started_) started_ = now;
    if (in_flight == 0) last_progress_ = now;
    return get;
}

Result<bool> Fetch::accept(const Chunk& chunk, SteadyTime now) {
    if (chunk.index >= asked_) return fail(ErrorCode::unsolicited, "chunk " + std::to_string(chunk.index));
    // A repeat, or a gap after a loss. The missing chunk is asked for again when the fetch stalls.
    if (chunk.index != received_) return false;
    if (chunk.payload.size() != record_.chunk_size(chunk.index))
        return fail(ErrorCode::malformed, "chunk of " + std::to_string(chunk.payload.size()) +
                                              " bytes instead of " +
                                              std::to_string(record_.chunk_size(chunk.index)));
    if (digest_of(chunk.payload) != record_.chunk_digests[chunk.index])
        return fail(ErrorCode::digest_mismatch, "chunk " + std::to_string(chunk.index));
    payload_.append(chunk.payload);
    ++received_;
    bytes_since_start_ += chunk.payload.size();
    grown_window_ = std::min<std::size_t>(
        std::max<std::size_t>(grown_window_, record_.chunk_bytes) + record_.chunk_bytes, kMaxWindowBytes);
    last_progress_ = now;
    return received_ == record_.chunk_count();
}

bool Fetch::stalled(SteadyTime now) const {
    return asked_ > received_ && now - last_progress_ > kFetchStall;
}

void Fetch::restart() {
    asked_ = received_;
    grown_window_ = 0;
    bytes_since_start_ = 0;
    started_.reset();
}

SharedSeedBytes Fetch::take_payload() {
    return std::make_shared<const SeedBytes>(std::move(payload_));
}

}  // namespace unlearn::protocol
