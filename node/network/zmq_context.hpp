#pragma once

#include <memory>

#include <zmq.hpp>

#include "node/network/resolver.hpp"
#include "node/network/zap.hpp"

namespace unlearn::network {

/// One ZeroMQ context with a resolver and a ZAP handler, which is bound before any other socket can exist.
/// One is enough for all nodes of a process. It must outlive their transports. Never fork after making one.
class ZmqContext {
  public:
    /// Makes a context. Its `io_threads` threads encrypt and move the bytes. @return internal when libzmq
    /// lacks CURVE or the handler cannot start.
    [[nodiscard]] static protocol::Result<std::unique_ptr<ZmqContext>> create(int io_threads = 1);

    [[nodiscard]] zmq::context_t& get() { return context_; }
    [[nodiscard]] ZapHandler& zap() { return *zap_; }
    /// Looks up the host names that we dial: libzmq is given numeric addresses only.
    [[nodiscard]] Resolver& resolver() { return resolver_; }

  private:
    ZmqContext() = default;
    // The order matters: the handler's socket must be closed before the context ends.
    zmq::context_t context_;
    std::unique_ptr<ZapHandler> zap_;
    Resolver resolver_;
};

}  // namespace unlearn::network
