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

/// HTTP/1.1 over a Unix domain socket: what the control API is spoken over. Knows nothing of nodes.
namespace unlearn::daemon {

struct HttpRequest {
    std::string method;
    std::string path;                          ///< without the query
    std::map<std::string, std::string> query;  ///< percent-decoded
    std::string body;
};

struct HttpResponse {
    unsigned status = 200;
    std::string body;
    std::string type = "application/json";
};

/// To be called once, from any thread; later calls are ignored.
using Respond = std::function<void(HttpResponse)>;

inline constexpr std::size_t kMaxRequestBody = 16 * 1024 * 1024;
inline constexpr std::size_t kMaxConnections = 64;
/// Lines that a reader of a stream may be behind before it is cut off.
inline constexpr std::size_t kMaxLinesBehind = 1000;

/// Whether a process answers at this socket.
[[nodiscard]] bool is_listened_on(const std::filesystem::path& socket);
/// Whether a socket can be made there, as far as its path tells: short enough, and nothing else is in its
/// place.
/// @return malformed, with one line that names the path
[[nodiscard]] protocol::Result<void> check_socket_path(const std::filesystem::path& socket);

class HttpServer {
  public:
    using Handler = std::function<void(const HttpRequest&, Respond)>;

    /// Listens at `socket` (mode 0660) and calls `handler` on the thread of `io`. GET of `stream_path` never
    /// ends: it gets the lines of `broadcast`. A socket that nobody listens at any more is replaced.
    /// @return one line when another process has the path, or when it cannot be made.
    [[nodiscard]] static protocol::Result<std::unique_ptr<HttpServer>> create(
        asio::io_context& io, const std::filesystem::path& socket, std::string stream_path, Handler handler);
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    /// One line for everybody who reads the stream. On the thread of `io`.
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
    std::shared_ptr<HttpServer*> alive_;
};

}  // namespace unlearn::daemon
