#include "node/daemon/http_server.hpp"

#include <filesystem>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>

#include "tests/support/temporary_folder.hpp"

namespace {

using namespace unlearn;
using unlearn::testing::content_of;
using unlearn::testing::TemporaryFolder;

/// Why no server is made there; empty when one is.
std::string refusal_at(const std::filesystem::path& socket) {
    boost::asio::io_context io;
    const auto server = daemon::HttpServer::create(io, socket, "/events", [](const auto&, const auto&) {});
    return server ? "" : server.error().detail;
}

}  // namespace

TEST_CASE("what is in the place of the control socket and is none is refused, and kept") {
    const TemporaryFolder folder;
    const auto file = folder.write("file", "somebody's work");
    CHECK(refusal_at(file) == file.string() + ": already exists and is not a socket");
    CHECK(content_of(file) == "somebody's work");
    const auto link = folder.path() / "link";
    std::filesystem::create_symlink(file, link);
    CHECK(refusal_at(link) == link.string() + ": already exists and is not a socket");
    CHECK(std::filesystem::is_symlink(link));
    CHECK(content_of(file) == "somebody's work");
    // Beside them there is room, and in a new folder.
    CHECK(refusal_at(folder / "socket").empty());
    CHECK(refusal_at(folder / "new/socket").empty());
}

TEST_CASE("a path too long for a control socket is refused in one line, and nothing is made") {
    const TemporaryFolder folder;
    const auto deep = folder.path() / std::string(100, 'd');
    const auto refused = refusal_at(deep / "socket");
    CHECK_MESSAGE(refused.find("the path of a socket has 107 at most") != std::string::npos, refused);
    CHECK_FALSE(std::filesystem::exists(deep));
}

TEST_CASE("large requests wait outside when the memory for those under way is used up") {
    using Local = boost::asio::local::stream_protocol;
    const TemporaryFolder folder;
    boost::asio::io_context io;
    std::vector<daemon::Respond> waiting;
    const auto server = daemon::HttpServer::create(
        io, folder / "s", "/events",
        [&](daemon::HttpRequest, daemon::Respond respond) { waiting.push_back(std::move(respond)); });
    REQUIRE(server);
    std::vector<Local::socket> clients;
    // Announces a body. The server looks at the announced size before it reads the body.
    const auto announce = [&](std::size_t bytes) -> Local::socket& {
        clients.emplace_back(io).connect(Local::endpoint(folder / "s"));
        const std::string header =
            "POST /v1/predict HTTP/1.1\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n";
        boost::asio::write(clients.back(), boost::asio::buffer(header));
        io.restart();
        io.poll();
        return clients.back();
    };
    const auto status_line = [&](Local::socket& client) {
        client.non_blocking(true);
        std::string text(1000, ' ');
        boost::system::error_code none_yet;
        for (int i = 0; i < 10; ++i) {
            io.restart();
            io.poll();
        }
        text.resize(client.read_some(boost::asio::buffer(text), none_yet));
        return text.substr(0, text.find('\r'));
    };
    for (std::size_t i = 0; i < daemon::kMaxBodiesUnderWay / daemon::kMaxRequestBody; ++i)
        CHECK(status_line(announce(daemon::kMaxRequestBody)).empty());
    CHECK(status_line(announce(1)) == "HTTP/1.1 503 Service Unavailable");
    CHECK(status_line(announce(0)).empty());
    CHECK(waiting.size() == 1);  // a request without a body is served all the same
    clients.front().close();
    CHECK(status_line(announce(1)).empty());
    CHECK(status_line(announce(daemon::kMaxRequestBody + 1)) == "HTTP/1.1 413 Payload Too Large");
    clients.clear();
    io.restart();
    io.poll();
}
