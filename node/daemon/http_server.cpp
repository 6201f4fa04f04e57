#include "node/daemon/http_server.hpp"

#include <deque>
#include <optional>

#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "node/storage/files.hpp"

namespace unlearn::daemon {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Protocol = asio::local::stream_protocol;
using protocol::ErrorCode;
using protocol::fail;

constexpr std::chrono::seconds kIdle{60};
constexpr std::chrono::seconds kWriteTime{30};

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::string percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escape = text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
                            hex_digit(text[i + 2]) >= 0;
        if (escape) {
            out.push_back(static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])));
            i += 2;
        } else {
            out.push_back(text[i]);
        }
    }
    return out;
}

HttpRequest parsed(http::request<http::string_body> request) {
    HttpRequest out;
    out.method = std::string(request.method_string());
    const std::string target(request.target());
    const auto mark = target.find('?');
    out.path = percent_decoded(target.substr(0, mark));
    std::string rest = mark == std::string::npos ? "" : target.substr(mark + 1);
    while (!rest.empty()) {
        const auto end = std::min(rest.find('&'), rest.size());
        const std::string pair = rest.substr(0, end);
        const auto equals = std::min(pair.find('='), pair.size());
        out.query[percent_decoded(pair.substr(0, equals))] =
            equals < pair.size() ? percent_decoded(pair.substr(equals + 1)) : "";
        rest.erase(0, std::min(end + 1, rest.size()));
    }
    out.body = std::move(request.body());
    return out;
}

}  // namespace

bool is_listened_on(const std::filesystem::path& socket) {
    if (!check_socket_path(socket)) return false;
    asio::io_context io;
    Protocol::socket probe(io);
    boost::system::error_code error;
    probe.connect(Protocol::endpoint(socket.string()), error);
    return !error;
}

protocol::Result<void> check_socket_path(const std::filesystem::path& socket) {
    constexpr std::size_t kLongest = sizeof(sockaddr_un::sun_path) - 1;
    const std::string name = socket.string();
    if (name.size() > kLongest)
        return fail(ErrorCode::malformed, name + ": has " + std::to_string(name.size()) +
                                              " bytes; the path of a socket has " + std::to_string(kLongest) +
                                              " at most");
    struct stat found {};
    if (::lstat(name.c_str(), &found) == 0 && !S_ISSOCK(found.st_mode))
        return fail(ErrorCode::malformed, name + ": already exists and is not a socket");
    return {};
}

/// One client. Its requests are answered one after the other.
class HttpServer::Connection : public std::enable_shared_from_this<Connection> {
  public:
    Connection(Protocol::socket socket, std::shared_ptr<HttpServer*> server)
        : stream_(std::move(socket)), server_(std::move(server)) {}

    void read() {
        parser_.emplace();
        parser_->body_limit(kMaxRequestBody);
        stream_.expires_after(kIdle);
        http::async_read_header(stream_, buffer_, *parser_,
                                [self = shared_from_this()](const beast::error_code& error, std::size_t) {
                                    self->on_header(error);
                                });
    }

    void push(const std::string& line) {
        if (!streaming_) return;
        if (lines_.size() >= kMaxLinesBehind) return close();
        lines_.push_back(line + "\n");
        if (lines_.size() == 1) write_line();
    }

    void close() {
        beast::error_code ignored;
        stream_.socket().shutdown(Protocol::socket::shutdown_both, ignored);
        stream_.close();
        release_body();
        if (*server_ != nullptr) (*server_)->connections_.erase(shared_from_this());
    }

  private:
    /// Reads the body when there is room for it: many clients with large bodies must not exhaust our memory.
    void on_header(const beast::error_code& error) {
        if (error == http::error::body_limit) return refuse_too_large();
        if (error || *server_ == nullptr) return close();
        reserved_ = parser_->content_length() ? static_cast<std::size_t>(*parser_->content_length())
                    : parser_->chunked()      ? kMaxRequestBody
                                              : 0;
        std::size_t& under_way = (*server_)->bodies_under_way_;
        if (under_way + reserved_ > kMaxBodiesUnderWay) {
            reserved_ = 0;
            return answer({503, R"({"error":"too much is being asked at the same time; try again later"})"},
                          false);
        }
        under_way += reserved_;
        http::async_read(stream_, buffer_, *parser_,
                         [self = shared_from_this()](const beast::error_code& failed, std::size_t) {
                             self->on_read(failed);
                         });
    }

    void release_body() {
        if (*server_ != nullptr) (*server_)->bodies_under_way_ -= reserved_;
        reserved_ = 0;
    }

    void refuse_too_large() {
        answer({413, R"({"error":"the request is too large"})", "application/json"}, false);
    }

    void on_read(const beast::error_code& error) {
        if (error == http::error::body_limit) return refuse_too_large();
        if (error || *server_ == nullptr) return close();
        auto request = parser_->release();
        const bool keep_alive = request.keep_alive();
        auto parsed_request = parsed(std::move(request));
        if (parsed_request.method == "GET" && parsed_request.path == (*server_)->stream_path_)
            return begin_stream();
        stream_.expires_never();  // the answer may take long
        auto pending = std::make_shared<bool>(true);
        const auto executor = stream_.get_executor();
        (*server_)->handler_(std::move(parsed_request), [self = shared_from_this(), pending, keep_alive,
                                                         executor](HttpResponse response) {
            asio::post(executor, [self, pending, keep_alive, response = std::move(response)]() mutable {
                if (!std::exchange(*pending, false)) return;
                self->answer(std::move(response), keep_alive);
            });
        });
    }

