#include "fake_daemon.hpp"

#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

namespace unlearn::ctl {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::local::stream_protocol;

/// As unlearnd; Beast's own limit is lower.
constexpr std::size_t kMostBytes = std::size_t{16} << 20;

FakeDaemon::FakeDaemon(const std::filesystem::path& socket, std::function<Answer(const Request&)> answer)
    : acceptor_(context_, stream_protocol::endpoint(socket.string())),
      answer_(std::move(answer)),
      thread_([this] { serve(); }) {}

FakeDaemon::~FakeDaemon() {
    // A connection of our own wakes the blocking accept, which then finds no request.
    stream_protocol::socket waker(context_);
    waker.connect(acceptor_.local_endpoint());
    waker.close();
    thread_.join();
}

void FakeDaemon::serve() {
    while (true) {
        stream_protocol::socket client(context_);
        acceptor_.accept(client);
        boost::beast::flat_buffer buffer;
        http::request_parser<http::string_body> parser;
        parser.body_limit(kMostBytes);
        boost::system::error_code error;
        http::read(client, buffer, parser, error);
        if (error) return;
        const auto& request = parser.get();
        requests_.push_back(
            {std::string(request.method_string()), std::string(request.target()), request.body()});
        const Answer answer = answer_(requests_.back());
        if (answer.raw) {
            asio::write(client, asio::buffer(answer.body), error);
            continue;
        }
        http::response<http::string_body> response(static_cast<http::status>(answer.status), 11);
        response.body() = answer.body;
        response.prepare_payload();
        http::write(client, response, error);
    }
}

}  // namespace unlearn::ctl
