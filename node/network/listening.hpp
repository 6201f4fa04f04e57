#pragma once

#include <string>

#include <zmq.hpp>

#include "protocol/endpoint.hpp"
#include "protocol/result.hpp"

/// Binding sockets to the endpoints that users write.
namespace unlearn::network {

/// Binds `socket`: `*` takes connections over IPv4 and IPv6. Throws what libzmq throws.
void bind_to(zmq::socket_t& socket, protocol::Endpoint endpoint);

/// One line that names the endpoint and says whether the address, the interface or the port is what cannot be
/// had.
[[nodiscard]] std::string cannot_listen(const protocol::Endpoint& endpoint, const zmq::error_t& error);

/// Whether a socket can be bound to `endpoint` now; it is closed again. @return malformed, as above
[[nodiscard]] protocol::Result<void> check_listening(const std::string& endpoint);

}  // namespace unlearn::network
