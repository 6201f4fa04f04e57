#pragma once

#include <string>

#include <zmq.hpp>

#include "protocol/endpoint.hpp"
#include "protocol/result.hpp"

/// Binding sockets to the endpoints that users write.
namespace unlearn::network {

/// Binds `socket` to `endpoint`. The host `*` takes connections over IPv4 and IPv6. Throws what libzmq
/// throws.
void bind_to(zmq::socket_t& socket, protocol::Endpoint endpoint);

/// Returns one line that names the endpoint and says whether the address, the interface or the port is not
/// available.
[[nodiscard]] std::string cannot_listen(const protocol::Endpoint& endpoint, const zmq::error_t& error);

/// Checks that a socket can be bound to `endpoint` now, and closes it again. @return malformed with one line
/// that says why it cannot be bound
[[nodiscard]] protocol::Result<void> check_listening(const std::string& endpoint);

}  // namespace unlearn::network
