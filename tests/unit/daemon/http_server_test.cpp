#include "node/daemon/http_server.hpp"

#include <filesystem>
#include <string>

#include <boost/asio/io_context.hpp>
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
