#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include <boost/asio/local/stream_protocol.hpp>

#include "node/network/asio.hpp"
#include "protocol/result.hpp"

/// HTTP/1.1 over a Unix domain socket, for the control API. It knows nothing about nodes.
namespace unlearn::daemon {

/// A request that a client has sent.
struct HttpRequest {
    std::string method;
    std::string path;                          ///< without the query
    std::map<std::string, std::string> query;  ///< percent-decoded
    std::string body;
};

/// The answer to a request.
struct HttpResponse {
    unsigned status = 200;
    std::string body;
    std::string type = "application/json";
};

/// Sends the answer to a request. Call it once, from any thread; later calls are ignored.
using Respond = std::function<void(HttpResponse)>;

inline constexpr std::size_t kMaxRequestBody = 16 * 1024 * 1024;
/// The bodies of all requests that are not answered yet.
inline constexpr std::size_t kMaxBodiesUnderWay = 4 * kMaxRequestBody;
inline constexpr std::size_t kMaxConnections = 64;
/// The most lines that a reader of a stream may be behind before it is cut off.
inline constexpr std::size_t kMaxLinesBehind = 1000;

/// Returns true when a process answers at this socket.
[[nodiscard]] bool is_listened_on(const std::filesystem::path& socket);
/// Checks whether a socket can be made at this path: it must be short enough, and nothing but a socket may be
/// there.
/// @return malformed, with one line that names the path
[[nodiscard]] protocol::Result<void> check_socket_path(const std::filesystem::path& socket);

/// Answers HTTP requests of several clients at one socket.
class HttpServer {
  public:
    using Handler = std::function<void(HttpRequest, Respond)>;

    /// Listens at `socket` (mode 0660) and calls `handler` on the thread of `io`. A GET of `stream_path`
    /// never ends: it receives the lines of `broadcast`. A socket at which no process listens any more is
    /// replaced.
    /// @return one line when another process uses the path, or when the socket cannot be made.
    [[nodiscard]] static protocol::Result<std::unique_ptr<HttpServer>> create(
        asio::io_context& io, const std::filesystem::path& socket, std::string stream_path, Handler handler);
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    /// Sends one line to every reader of the stream. Call it on the thread of `io`.
    void broadcast(const std::string& line);

  private:
    class Connection;
    HttpServer(asio::io_context& io, std::filesystem::path socket, std::string stream_path, Handler handler);
    void accept();

    asio::io_context& io_;
    std::filesystem::path socket_;
    std::string stream_path_;
    Handler handler_;
    boost::asio::local::stream_protocol::acceptor acceptor_;
    std::set<std::shared_ptr<Connection>> connections_;
    std::size_t bodies_under_way_ = 0;  ///< bytes
    std::shared_ptr<HttpServer*> alive_;
};

}  // namespace unlearn::daemon
