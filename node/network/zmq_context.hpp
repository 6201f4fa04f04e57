#pragma once

#include <memory>

#include <zmq.hpp>

#include "node/network/resolver.hpp"
#include "node/network/zap.hpp"

namespace unlearn::network {

/// One ZeroMQ context with its ZAP handler, which is bound before any other socket can exist, and a resolver.
/// One is enough for all nodes of a process; it must outlive their transports. Never fork after making one.
class ZmqContext {
  public:
    /// `io_threads` encrypt and move the bytes. @return internal when libzmq lacks CURVE or the handler
    /// cannot start.
    [[nodiscard]] static protocol::Result<std::unique_ptr<ZmqContext>> create(int io_threads = 1);

    [[nodiscard]] zmq::context_t& get() { return context_; }
    [[nodiscard]] ZapHandler& zap() { return *zap_; }
    /// For the names that are dialled: libzmq is given numeric addresses only.
    [[nodiscard]] Resolver& resolver() { return resolver_; }

  private:
    ZmqContext() = default;
    // In this order: the handler's socket must be closed before the context ends.
    zmq::context_t context_;
    std::unique_ptr<ZapHandler> zap_;
    Resolver resolver_;
};

}  // namespace unlearn::network
