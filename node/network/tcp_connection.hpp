#pragma once

#include <cstdint>
#include <optional>

namespace unlearn::network {

/// Inspects a TCP connection that belongs to libzmq, and ends it if necessary.
///
/// libzmq reports descriptor numbers (monitor events, ZMQ_SRCFD) and may close the descriptor at any time.
/// The number can then mean another connection. The kernel's socket cookie is never reused and tells them
/// apart.
class TcpConnection {
  public:
    struct Bytes {
        std::uint64_t received = 0;  ///< from the peer, including the handshake
        std::uint64_t sent = 0;      ///< put on the wire, without retransmissions
        std::uint64_t unsent = 0;    ///< in the kernel and not on the wire yet
    };

    /// Returns the connection that `descriptor` means now; nothing when it is not a socket.
    [[nodiscard]] static std::optional<TcpConnection> at(int descriptor);

    [[nodiscard]] std::uint64_t cookie() const { return cookie_; }
    /// Returns the port on our side; 0 when there is none.
    [[nodiscard]] int local_port() const;
    /// Returns false once libzmq has closed the connection.
    [[nodiscard]] bool alive() const;
    /// Returns the kernel's byte counts; nothing when the connection is gone.
    [[nodiscard]] std::optional<Bytes> bytes() const;
    /// Ends the connection in both directions. libzmq's stable interface has no way for a ROUTER to
    /// disconnect a peer.
    void shut_down() const;

    /// Makes `epoll_descriptor` readable once each time bytes arrive here.
    void report_input_to(int epoll_descriptor) const;

  private:
    TcpConnection(int descriptor, std::uint64_t cookie) : descriptor_(descriptor), cookie_(cookie) {}
    int descriptor_;
    std::uint64_t cookie_;
};

}  // namespace unlearn::network
