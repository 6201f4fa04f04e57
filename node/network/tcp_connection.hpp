#pragma once

#include <cstdint>
#include <optional>

namespace unlearn::network {

/// Looks at, and if need be ends, a TCP connection that belongs to libzmq.
///
/// libzmq tells descriptor numbers (monitor events, ZMQ_SRCFD) and may close the descriptor at any time,
/// after which the number can mean another connection. The kernel's socket cookie is never reused and tells
/// them apart.
class TcpConnection {
  public:
    struct Bytes {
        std::uint64_t received = 0;  ///< from the peer, handshake included
        std::uint64_t sent = 0;      ///< put on the wire once, without repetitions
        std::uint64_t unsent = 0;    ///< in the kernel, not on the wire yet
    };

    /// The connection that `descriptor` means now; nothing when it is no socket.
    [[nodiscard]] static std::optional<TcpConnection> at(int descriptor);

    [[nodiscard]] std::uint64_t cookie() const { return cookie_; }
    /// Port of our side; 0 when there is none.
    [[nodiscard]] int local_port() const;
    /// False once libzmq has closed it.
    [[nodiscard]] bool alive() const;
    /// Nothing when the connection is gone.
    [[nodiscard]] std::optional<Bytes> bytes() const;
    /// Ends the connection in both directions. A stable ROUTER cannot disconnect a peer itself.
    void shut_down() const;

    /// Makes `epoll_descriptor` readable, once, whenever bytes arrive here.
    void report_input_to(int epoll_descriptor) const;

  private:
    TcpConnection(int descriptor, std::uint64_t cookie) : descriptor_(descriptor), cookie_(cookie) {}
    int descriptor_;
    std::uint64_t cookie_;
};

}  // namespace unlearn::network
