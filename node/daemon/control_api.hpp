#pragma once

#include <chrono>
#include <list>
#include <memory>
#include <string>

#include "node/daemon/http_server.hpp"
#include "node/daemon/node_service.hpp"

namespace unlearn::daemon {

/// Answers what `unlearnctl` and monitoring ask a node over HTTP; docs/control-api.md describes it. Used on
/// the thread of `io`.
class ControlApi {
  public:
    /// Listens at once. Until `serve` is called, it answers that the node is starting. `io` must outlive it.
    [[nodiscard]] static protocol::Result<std::unique_ptr<ControlApi>> create(
        asio::io_context& io, const std::filesystem::path& socket);
    ~ControlApi();
    ControlApi(const ControlApi&) = delete;
    ControlApi& operator=(const ControlApi&) = delete;

    /// Answers for `service` from now on. `service` must live until this object is destroyed or
    /// `serve(nullptr)` is called.
    void serve(NodeService* service) { service_ = service; }
    /// Passes an event on to the readers of the event stream, and answers requests that wait for our exit.
    void tell(const protocol::Event& event);

  private:
    struct ExitWaiter {
        explicit ExitWaiter(asio::io_context& io, Respond answer) : timer(io), respond(std::move(answer)) {}
        asio::steady_timer timer;
        Respond respond;
    };

    explicit ControlApi(asio::io_context& io) : io_(io) {}
    void handle(HttpRequest request, Respond respond);
    void handle_peers(const HttpRequest& request, const Respond& respond);
    void handle_predict(HttpRequest request, const Respond& respond);
    void handle_publish(const HttpRequest& request, const Respond& respond);
    void handle_exit(const HttpRequest& request, const Respond& respond);
    void handle_network_statements(const HttpRequest& request, const Respond& respond);
    void handle_network_follow(const HttpRequest& request, const Respond& respond);
    void handle_sealed_exit(const HttpRequest& request, const Respond& respond);
    void handle_log(const HttpRequest& request, const Respond& respond);
    void handle_log_verify(const HttpRequest& request, const Respond& respond);
    void handle_backup(const HttpRequest& request, const Respond& respond);
    void answer_health(const Respond& respond) const;
    void answer_exit(const Respond& respond) const;
    void after_storage(const Respond& respond, std::function<void()> then);
    void on_storage(const Respond& respond, std::function<void(storage::Store&)> task);
    void wait_for_exit(std::chrono::seconds at_most, const Respond& respond);
    void answer_waiters();

    asio::io_context& io_;
    std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
    NodeService* service_ = nullptr;
    std::list<std::shared_ptr<ExitWaiter>> exit_waiters_;
    std::unique_ptr<HttpServer> server_;
};

}  // namespace unlearn::daemon
