#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <thread>

#include <zmq.hpp>

#include "protocol/identity.hpp"
#include "protocol/result.hpp"

namespace unlearn::network {

/// Decides who may connect to the nodes of this process (ZAP, RFC 27). A context can have one handler only,
/// so one serves all nodes and tells them apart by ZAP domain. Whoever is not listed is refused.
///
/// It runs on a thread of its own, so that handshakes go on while a node is busy. The lists may be changed
/// from any thread.
class ZapHandler {
  public:
    /// Binds the handler's endpoint; to be done before any other socket exists, because libzmq lets everybody
    /// in where no handler is bound. @return internal when the context already has a handler.
    [[nodiscard]] static protocol::Result<std::unique_ptr<ZapHandler>> start(zmq::context_t& context);

    ZapHandler(const ZapHandler&) = delete;
    ZapHandler& operator=(const ZapHandler&) = delete;
    /// Stops the thread. All sockets that rely on the handler must be closed.
    ~ZapHandler();

    /// Replaces the list of `domain`.
    void allow(const std::string& domain, std::span<const protocol::CurvePublicKey> keys);
    void forget(const std::string& domain);

  private:
    ZapHandler(zmq::socket_t socket, int wake_descriptor);
    void serve();
    void answer_one();
    [[nodiscard]] bool is_allowed(const std::string& domain, const protocol::CurvePublicKey& key) const;

    mutable std::mutex mutex_;
    std::map<std::string, std::set<protocol::CurvePublicKey>> allowed_;
    zmq::socket_t socket_;  // of the thread, once that runs
    int wake_descriptor_;
    std::thread thread_;
};

}  // namespace unlearn::network
