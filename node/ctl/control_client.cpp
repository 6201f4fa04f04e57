#include "node/ctl/control_client.hpp"

#include <limits>
#include <thread>
#include <utility>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "node/network/asio.hpp"

namespace unlearn::ctl {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using nlohmann::json;

/// One connection in which every step has a deadline. The blocking calls of Asio have none.
struct ControlClient::Connection {
    using Stream = beast::basic_stream<asio::local::stream_protocol>;

    asio::io_context context{1};
    Stream stream{context};
    beast::flat_buffer buffer;

    /// Starts one asynchronous step and waits until it has ended.
    template <typename Start>
    error_code step(Start&& start) {
        error_code result;
        start([&result](const error_code& error, auto&&...) { result = error; });
        context.restart();
        context.run();
        return result;
    }
};

namespace {

Failure unreachable(const std::filesystem::path& socket, const std::string& why) {
    return {ExitCode::unreachable, "unlearnd is not running: " + socket.string() + ": " + why};
}

constexpr std::chrono::milliseconds kLookAgain{100};

/// Tries until the daemon answers or the patience is over.
template <typename Try>
auto patiently(std::chrono::milliseconds patience, Try attempt) {
    const auto end = std::chrono::steady_clock::now() + patience;
    for (;;) {
        auto outcome = attempt();
        if (outcome || !outcome.error().is_starting || std::chrono::steady_clock::now() >= end)
            return outcome;
        std::this_thread::sleep_for(kLookAgain);
    }
}

Failure connection_failure(const std::filesystem::path& socket, const error_code& error) {
    if (error == asio::error::access_denied)
        return {ExitCode::unreachable,
                socket.string() + ": Permission denied (root and the members of the group unlearnd may)"};
    if (error == beast::error::timeout) return unreachable(socket, "no answer in time");
    auto failure = unreachable(socket, error.message());
    failure.is_starting = error == boost::system::errc::no_such_file_or_directory ||
                          error == boost::system::errc::connection_refused;
    return failure;
}

Failure broken_answer(const std::filesystem::path& socket, const error_code& error) {
    if (error == beast::error::timeout)
        return {ExitCode::unreachable, socket.string() + ": unlearnd gave no answer in time"};
    if (error == http::error::end_of_stream || error == http::error::partial_message ||
        error == asio::error::connection_reset || error == asio::error::broken_pipe ||
        error == asio::error::eof)
        return {ExitCode::unreachable, socket.string() + ": unlearnd closed the connection"};
    return {ExitCode::failed, socket.string() + ": not an answer of unlearnd: " + error.message()};
}

Failure refusal(unsigned status, const json& body) {
    const ExitCode code = status == 400 || status == 422 ? ExitCode::bad_input : ExitCode::failed;
    if (body.is_object() && body.contains("error") && body["error"].is_string())
        return {code, body["error"].get<std::string>(),
                body.contains("state") && body["state"] == "starting"};
    return {code, "unlearnd answered with HTTP status " + std::to_string(status)};
}

http::request<http::string_body> make_request(std::string_view verb, std::string_view target,
                                              std::string body) {
    http::request<http::string_body> request;
    request.version(11);
    request.method_string({verb.data(), verb.size()});
    request.target({target.data(), target.size()});
    request.set(http::field::host, "localhost");
    request.set(http::field::user_agent, "unlearnctl");
    if (!body.empty()) request.set(http::field::content_type, "application/json");
    request.keep_alive(false);
    request.body() = std::move(body);
    request.prepare_payload();
    return request;
}

}  // namespace

Outcome<std::unique_ptr<ControlClient::Connection>> ControlClient::connect(
    std::chrono::seconds timeout) const {
    constexpr std::size_t kLongestPath = sizeof(sockaddr_un::sun_path) - 1;
    if (socket_.native().size() > kLongestPath)
        return fail_with(ExitCode::bad_input,
                         socket_.string() + ": has " + std::to_string(socket_.native().size()) +
                             " bytes; the path of a socket has " + std::to_string(kLongestPath) + " at most");
    auto connection = std::make_unique<Connection>();
    connection->stream.expires_after(timeout);
    const auto error = connection->step([&](auto done) {
        connection->stream.async_connect(asio::local::stream_protocol::endpoint(socket_.string()),
                                         std::move(done));
    });
    if (error) return tl::unexpected(connection_failure(socket_, error));
    return connection;
}

Outcome<json> ControlClient::request(std::string_view verb, std::string_view target, const std::string& body,
                                     std::chrono::seconds timeout) const {
    return patiently(patience_, [&] { return request_once(verb, target, body, timeout); });
}

Outcome<json> ControlClient::request_once(std::string_view verb, std::string_view target,
                                          const std::string& body, std::chrono::seconds timeout) const {
    auto connected = connect(timeout);
    if (!connected) return tl::unexpected(connected.error());
    Connection& connection = **connected;
    const auto request = make_request(verb, target, body);
    // A daemon that refuses a body may answer and close before all of it is sent. The answer is read all the
    // same, because it says more.
    const auto sent =
        connection.step([&](auto done) { http::async_write(connection.stream, request, std::move(done)); });
    http::response_parser<http::string_body> parser;
    parser.body_limit(kMaxAnswerBytes);
    const auto received = connection.step(
        [&](auto done) { http::async_read(connection.stream, connection.buffer, parser, std::move(done)); });
    if (received) return tl::unexpected(broken_answer(socket_, sent ? sent : received));

    const auto& response = parser.get();
    const auto answer = json::parse(response.body(), nullptr, false);
    const unsigned status = response.result_int();
    if (status < 200 || status > 299) return tl::unexpected(refusal(status, answer));
    if (response.body().empty()) return json::object();
    if (answer.is_discarded())
        return fail_with(ExitCode::failed, socket_.string() + ": the answer is not JSON");
    return answer;
}

Outcome<json> ControlClient::get(std::string_view target, std::chrono::seconds timeout) const {
    return request("GET", target, {}, timeout);
}

Outcome<json> ControlClient::post(std::string_view target, const json& body,
                                  std::chrono::seconds timeout) const {
    return request("POST", target, body.dump(), timeout);
}

Outcome<json> ControlClient::remove(std::string_view target, std::chrono::seconds timeout) const {
    return request("DELETE", target, {}, timeout);
}

Outcome<void> ControlClient::stream(std::string_view target,
                                    const std::function<bool(std::string_view)>& on_line) const {
    return patiently(patience_, [&] { return stream_once(target, on_line); });
}

Outcome<void> ControlClient::stream_once(std::string_view target,
                                         const std::function<bool(std::string_view)>& on_line) const {
    auto connected = connect(kTimeout);
    if (!connected) return tl::unexpected(connected.error());
    Connection& connection = **connected;
    const auto request = make_request("GET", target, {});
    const auto sent =
        connection.step([&](auto done) { http::async_write(connection.stream, request, std::move(done)); });
    if (sent) return tl::unexpected(broken_answer(socket_, sent));

    http::response_parser<http::string_body> parser;
    parser.body_limit(std::numeric_limits<std::uint64_t>::max());  // Boost 1.74 treats boost::none as 0
    auto received = connection.step([&](auto done) {
        http::async_read_header(connection.stream, connection.buffer, parser, std::move(done));
    });
    if (received) return tl::unexpected(broken_answer(socket_, received));
    const unsigned status = parser.get().result_int();

    connection.stream.expires_never();
    std::string line;
    while (!parser.is_done()) {
        received = connection.step([&](auto done) {
            http::async_read_some(connection.stream, connection.buffer, parser, std::move(done));
        });
        if (received) return tl::unexpected(broken_answer(socket_, received));
        line += std::exchange(parser.get().body(), {});
        if (status != 200) continue;
        for (auto end = line.find('\n'); end != std::string::npos; end = line.find('\n')) {
            const bool more = end == 0 || on_line(std::string_view(line).substr(0, end));
            line.erase(0, end + 1);
            if (!more) return {};
        }
    }
    if (status != 200) return tl::unexpected(refusal(status, json::parse(line, nullptr, false)));
    return tl::unexpected(broken_answer(socket_, http::error::end_of_stream));
}

}  // namespace unlearn::ctl
