#include "node/network/tcp_connection.hpp"

// <linux/tcp.h> and not <netinet/tcp.h>: the latter's tcp_info ends before the byte counts.
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

namespace unlearn::network {
namespace {

std::optional<std::uint64_t> cookie_of(int descriptor) {
    std::uint64_t cookie = 0;
    socklen_t length = sizeof(cookie);
    if (::getsockopt(descriptor, SOL_SOCKET, SO_COOKIE, &cookie, &length) != 0) return std::nullopt;
    return cookie;
}

}  // namespace

std::optional<TcpConnection> TcpConnection::at(int descriptor) {
    const auto cookie = cookie_of(descriptor);
    if (!cookie) return std::nullopt;
    return TcpConnection(descriptor, *cookie);
}

int TcpConnection::local_port() const {
    sockaddr_storage address{};
    socklen_t length = sizeof(address);
    if (::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &length) != 0 || !alive()) return 0;
    if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
    if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
    return 0;
}

bool TcpConnection::alive() const {
    return cookie_of(descriptor_) == cookie_;
}

std::optional<TcpConnection::Bytes> TcpConnection::bytes() const {
    tcp_info info{};
    socklen_t length = sizeof(info);
    if (::getsockopt(descriptor_, IPPROTO_TCP, TCP_INFO, &info, &length) != 0 || !alive())
        return std::nullopt;
    return Bytes{info.tcpi_bytes_received, info.tcpi_bytes_sent - info.tcpi_bytes_retrans,
                 info.tcpi_notsent_bytes};
}

void TcpConnection::report_input_to(int epoll_descriptor) const {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
    const bool added = ::epoll_ctl(epoll_descriptor, EPOLL_CTL_ADD, descriptor_, &event) == 0;
    // The descriptor may have become another connection in the meantime.
    if (added && !alive()) ::epoll_ctl(epoll_descriptor, EPOLL_CTL_DEL, descriptor_, nullptr);
}

void TcpConnection::shut_down() const {
    if (alive()) ::shutdown(descriptor_, SHUT_RDWR);
}

}  // namespace unlearn::network
