#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/network/limits.hpp"
#include "node/network/resolver.hpp"
#include "protocol/endpoint.hpp"
#include "tests/support/temporary_folder.hpp"
#include "world.hpp"

/// Names of hosts where name servers do not answer. The cases marked as "inside" run in a network and mount
/// namespace of their own, in which no name server answers: there is none, or it is a socket that nobody
/// reads.

using namespace unlearn::network;
using namespace unlearn::network::test;
namespace protocol = unlearn::protocol;

namespace {

constexpr const char* kInside = "UNLEARN_TEST_INSIDE";

/// A new network namespace has none.
void bring_up_loopback() {
    const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq loopback{};
    std::strcpy(loopback.ifr_name, "lo");
    loopback.ifr_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING;
    REQUIRE(::ioctl(socket, SIOCSIFFLAGS, &loopback) == 0);
    ::close(socket);
}

/// The name server that takes every question and answers none.
class SilentNameServer {
  public:
    SilentNameServer() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        bring_up_loopback();
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

/// Looks names up, and counts what comes of it.
class Asking {
  public:
    ~Asking() {
        for (const auto& question : questions_)
            question->cancel();
    }
    void ask(const std::string& host) {
        questions_.push_back(resolver_.ask(host, world.io, [this, host](const Resolver::Answer& answer) {
            if (answer.problem.empty()) {
                found[host] = answer.addresses;
                failed_before[host] = failed;
            } else {
                ++failed;
            }
        }));
    }

    MemoryWorld world;
    std::map<std::string, std::vector<std::string>> found;
    std::map<std::string, std::size_t> failed_before;  ///< how many had failed when this one was found
    std::size_t failed = 0;

  private:
    Resolver resolver_;
    std::vector<std::shared_ptr<Resolver::Question>> questions_;
};

/// Runs a case of this program in namespaces of its own. @return its exit code; nothing where that is not
/// allowed.
std::optional<int> run_inside(const std::string& name, const std::string& options) {
    const unlearn::testing::TemporaryFolder folder;
    const auto resolv = folder.write("resolv.conf", "nameserver 127.0.0.1\noptions " + options + "\n");
    const auto hosts = folder.write("hosts",
                                    "127.0.0.1 localhost known.example\n::1 localhost\n"
                                    "127.0.0.1 two.example\n127.0.0.2 two.example\n");
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
    // A comma in a name, for example, makes it two that no case has.
    CHECK_MESSAGE(log.find("test cases: 0 ") == std::string::npos, "no such case: ", name);
    return code;
}

void must_pass_inside(const std::string& name, const std::string& options = "timeout:5 attempts:4") {
    if (!run_inside(name, options)) MESSAGE("not tried: namespaces are not allowed here");
}

}  // namespace

TEST_CASE("silent name servers hold up nobody but those whom they should name") {
    must_pass_inside("inside: peers are reached while other names are looked up in vain");
    must_pass_inside("inside: libzmq left to itself is deaf while it looks a name up");
    must_pass_inside("inside: names that failed leave room for others", "timeout:3 attempts:1");
}

TEST_CASE("a peer is reached by a name that is known later, and by the last of several addresses") {
    must_pass_inside("inside: a peer is reached once its name is known");
    must_pass_inside("inside: the next address is tried where nobody answers at the first one");
}

TEST_CASE("more names than are looked up at a time are all answered") {
    // The system reads these as addresses, without a name server; to us they are names. It is so quick that
    // none may have to wait, so this is tried some times.
    constexpr std::size_t kNames = 4 * kMaxLookups;
    for (int round = 0; round < 30; ++round) {
        Asking asking;
        for (std::size_t i = 1; i <= kNames; ++i)
            asking.ask("127." + std::to_string(i));
        REQUIRE(asking.world.until([&] { return asking.found.size() + asking.failed >= kNames; }));
        CHECK(asking.found.size() == kNames);
        CHECK(asking.found["127.20"] == std::vector<std::string>{"127.0.0.20"});
    }
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

TEST_CASE("inside: names that failed leave room for others" * doctest::skip()) {
    if (std::getenv(kInside) == nullptr) return;
    const SilentNameServer silent;
    Asking asking;
    const auto ask_in_vain = [&] {
        for (std::size_t i = 0; i < kMaxLookups; ++i)
            asking.ask("silent-" + std::to_string(i) + ".example");
    };
    ask_in_vain();
    asking.ask("two.example");
    REQUIRE(asking.world.until(
        [&] { return asking.failed == kMaxLookups && asking.found.contains("two.example"); }));
    // That one had to wait, since nothing was known of any of them.
    CHECK(asking.failed_before["two.example"] >= 1);
    ask_in_vain();
    asking.ask("known.example");
    REQUIRE(asking.world.until([&] { return asking.found.contains("known.example"); }));
    // None of them had to fail again first.
    CHECK(asking.failed_before["known.example"] == kMaxLookups);
}

TEST_CASE("inside: a peer is reached once its name is known" * doctest::skip()) {
    if (std::getenv(kInside) == nullptr) return;
    bring_up_loopback();
    ZmqWorld world;
    const auto listener = world.listening();
    const auto dialler = world.dialling();
    listener->allow(*dialler);
    const auto [id, endpoint] = listener->address();
    dialler->transport->dial({id, "tcp://later.example" + endpoint.substr(endpoint.rfind(':'))});
    REQUIRE(world.until([&] { return !dialler->seen.unresolved.empty(); }));
    CHECK(dialler->seen.ups.empty());
    std::ofstream("/etc/hosts", std::ios::app) << "127.0.0.1 later.example\n";
    CHECK(world.until([&] { return !dialler->seen.ups.empty(); }));
    CHECK(dialler->seen.unresolved.size() == 1);
}

TEST_CASE("inside: the next address is tried where nobody answers at the first one" * doctest::skip()) {
    if (std::getenv(kInside) == nullptr) return;
    bring_up_loopback();
    // In the order in which they are tried; without IPv6 localhost has one address.
    Asking asking;
    for (const char* name : {"localhost", "two.example"})
        asking.ask(name);
    REQUIRE(asking.world.until([&] { return asking.found.size() == 2; }));
    REQUIRE(asking.found["two.example"].size() == 2);
    for (const std::string name : {"localhost", "two.example"}) {
        CAPTURE(name);
        ZmqWorld world;
        const std::string last = asking.found[name].back();
        const bool is_ipv6 = last.find(':') != std::string::npos;
        const auto listener = world.make(protocol::Endpoint{last, 0, is_ipv6}.text());
        REQUIRE(listener->transport->start(listener->seen));
        const auto dialler = world.dialling();
        listener->allow(*dialler);
        const auto endpoint = listener->address().endpoint;
        dialler->transport->dial(
            {listener->identity.id(), "tcp://" + name + endpoint.substr(endpoint.rfind(':'))});
        CHECK(world.until([&] { return !dialler->seen.ups.empty(); }));
    }
}
