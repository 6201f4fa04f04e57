#include <memory>
#include <string>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>

#include "node/daemon/control_request.hpp"
#include "node/daemon/http_server.hpp"
#include "node/daemon/prediction_request.hpp"
#include "tests/fuzz/fuzz.hpp"

// Bytes to the Unix socket of the control API, as a client may send them. The server goes on serving, and
// every request that it takes is read as each of those that the control API knows.
namespace {

using namespace unlearn::daemon;
using Local = boost::asio::local::stream_protocol;

void read_as_everything(const HttpRequest& request) {
    if (const auto rows = read_prediction(request))
        unlearn::fuzz::require(rows->rows > 0 && rows->features.size() % rows->rows == 0);
    if (const auto peer = read_new_peer(request)) unlearn::fuzz::require(peer->endpoint != std::string());
    if (request.path.starts_with(kPeerPath)) static_cast<void>(read_peer(request));
    static_cast<void>(read_give_up(request));
    if (const auto wait = read_wait(request)) unlearn::fuzz::require(wait->count() <= 3600);
    static_cast<void>(waits_for_seed(request));
    static_cast<void>(read_sealed_exit(request));
    if (const auto range = read_log_range(request)) unlearn::fuzz::require(range->limit <= 10'000);
    if (const auto path = read_backup_path(request)) unlearn::fuzz::require(path->starts_with('/'));
}

struct Server {
    boost::asio::io_context io;
    std::string path = "/tmp/unlearnd-fuzz-" + std::to_string(::getpid()) + ".sock";
    std::size_t requests = 0;
    std::unique_ptr<HttpServer> http = std::move(
        *HttpServer::create(io, path, "/v1/events", [this](const HttpRequest& request, auto respond) {
            ++requests;
            read_as_everything(request);
            respond({200, "{\"path\": " + std::to_string(request.path.size()) + "}", "application/json"});
        }));

    void send(std::string_view bytes) {
        Local::socket client(io);
        client.connect(Local::endpoint(path));
        boost::system::error_code error;
        client.non_blocking(true);
        boost::asio::write(client, boost::asio::buffer(bytes), error);
        client.shutdown(Local::socket::shutdown_send, error);
        // What was sent is there at once, and all that follows from it happens here: without any waiting.
        io.restart();
        while (io.poll() > 0) {
        }
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static Server server;
    if (size > 65536) return 0;
    server.send(unlearn::fuzz::text_of(data, size));
    const auto before = server.requests;
    server.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    unlearn::fuzz::require(server.requests == before + 1);
    return 0;
}
