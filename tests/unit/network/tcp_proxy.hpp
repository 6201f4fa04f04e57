#pragma once

#include <array>
#include <atomic>
#include <string>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace unlearn::network::test {

/// Passes one TCP connection on to a local port, counts the bytes of both ways, and can slow down the way in.
class TcpProxy {
  public:
    explicit TcpProxy(int target_port) : target_port_(target_port) {
        listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
        const int small = 16 * 1024;  // the proxy must not be a buffer of its own
        ::setsockopt(listener_, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
        sockaddr_in address = local(0);
        ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address));
        ::listen(listener_, 1);
        socklen_t length = sizeof(address);
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { serve(); });
    }
    ~TcpProxy() {
        stop_ = true;
        thread_.join();
        ::close(listener_);
    }
    [[nodiscard]] std::string endpoint() const { return "tcp://127.0.0.1:" + std::to_string(port_); }

    std::atomic<std::uint64_t> from_dialler{0};
    std::atomic<std::uint64_t> from_listener{0};
    /// Bytes a second from the dialler; 0 is as fast as it goes.
    std::atomic<std::uint64_t> rate{0};

  private:
    static sockaddr_in local(int port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return address;
    }
    bool wait_for(int descriptor) {
        pollfd item{descriptor, POLLIN, 0};
        return ::poll(&item, 1, 5) > 0;
    }
    void serve() {
        while (!stop_ && !wait_for(listener_)) {
        }
        if (stop_) return;
        const int near = ::accept(listener_, nullptr, nullptr);
        const int far = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in address = local(target_port_);
        ::connect(far, reinterpret_cast<sockaddr*>(&address), sizeof(address));
        std::thread back([&] { pass(far, near, from_listener, nullptr); });
        pass(near, far, from_dialler, &rate);
        back.join();
        ::close(near);
        ::close(far);
    }
    void pass(int from, int to, std::atomic<std::uint64_t>& count, const std::atomic<std::uint64_t>* limit) {
        std::array<char, 4096> buffer{};
        while (!stop_) {
            if (!wait_for(from)) continue;
            const auto got = ::recv(from, buffer.data(), buffer.size(), 0);
            if (got <= 0) break;
            // Before they are passed on: whoever has received bytes finds them counted.
            count += static_cast<std::uint64_t>(got);
            for (ssize_t sent = 0; sent < got;) {
                const auto more =
                    ::send(to, buffer.data() + sent, static_cast<std::size_t>(got - sent), MSG_NOSIGNAL);
                if (more <= 0) return;
                sent += more;
            }
            const std::uint64_t per_second = limit ? limit->load() : 0;
            if (per_second != 0)
                std::this_thread::sleep_for(
                    std::chrono::microseconds(static_cast<std::uint64_t>(got) * 1000000 / per_second));
        }
        ::shutdown(to, SHUT_WR);
    }

    int target_port_;
    int listener_ = -1;
    int port_ = 0;
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

}  // namespace unlearn::network::test
