#include <memory>
#include <string>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>

#include "node/daemon/http_server.hpp"
#include "tests/fuzz/fuzz.hpp"

// Bytes to the Unix socket of the control API, as a client may send them. The server goes on serving.
namespace {

using unlearn::daemon::HttpRequest;
using unlearn::daemon::HttpServer;
using Local = boost::asio::local::stream_protocol;

struct Server {
    boost::asio::io_context io;
    std::string path = "/tmp/unlearnd-fuzz-" + std::to_string(::getpid()) + ".sock";
    std::size_t requests = 0;
    std::unique_ptr<HttpServer> http = std::move(
        *HttpServer::create(io, path, "/v1/events", [this](const HttpRequest& request, auto respond) {
            ++requests;
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
