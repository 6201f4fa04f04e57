#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/identity.hpp"
#include "protocol/messages.hpp"

/// Clients that keep no rule, on plain sockets and on plain libzmq: they share no code with node/network.
/// All of them talk to a port of the loopback.
namespace unlearn::testing {

/// A TCP connection and nothing else.
class PlainSocket {
  public:
    explicit PlainSocket(int port);
    ~PlainSocket();
    PlainSocket(PlainSocket&& other) noexcept;
    PlainSocket(const PlainSocket&) = delete;
    PlainSocket& operator=(const PlainSocket&) = delete;
    PlainSocket& operator=(PlainSocket&&) = delete;

    /// False when the other side has closed, or takes no more for a second.
    bool send(protocol::ByteView bytes);
    bool send(std::string_view bytes);
    /// Exactly so many bytes; nothing when they do not come within two seconds.
    [[nodiscard]] std::optional<protocol::Bytes> receive(std::size_t count);
    /// Throws away what comes. True when the other side closes in time.
    [[nodiscard]] bool closes_within(std::chrono::milliseconds time);

  private:
    int descriptor_;
};

/// The 64 bytes with which ZMTP 3.1 begins (RFC 37).
[[nodiscard]] protocol::Bytes greeting(std::string_view mechanism = "CURVE", std::uint8_t version = 3);
/// The first bytes of a ZMTP frame that is said to be so long.
[[nodiscard]] protocol::Bytes frame_header(std::uint8_t flags, std::uint64_t length);
inline constexpr std::uint8_t kCommandFrame = 0x04;

/// Says the CURVE HELLO of RFC 26, without waiting for the answer. The key is fresh.
[[nodiscard]] protocol::Bytes curve_hello(const protocol::CurvePublicKey& server);

/// CURVE (RFC 26) by hand: a client that may stop, repeat and lie at every byte.
class CurveClient {
  public:
    /// Connects and shakes hands; see `connected`. A routing id is what the server's ROUTER shall call it.
    CurveClient(int port, const protocol::NodeId& server, const protocol::Identity& own,
                const std::string& routing_id = "");
    /// Let in, as far as the server says.
    [[nodiscard]] bool connected() const { return connected_; }

    bool say(const protocol::Message& message);
    bool send_frame(protocol::ByteView content, bool more);
    /// Many frames of one message at a time, none of them the last.
    bool send_frames_without_end(std::size_t count, std::size_t size);
    /// A message of the server; nothing when none comes within two seconds.
    [[nodiscard]] std::optional<protocol::Message> hear();
    [[nodiscard]] PlainSocket& socket() { return socket_; }

  private:
    [[nodiscard]] bool shake_hands(const protocol::NodeId& server, const protocol::Identity& own,
                                   const std::string& routing_id);
    [[nodiscard]] protocol::Bytes boxed(protocol::ByteView content, bool more);

    PlainSocket socket_;
    bool connected_ = false;
    std::array<std::uint8_t, 32> session_key_{};
    std::uint64_t nonce_ = 0;
    std::uint64_t sequence_ = 0;
};

/// A DEALER of libzmq through its C API.
class ZmqClient {
  public:
    ZmqClient(int port, const protocol::CurvePublicKey& server, const protocol::Identity& own);
    ~ZmqClient();
    ZmqClient(const ZmqClient&) = delete;
    ZmqClient& operator=(const ZmqClient&) = delete;

    void send(protocol::ByteView part, bool more);
    void say(const protocol::Message& message);
    /// Anything at all.
    [[nodiscard]] bool hears_within(std::chrono::milliseconds time);

  private:
    void* context_;
    void* socket_;
    std::uint64_t sequence_ = 0;
};

}  // namespace unlearn::testing
