#include "node/network/listening.hpp"

#include <cerrno>

namespace unlearn::network {

void bind_to(zmq::socket_t& socket, protocol::Endpoint endpoint) {
    // IPv6 is off where it is not needed, because a kernel may not have it.
    socket.set(zmq::sockopt::ipv6, endpoint.is_ipv6 || endpoint.host == "*" ? 1 : 0);
    // libzmq binds to addresses and network interfaces, and this name is neither.
    if (endpoint.host == "localhost") endpoint.host = "127.0.0.1";
    socket.bind(endpoint.text());
}

std::string cannot_listen(const protocol::Endpoint& endpoint, const zmq::error_t& error) {
    const std::string what = "cannot listen on " + endpoint.text() + ": ";
    if (error.num() == ENODEV)
        return what + "'" + endpoint.host +
               "' is neither an address of this machine nor one of its network interfaces";
    if (error.num() == EADDRINUSE) return what + "the port is in use";
    return what + error.what();
}

protocol::Result<void> check_listening(const std::string& endpoint) {
    const auto where = protocol::parse_endpoint(endpoint, protocol::EndpointUse::listen);
    if (!where) return tl::unexpected(where.error());
    try {
        zmq::context_t context(1);
        zmq::socket_t socket(context, zmq::socket_type::router);
        bind_to(socket, *where);
        return {};
    } catch (const zmq::error_t& error) {
        return protocol::fail(protocol::ErrorCode::malformed, cannot_listen(*where, error));
    }
}

}  // namespace unlearn::network
