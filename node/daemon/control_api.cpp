#include "node/daemon/control_api.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "node/daemon/control_request.hpp"
#include "node/daemon/metrics.hpp"
#include "node/daemon/node_json.hpp"
#include "node/runtime/certificate.hpp"

namespace unlearn::daemon {
namespace {

using namespace unlearn::protocol;
using nlohmann::json;

constexpr std::size_t kVerifiedAtATime = 2'000;

HttpResponse answer(const json& body, unsigned status = 200) {
    // Text from peers and files may not be valid UTF-8.
    return {status, body.dump(-1, ' ', false, json::error_handler_t::replace) + "\n"};
}

HttpResponse refusal(unsigned status, const std::string& line) {
    return answer({{"error", line}}, status);
}

HttpResponse refusal_of(const Error& error) {
    const bool ours = error.code == ErrorCode::internal || error.code == ErrorCode::too_much;
    return refusal(ours ? 503 : 400, error.detail.empty() ? error.text() : error.detail);
}

struct Route {
    const char* method;
    const char* path;
    std::vector<std::string_view> query;  ///< the names that are allowed in the query
};

}  // namespace

Result<std::unique_ptr<ControlApi>> ControlApi::create(asio::io_context& io,
                                                       const std::filesystem::path& socket) {
    std::unique_ptr<ControlApi> api(new ControlApi(io));
    auto server = HttpServer::create(io, socket, "/v1/events",
                                     [raw = api.get()](HttpRequest request, const Respond& respond) {
                                         try {
                                             raw->handle(std::move(request), respond);
                                         } catch (const std::exception& error) {  // most likely out of memory
                                             respond(refusal(500, error.what()));
                                         }
                                     });
    if (!server) return tl::unexpected(server.error());
    api->server_ = std::move(*server);
    return api;
}

ControlApi::~ControlApi() = default;

void ControlApi::tell(const Event& event) {
    if (server_) server_->broadcast(event_json(event).dump(-1, ' ', false, json::error_handler_t::replace));
    if (service_ != nullptr) answer_waiters();
}

void ControlApi::handle(HttpRequest request, Respond respond) {
    if (request.path == "/healthz" && request.method == "GET") return answer_health(respond);
    if (service_ == nullptr)
        return respond(answer({{"error", "unlearnd is starting"}, {"state", "starting"}}, 503));

    const auto uptime = std::chrono::floor<std::chrono::seconds>(std::chrono::steady_clock::now() - started_);
    using Handler = std::function<void()>;
    const std::vector<std::pair<Route, Handler>> routes{
        {{"GET", "/metrics", {}},
         [&] {
             respond({200, metrics_text(*service_, uptime), "text/plain; version=0.0.4"});
         }},
        {{"GET", "/v1/status", {}}, [&] { respond(answer(status_json(*service_, uptime))); }},
        {{"GET", "/v1/peers", {}}, [&] { respond(answer(peers_json(*service_))); }},
        {{"POST", "/v1/peers", {}}, [&] { handle_peers(request, respond); }},
        {{"POST", "/v1/predict", {"prior"}}, [&] { handle_predict(std::move(request), respond); }},
        {{"POST", "/v1/publish", {"wait"}}, [&] { handle_publish(request, respond); }},
        {{"GET", "/v1/exit", {"wait_s"}}, [&] { handle_exit(request, respond); }},
        {{"POST", "/v1/exit", {}}, [&] { handle_exit(request, respond); }},
        {{"POST", "/v1/exit/sealed", {}}, [&] { handle_sealed_exit(request, respond); }},
        {{"POST", "/v1/claim", {}},
         [&] {
             service_->node().claim_state();
             respond(answer(status_json(*service_, uptime)));
         }},
        {{"GET", "/v1/network", {}}, [&] { respond(answer(network_json(*service_))); }},
        {{"POST", "/v1/network/statements", {}}, [&] { handle_network_statements(request, respond); }},
        {{"POST", "/v1/network/follow", {}}, [&] { handle_network_follow(request, respond); }},
        {{"GET", "/v1/certificate", {}},
         [&] {
             const auto exit = service_->node().engine().own_exit();
             if (!exit.begun) return respond(refusal(404, "this node has not begun to leave"));
             respond(answer(
                 runtime::make_certificate(service_->node().engine().id(), service_->network(), exit)));
         }},
        {{"GET", "/v1/log", {"after", "limit"}}, [&] { handle_log(request, respond); }},
        {{"GET", "/v1/log/verify", {}}, [&] { handle_log_verify(request, respond); }},
        {{"POST", "/v1/backup", {}}, [&] { handle_backup(request, respond); }},
    };
    bool known_path = request.path.starts_with(kPeerPath);
    if (known_path && request.method == "DELETE") return handle_peers(request, respond);
    for (const auto& [route, handler] : routes) {
        if (request.path != route.path) continue;
        known_path = true;
        if (request.method != route.method) continue;
        if (auto only = check_query(request, route.query); !only) return respond(refusal_of(only.error()));
        return handler();
    }
    if (known_path)
        return respond(refusal(405, request.path + ": method " + request.method + " is not allowed"));
    respond(refusal(404, request.path + ": not found"));
}

void ControlApi::answer_health(const Respond& respond) const {
    if (service_ == nullptr) return respond(answer({{"status", "ok"}, {"state", "starting"}}));
    const json state(name_of(service_->state()));
    if (const auto failure = service_->node().storage_failure())
        return respond(answer({{"status", "failing"}, {"state", state}, {"error", failure->text()}}, 503));
    respond(answer({{"status", "ok"}, {"state", state}}));
}

void ControlApi::handle_peers(const HttpRequest& request, const Respond& respond) {
    auto& node = service_->node();
    const auto& engine = node.engine();
    if (request.method == "DELETE") {
        const auto id = read_peer(request);
        if (!id) return respond(refusal_of(id.error()));
        const auto peers = engine.peers();
        if (std::none_of(peers.begin(), peers.end(),
                         [&](const auto& peer) { return peer.id == *id && peer.state != PeerState::former; }))
            return respond(refusal(404, id->short_text() + ": no such peer"));
        node.remove_neighbour(*id);
        return respond(answer({{"removed", id->text()}}));
    }
    auto neighbour = read_new_peer(request);
    if (!neighbour) return respond(refusal_of(neighbour.error()));
    // A peer that is added without an address keeps the one that it has.
    if (!neighbour->endpoint)
        for (const auto& peer : engine.peers())
            if (peer.id == neighbour->id) neighbour->endpoint = peer.endpoint;
    if (neighbour->id == engine.id()) return respond(refusal(409, "this is the node itself"));
    if (engine.has_tombstone(neighbour->id))
        return respond(refusal(409, neighbour->id.short_text() + " has left the network for ever"));
    if (engine.own_exit().begun) return respond(refusal(409, "this node is leaving the network"));
    node.add_neighbour(*neighbour, true);
    const auto& endpoint = neighbour->endpoint;
    respond(answer({{"id", neighbour->id.text()},
                    {"address", endpoint ? json(PeerAddress{neighbour->id, *endpoint}.text()) : json()}}));
}

void ControlApi::handle_predict(HttpRequest request, const Respond& respond) {
    const auto shared = std::make_shared<HttpRequest>(std::move(request));
    service_->predict(
        [shared] {
            auto wanted = read_prediction(*shared);
            shared->body = {};
            return wanted;
        },
        [respond, classes = service_->config().data.classes](
            const Result<PredictionAnswer>& predicted) -> std::function<void()> {
            const auto response = std::make_shared<HttpResponse>();
            try {
                *response =
                    predicted ? answer(prediction_json(*predicted, classes)) : refusal_of(predicted.error());
            } catch (const std::exception& error) {  // most likely out of memory
                *response = refusal(500, error.what());
            }
            return [respond, response] { respond(std::move(*response)); };
        });
}

void ControlApi::handle_publish(const HttpRequest& request, const Respond& respond) {
    if (service_->state() == ServiceState::exiting || service_->state() == ServiceState::retired)
        return respond(refusal(409, "this node is leaving the network"));
    const auto version_of = [](const NodeService& service) {
        const auto seed = service.node().engine().own_seed();
        return seed ? static_cast<std::uint64_t>(seed->version) : std::uint64_t{0};
    };
    if (!waits_for_seed(request)) {
        service_->publish({});
        return respond(answer({{"version_after", version_of(*service_)}}, 202));
    }
    service_->publish([this, respond, version_of](const std::optional<std::string>& problem) {
        if (problem) return respond(refusal(500, *problem));
        respond(answer({{"version", service_ != nullptr ? json(version_of(*service_)) : json()}}));
    });
}

void ControlApi::answer_exit(const Respond& respond) const {
    respond(answer(exit_json(service_->node().engine().own_exit(), service_->network())));
}

void ControlApi::handle_exit(const HttpRequest& request, const Respond& respond) {
    if (request.method == "GET") {
        const auto wait = read_wait(request);
        if (!wait) return respond(refusal_of(wait.error()));
        const auto exit = service_->node().engine().own_exit();
        if (wait->count() == 0 || exit.complete || exit.given_up) return answer_exit(respond);
        return wait_for_exit(*wait, respond);
    }
    const auto give_up = read_give_up(request);
    if (!give_up) return respond(refusal_of(give_up.error()));
    const bool begun = service_->node().engine().own_exit().begun;
    if (*give_up && !begun)
        return respond(refusal(409, "there is no exit to give up on: this node has not begun to leave"));
    if (*give_up)
        service_->give_up_exit();
    else if (!begun)
        service_->begin_exit();
    after_storage(respond, [this, respond] {
        const auto exit = service_->node().engine().own_exit();
        if (!exit.durable)
            return respond(
                refusal(503, "the exit is not stored yet, and may be undone by a crash; it is tried again"));
        respond(answer(exit_json(exit, service_->network()), 202));
    });
}

/// Calls `then` on this thread when storage has tried everything that was asked of it before.
void ControlApi::after_storage(const Respond& respond, std::function<void()> then) {
    on_storage(respond, [this, then = std::move(then)](storage::Store&) {
        boost::asio::post(io_, [this, then] {
            if (service_ != nullptr) then();
        });
    });
}

/// Runs `task` on the storage thread. An exception that it throws becomes the answer.
void ControlApi::on_storage(const Respond& respond, std::function<void(storage::Store&)> task) {
    const auto queued = service_->node().on_storage([respond, task = std::move(task)](storage::Store& store) {
        try {
            task(store);
        } catch (const std::exception& error) {  // most likely out of memory
            respond(refusal(500, error.what()));
        }
    });
    if (!queued) respond(refusal_of(queued.error()));
}

void ControlApi::wait_for_exit(std::chrono::seconds at_most, const Respond& respond) {
    auto waiter = std::make_shared<ExitWaiter>(io_, respond);
    exit_waiters_.push_back(waiter);
    waiter->timer.expires_after(at_most);
    waiter->timer.async_wait([this, weak = std::weak_ptr(waiter)](const boost::system::error_code& error) {
        const auto late = weak.lock();
        if (error || !late || service_ == nullptr) return;
        exit_waiters_.remove(late);
        answer_exit(late->respond);
    });
}

void ControlApi::answer_waiters() {
    if (exit_waiters_.empty()) return;
    const auto exit = service_->node().engine().own_exit();
    if (!exit.complete && !exit.given_up && service_->state() != ServiceState::retired) return;
    for (const auto& waiter : std::exchange(exit_waiters_, {}))
        answer_exit(waiter->respond);
}

void ControlApi::handle_sealed_exit(const HttpRequest& request, const Respond& respond) {
    const auto notice = read_sealed_exit(request);
    if (!notice) return respond(refusal_of(notice.error()));
    if (auto taken = service_->node().submit_notice(*notice); !taken)
        return respond(refusal(400, "not a sealed exit of this network: " + taken.error().text()));
    after_storage(respond, [this, respond, notice = *notice] {
        respond(answer(runtime::make_sealed_certificate(service_->network(), notice)));
    });
}

/// Takes the statements in their order: a revocation may need the succession before it.
void ControlApi::handle_network_statements(const HttpRequest& request, const Respond& respond) {
    const auto file = read_network_statements(request);
    if (!file) return respond(refusal_of(file.error()));
    if (file->network != service_->network())
        return respond(refusal(400, "the statements are for another network"));
    auto& node = service_->node();
    json taken = json::array();
    std::size_t number = 0;
    for (const auto& [kind, statement] : file->statements) {
        ++number;
        const auto done = kind == runtime::NetworkFileKind::membership ? node.renew_membership(statement)
                          : kind == runtime::NetworkFileKind::revocation
                              ? node.submit_network_statement(NetworkStatementKind::revocation, statement)
                              : node.submit_network_statement(NetworkStatementKind::succession, statement);
        if (!done)
            return respond(refusal(409, "statement " + std::to_string(number) + " of " +
                                            std::to_string(file->statements.size()) + " (" +
                                            std::string(name_of(kind)) +
                                            ") does not count: " + done.error().text()));
        taken.push_back(runtime::describe({kind, statement}));
    }
    after_storage(respond, [this, respond, taken = std::move(taken)] {
        if (const auto failure = service_->node().storage_failure())
            return respond(refusal(503, "not stored yet, and tried again: " + failure->text()));
        respond(answer({{"taken", taken}}));
    });
}

void ControlApi::handle_network_follow(const HttpRequest& request, const Respond& respond) {
    const auto key = read_network_key(request);
    if (!key) return respond(refusal_of(key.error()));
    if (service_->node().engine().network_key().chain.empty())
        return respond(refusal(409, "this network has no key"));
    service_->node().follow_network_key(*key);
    after_storage(respond, [this, respond] { respond(answer(network_json(*service_))); });
}

void ControlApi::handle_log(const HttpRequest& request, const Respond& respond) {
    const auto range = read_log_range(request);
    if (!range) return respond(refusal_of(range.error()));
    on_storage(respond, [respond, range = *range](storage::Store& store) {
        const auto entries = store.read_log(range.after, range.limit);
        if (!entries) return respond(refusal_of(entries.error()));
        json out = json::array();
        for (const auto& entry : *entries)
            out.push_back(log_entry_json(entry));
        respond(answer(out));
    });
}

namespace {

/// Verifies a piece at a time, so that an exit never waits behind a long log.
void verify_piece(storage::Store& store, const std::shared_ptr<storage::LogVerifier>& verifier,
                  const std::function<void(std::function<void(storage::Store&)>)>& again,
                  const Respond& respond) {
    const auto done = store.verify_log(*verifier, kVerifiedAtATime);
    if (!done) return respond(refusal_of(done.error()));
    if (!*done)
        return again([verifier, again, respond](storage::Store& next) {
            verify_piece(next, verifier, again, respond);
        });
    const auto& check = verifier->result();
    respond(answer({{"entries", check.entries},
                    {"dropped", check.dropped},
                    {"ok", !check.first_bad.has_value()},
                    {"first_bad", check.first_bad ? json(*check.first_bad) : json()},
                    {"detail", check.detail}}));
}

}  // namespace

void ControlApi::handle_log_verify(const HttpRequest& /*request*/, const Respond& respond) {
    const auto verifier = std::make_shared<storage::LogVerifier>();
    const std::function<void(std::function<void(storage::Store&)>)> queue =
        [this, respond](std::function<void(storage::Store&)> task) {
            boost::asio::post(io_, [this, respond, task = std::move(task)] {
                if (service_ == nullptr) return respond(refusal(503, "unlearnd is stopping"));
                on_storage(respond, task);
            });
        };
    queue(
        [verifier, queue, respond](storage::Store& store) { verify_piece(store, verifier, queue, respond); });
}

void ControlApi::handle_backup(const HttpRequest& request, const Respond& respond) {
    const auto path = read_backup_path(request);
    if (!path) return respond(refusal_of(path.error()));
    on_storage(respond, [respond, path = *path](storage::Store& store) {
        if (auto made = store.backup(path); !made) return respond(refusal(500, made.error().detail));
        respond(answer({{"path", path}}));
    });
}

}  // namespace unlearn::daemon