    void answer(HttpResponse response, bool keep_alive) {
        release_body();
        auto message = std::make_shared<http::response<http::string_body>>(
            static_cast<http::status>(response.status), 11);
        message->set(http::field::server, "unlearnd");
        message->set(http::field::content_type, response.type);
        message->keep_alive(keep_alive);
        message->body() = std::move(response.body);
        message->prepare_payload();
        stream_.expires_after(kWriteTime);
        http::async_write(
            stream_, *message,
            [self = shared_from_this(), message, keep_alive](const beast::error_code& error, std::size_t) {
                if (error || !keep_alive) return self->close();
                self->read();
            });
    }

    void begin_stream() {
        streaming_ = true;
        lines_.emplace_back();  // keeps push() from writing before the header is out
        header_.emplace(http::status::ok, 11);
        header_->set(http::field::content_type, "application/x-ndjson");
        header_->chunked(true);
        serializer_.emplace(*header_);
        stream_.expires_after(kWriteTime);
        http::async_write_header(stream_, *serializer_,
                                 [self = shared_from_this()](const beast::error_code& error, std::size_t) {
                                     if (error) return self->close();
                                     self->lines_.pop_front();
                                     self->stream_.expires_never();
                                     self->notice_end();
                                     if (!self->lines_.empty()) self->write_line();
                                 });
    }

    /// Closes the connection when anything arrives: a reader sends nothing more, so that is its end.
    void notice_end() {
        stream_.socket().async_wait(Protocol::socket::wait_read,
                                    [self = shared_from_this()](const beast::error_code&) { self->close(); });
    }

    void write_line() {
        asio::async_write(stream_, http::make_chunk(asio::buffer(lines_.front())),
                          [self = shared_from_this()](const beast::error_code& error, std::size_t) {
                              if (error) return self->close();
                              self->lines_.pop_front();
                              if (!self->lines_.empty()) self->write_line();
                          });
    }

    beast::basic_stream<Protocol> stream_;
    std::shared_ptr<HttpServer*> server_;
    beast::flat_buffer buffer_;
    std::optional<http::request_parser<http::string_body>> parser_;
    std::size_t reserved_ = 0;  ///< bytes of the request's body, counted by the server
    bool streaming_ = false;
    std::deque<std::string> lines_;
    std::optional<http::response<http::empty_body>> header_;
    std::optional<http::response_serializer<http::empty_body>> serializer_;
};

protocol::Result<std::unique_ptr<HttpServer>> HttpServer::create(asio::io_context& io,
                                                                 const std::filesystem::path& socket,
                                                                 std::string stream_path, Handler handler) {
    if (auto usable = check_socket_path(socket); !usable) return tl::unexpected(usable.error());
    const std::string name = socket.string();
    if (is_listened_on(socket)) return fail(ErrorCode::internal, name + ": another unlearnd listens here");
    ::unlink(name.c_str());
    std::error_code error;
    std::filesystem::create_directories(socket.parent_path(), error);
    if (error)
        return fail(ErrorCode::internal,
                    socket.parent_path().string() + ": cannot be made: " + error.message());
    std::unique_ptr<HttpServer> server(
        new HttpServer(io, socket, std::move(stream_path), std::move(handler)));
    boost::system::error_code problem;
    server->acceptor_.open(Protocol(), problem);
    // No other user may connect between bind and chmod.
    const auto before = ::umask(0177);
    if (!problem) server->acceptor_.bind(Protocol::endpoint(name), problem);
    ::umask(before);
    if (!problem) server->acceptor_.listen(asio::socket_base::max_listen_connections, problem);
    if (problem) return fail(ErrorCode::internal, name + ": " + problem.message());
    if (::chmod(name.c_str(), 0660) != 0) return storage::file_error(socket, "set the group permissions of");
    server->accept();
    return server;
}

HttpServer::HttpServer(asio::io_context& io, std::filesystem::path socket, std::string stream_path,
                       Handler handler)
    : io_(io),
      socket_(std::move(socket)),
      stream_path_(std::move(stream_path)),
      handler_(std::move(handler)),
      acceptor_(io),
      alive_(std::make_shared<HttpServer*>(this)) {}

HttpServer::~HttpServer() {
    *alive_ = nullptr;
    boost::system::error_code ignored;
    if (acceptor_.is_open()) {
        acceptor_.close(ignored);
        ::unlink(socket_.c_str());
    }
    for (const auto& connection : std::exchange(connections_, {}))
        connection->close();
}

void HttpServer::accept() {
    acceptor_.async_accept([alive = alive_](const boost::system::error_code& error, Protocol::socket socket) {
        if (*alive == nullptr || error == asio::error::operation_aborted) return;
        HttpServer& self = **alive;
        if (!error && self.connections_.size() < kMaxConnections) {
            auto connection = std::make_shared<Connection>(std::move(socket), alive);
            self.connections_.insert(connection);
            connection->read();
        }
        self.accept();
    });
}

void HttpServer::broadcast(const std::string& line) {
    for (const auto& connection : std::set(connections_))
        connection->push(line);
}

}  // namespace unlearn::daemon
