#include "node/network/zmq_context.hpp"

#include "node/network/limits.hpp"

namespace unlearn::network {

protocol::Result<std::unique_ptr<ZmqContext>> ZmqContext::create(int io_threads) {
    if (zmq_has("curve") != 1)
        return protocol::fail(protocol::ErrorCode::internal, "this libzmq was built without CURVE");
    std::unique_ptr<ZmqContext> made(new ZmqContext);
    made->context_.set(zmq::ctxopt::io_threads, io_threads);
    made->context_.set(zmq::ctxopt::max_sockets, kMaxSockets);
    auto zap = ZapHandler::start(made->context_);
    if (!zap) return tl::unexpected(zap.error());
    made->zap_ = std::move(*zap);
    return made;
}

}  // namespace unlearn::network
