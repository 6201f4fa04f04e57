#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "node/network/frames.hpp"

/// Counts messages and their bytes on the wire, by kind.
namespace unlearn::network {

/// Returns the TCP payload bytes of one frame of `length` bytes under CURVE (RFC 23 and 26, ZMTP 3.1). The
/// frame travels in a MESSAGE command of its own: 8 bytes of name, 8 of nonce, 16 of authenticator, 1 of
/// flags, and the content. The command travels in a ZMTP frame with 1 byte of flags and 1 byte of length, or
/// 8 bytes of length above 255 bytes.
[[nodiscard]] constexpr std::uint64_t wire_size_of_frame(std::size_t length) {
    const std::uint64_t boxed = 8 + 8 + 16 + 1 + std::uint64_t{length};
    return boxed + (boxed <= 255 ? 2 : 9);
}

/// Returns the TCP payload bytes of all frames of a message.
[[nodiscard]] std::uint64_t wire_size(const Frames& frames);

/// The bytes of a CURVE handshake between a DEALER and a ROUTER: greeting, HELLO and INITIATE from the
/// dialler; greeting, WELCOME and READY from the listener.
inline constexpr std::uint64_t kHandshakeFromDialler = 64 + 202 + 301;
inline constexpr std::uint64_t kHandshakeFromListener = 64 + 170 + 67;

/// A number of messages and their bytes.
struct TrafficCount {
    std::uint64_t messages = 0;
    std::uint64_t bytes =
        0;  ///< TCP payload: content, framing and encryption; no retransmissions, no IP headers
    bool operator==(const TrafficCount&) const = default;
};

/// What happened to unknown keys that were admitted for a short time.
struct ProvisionalCounters {
    std::uint64_t admitted = 0;
    std::uint64_t confirmed = 0;     ///< put on the allow list in time
    std::uint64_t expired = 0;       ///< not confirmed in time
    std::uint64_t broke_rules = 0;   ///< sent too much, or we closed the session
    std::uint64_t refused_full = 0;  ///< all slots were taken; counted for each attempt to connect
    bool operator==(const ProvisionalCounters&) const = default;
};

/// Connections to us that ended before their handshake succeeded.
struct HandshakeFailures {
    std::uint64_t not_allowed = 0;  ///< the key is not on the allow list and got no slot
    std::uint64_t protocol = 0;     ///< not ZMTP, not CURVE, or meant for another server's key
    std::uint64_t other = 0;        ///< not finished in time, or given up
    bool operator==(const HandshakeFailures&) const = default;
};

/// What one transport has sent and received since it was made. Handshakes of connections that became usable
/// are counted separately; the bytes of failed handshakes are not counted.
struct TrafficCounters {
    static constexpr std::size_t kKinds = 32;  ///< message kinds; an unknown kind is counted as 0

    std::array<TrafficCount, kKinds> sent{};
    std::array<TrafficCount, kKinds> received{};
    std::uint64_t handshake_bytes_sent = 0;
    std::uint64_t handshake_bytes_received = 0;
    ProvisionalCounters provisional;
    HandshakeFailures handshake_failures;
    /// How often a socket had something to read without a signal. It is 0 unless libzmq or SocketPump has a
    /// fault.
    std::uint64_t rescued_wakes = 0;

    void count_sent(std::uint8_t kind, std::uint64_t bytes);
    void count_received(const Frames& frames);
    [[nodiscard]] TrafficCount total_sent() const;
    [[nodiscard]] TrafficCount total_received() const;
};

}  // namespace unlearn::network
