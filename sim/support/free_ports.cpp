#include "sim/support/free_ports.hpp"

#include <fstream>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

namespace unlearn::sim::support {
namespace {

constexpr unsigned kFirst = 10'240;
constexpr unsigned kUsualEndOfOurs = 32'768;
/// Runs that start at the same time begin to search in different places.
constexpr unsigned kApart = 97;

unsigned first_outgoing_port() {
    std::ifstream in("/proc/sys/net/ipv4/ip_local_port_range");
    unsigned first = 0;
    in >> first;
    return first > kFirst ? first : kUsualEndOfOurs;
}

bool is_free(std::uint16_t port) {
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (probe < 0) return false;
    // Like the nodes, ignores connections of an earlier run that still linger.
    const int on = 1;
    ::setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    const bool bound = ::bind(probe, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
    ::close(probe);
    return bound;
}

}  // namespace

Result<std::vector<std::uint16_t>> free_ports(std::size_t count) {
    const unsigned ours = first_outgoing_port() - kFirst;
    const auto offset = static_cast<unsigned>(::getpid()) * kApart;
    std::vector<std::uint16_t> out;
    for (unsigned i = 0; i < ours && out.size() < count; ++i) {
        const auto port = static_cast<std::uint16_t>(kFirst + (offset + i) % ours);
        if (is_free(port)) out.push_back(port);
    }
    if (out.size() < count) return failed_with("there are not enough free ports");
    return out;
}

Result<void> check_ports_free(std::uint16_t first, std::size_t count) {
    if (first == 0) return {};
    for (std::size_t i = 0; i < count; ++i) {
        const auto port = static_cast<std::uint16_t>(first + i);
        if (!is_free(port))
            return failed_with("tcp://127.0.0.1:" + std::to_string(port) + ": in use (node " +
                               std::to_string(i + 1) + " of the scenario would listen there)");
    }
    return {};
}

}  // namespace unlearn::sim::support
