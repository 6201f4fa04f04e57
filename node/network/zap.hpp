#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include <zmq.hpp>

#include "node/network/access_list.hpp"
#include "protocol/result.hpp"

namespace unlearn::network {

/// Decides who may connect to the nodes of this process (ZAP, RFC 27). A context can have only one handler,
/// so one handler serves all nodes and tells them apart by ZAP domain. A key is refused unless the AccessList
/// of the node lets it in. A domain without an AccessList refuses all keys.
///
/// The handler runs on a thread of its own, so that handshakes go on while a node is busy. Its functions may
/// be called from any thread.
class ZapHandler {
  public:
    /// Binds the handler's endpoint. Call this before any other socket exists, because libzmq accepts every
    /// key while no handler is bound. @return internal when the context already has a handler or no
    /// descriptor is left.
    [[nodiscard]] static protocol::Result<std::unique_ptr<ZapHandler>> start(zmq::context_t& context);

    ZapHandler(const ZapHandler&) = delete;
    ZapHandler& operator=(const ZapHandler&) = delete;
    /// Stops the thread. All sockets that rely on the handler must be closed before.
    ~ZapHandler();

    /// Lets `access` decide for `domain` from now on.
    void ask(const std::string& domain, std::shared_ptr<AccessList> access);
    void forget(const std::string& domain);

  private:
    ZapHandler(zmq::socket_t socket, int wake_descriptor);
    void serve();
    void answer_one();
    [[nodiscard]] bool may_connect(const std::string& domain, const protocol::CurvePublicKey& key) const;

    mutable std::mutex mutex_;
    std::map<std::string, std::shared_ptr<AccessList>> access_;
    zmq::socket_t socket_;  // used by the thread only, once it runs
    int wake_descriptor_;
    std::thread thread_;
};

}  // namespace unlearn::network
