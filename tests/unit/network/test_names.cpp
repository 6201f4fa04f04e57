#include <cstdlib>
#include <cstring>
#include <fstream>

#include <doctest/doctest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/network/limits.hpp"
#include "tests/support/temporary_folder.hpp"
#include "world.hpp"

/// Names of hosts where name servers do not answer. The cases marked as "inside" run in a network and mount
/// namespace of their own, in which the only name server is a socket that nobody reads.

using namespace unlearn::network;
using namespace unlearn::network::test;
namespace protocol = unlearn::protocol;

namespace {

constexpr const char* kInside = "UNLEARN_TEST_INSIDE";

/// The name server that takes every question and answers none.
class SilentNameServer {
  public:
    SilentNameServer() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        ifreq loopback{};
        std::strcpy(loopback.ifr_name, "lo");
        loopback.ifr_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING;
        REQUIRE(::ioctl(socket_, SIOCSIFFLAGS, &loopback) == 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(53);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
    }
    ~SilentNameServer() { ::close(socket_); }
    SilentNameServer(const SilentNameServer&) = delete;
    SilentNameServer& operator=(const SilentNameServer&) = delete;

  private:
    int socket_;
};

/// Runs a case of this program in namespaces of its own. @return its exit code; nothing where that is not
/// allowed.
std::optional<int> run_inside(const std::string& name) {
    const unlearn::testing::TemporaryFolder folder;
    const auto resolv = folder.write("resolv.conf", "nameserver 127.0.0.1\noptions timeout:5 attempts:4\n");
    const auto hosts = folder.write("hosts", "127.0.0.1 localhost known.example\n::1 localhost\n");
    const auto script = folder.write("run",
                                     "set -e\nfor f in resolv.conf hosts; do\n"
                                     "  [ -e /etc/$f ] || exit 77\n"
                                     "  mount --bind " +
                                         folder.path().string() +
                                         "/$f /etc/$f || exit 77\ndone\n"
                                         "exec \"$@\"\n");
    const auto self = std::filesystem::read_symlink("/proc/self/exe").string();
    const std::string command = std::string(kInside) + "=1 unshare --map-root-user --mount --net bash " +
                                script.string() + " " + self + " --no-skip '--test-case=" + name + "' >" +
                                (folder / "log") + " 2>&1";
    const int status = std::system(command.c_str());
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
    const std::string log = unlearn::testing::content_of(folder / "log");
    const bool not_allowed = code == 77 || log.find("unshare: ") != std::string::npos;
    if (not_allowed) return std::nullopt;
    CHECK_MESSAGE(code == 0, log);
    return code;
}

void must_pass_inside(const std::string& name) {
    if (!run_inside(name)) MESSAGE("not tried: namespaces are not allowed here");
}

}  // namespace

TEST_CASE("silent name servers hold up nobody but those whom they should name") {
    must_pass_inside("inside: peers are reached while other names are looked up in vain");
    must_pass_inside("inside: libzmq left to itself is deaf while it looks a name up");
}

TEST_CASE("inside: peers are reached while other names are looked up in vain" * doctest::skip()) {
    if (std::getenv(kInside) == nullptr) return;
    const SilentNameServer silent;
    ZmqWorld world;
    const auto listener = world.listening();
    const auto dialler = world.dialling();
    listener->allow(*dialler);
    // More than are looked up at a time.
    for (std::size_t i = 0; i < kMaxLookups + 4; ++i)
        dialler->transport->dial(
            {protocol::Identity::generate().id(), "tcp://silent-" + std::to_string(i) + ".example:7411"});
    world.run_for(300ms);
    dialler->transport->dial(listener->address());
    CHECK(world.until([&] { return !dialler->seen.ups.empty(); }, 2s));
    dialler->transport->send(dialler->seen.ups.at(0).session, message(9, 1), Priority::urgent);
    CHECK(world.until([&] { return !listener->seen.messages.empty(); }, 1s));
    CHECK(dialler->seen.unresolved.empty());
    // Ending does not wait for name servers either.
    const auto before = std::chrono::steady_clock::now();
    dialler->transport.reset();
    listener->transport.reset();
    CHECK(std::chrono::steady_clock::now() - before < 2s);
}

TEST_CASE("inside: libzmq left to itself is deaf while it looks a name up" * doctest::skip()) {
    if (std::getenv(kInside) == nullptr) return;
    const SilentNameServer silent;
    zmq::context_t context(1);
    zmq::socket_t server(context, zmq::socket_type::pull);
    server.bind("tcp://127.0.0.1:*");
    zmq::socket_t waits(context, zmq::socket_type::push);
    waits.set(zmq::sockopt::linger, 0);
    waits.connect("tcp://silent.example:7411");
    zmq::socket_t client(context, zmq::socket_type::push);
    client.set(zmq::sockopt::linger, 0);
    client.connect(server.get(zmq::sockopt::last_endpoint));
    client.send(zmq::str_buffer("hello"));
    server.set(zmq::sockopt::rcvtimeo, 2000);
    zmq::message_t heard;
    const bool is_deaf = !server.recv(heard);
    std::_Exit(is_deaf ? 0 : 1);  // the end of the context would wait for the name server
}
