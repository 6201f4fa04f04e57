#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "node/network/frames.hpp"

/// How many bytes the messages are on the wire, by kind.
namespace unlearn::network {

/// TCP payload bytes of one frame of `length` bytes under CURVE (RFC 23 and 26, ZMTP 3.1): the frame travels
/// in a MESSAGE command of its own, 8 bytes of name, 8 of nonce, 16 of authenticator, 1 of flags and the
/// content; and that command in a ZMTP frame with 1 byte of flags and 1 or, above 255 bytes, 8 bytes of
/// length.
[[nodiscard]] constexpr std::uint64_t wire_size_of_frame(std::size_t length) {
    const std::uint64_t boxed = 8 + 8 + 16 + 1 + std::uint64_t{length};
    return boxed + (boxed <= 255 ? 2 : 9);
}

[[nodiscard]] std::uint64_t wire_size(const Frames& frames);

/// What a CURVE handshake between a DEALER and a ROUTER takes: greeting, HELLO and INITIATE one way;
/// greeting, WELCOME and READY the other.
inline constexpr std::uint64_t kHandshakeFromDialler = 64 + 202 + 301;
inline constexpr std::uint64_t kHandshakeFromListener = 64 + 170 + 67;

struct TrafficCount {
    std::uint64_t messages = 0;
    std::uint64_t bytes =
        0;  ///< TCP payload: content, framing and encryption; no retransmissions, no IP headers
    bool operator==(const TrafficCount&) const = default;
};

/// What became of unknown keys that were let in for a moment.
struct ProvisionalCounters {
    std::uint64_t admitted = 0;
    std::uint64_t confirmed = 0;     ///< put on the allow list in time
    std::uint64_t expired = 0;       ///< not confirmed in time
    std::uint64_t broke_rules = 0;   ///< said too much, or we closed the session
    std::uint64_t refused_full = 0;  ///< all slots taken: once for each attempt to connect
    bool operator==(const ProvisionalCounters&) const = default;
};

/// Connections to us that ended before anybody was let in.
struct HandshakeFailures {
    std::uint64_t not_allowed = 0;  ///< the key is not on the allow list, and no place for strangers was free
    std::uint64_t protocol = 0;     ///< no ZMTP, no CURVE, or another server's key
    std::uint64_t other = 0;        ///< not finished in time, or given up
    bool operator==(const HandshakeFailures&) const = default;
};

/// What one transport has handed to and received from its connections since it was made. Handshakes of
/// connections that became usable are told apart; failed ones are not counted.
struct TrafficCounters {
    static constexpr std::size_t kKinds = 16;  ///< message kinds; an unknown kind is counted as 0

    std::array<TrafficCount, kKinds> sent{};
    std::array<TrafficCount, kKinds> received{};
    std::uint64_t handshake_bytes_sent = 0;
    std::uint64_t handshake_bytes_received = 0;
    ProvisionalCounters provisional;
    HandshakeFailures handshake_failures;
    /// Sockets that had something to read while nobody was told: 0 unless libzmq or SocketPump has a fault.
    std::uint64_t rescued_wakes = 0;

    void count_sent(std::uint8_t kind, std::uint64_t bytes);
    void count_received(const Frames& frames);
    [[nodiscard]] TrafficCount total_sent() const;
    [[nodiscard]] TrafficCount total_received() const;
};

}  // namespace unlearn::network
