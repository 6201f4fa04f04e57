#include "protocol/endpoint.hpp"

#include <doctest/doctest.h>

using namespace unlearn::protocol;

namespace {

std::string read(const std::string& text, EndpointUse use) {
    const auto endpoint = parse_endpoint(text, use);
    return endpoint ? endpoint->text() : "refused: " + endpoint.error().detail;
}

}  // namespace

TEST_CASE(
    "addresses are names, IPv4 and IPv6 addresses, and for listening also all addresses and interfaces") {
    for (const char* good : {"tcp://host.example:7411", "tcp://localhost:1", "tcp://10.0.0.1:65535",
                             "tcp://[::1]:7411", "tcp://[2001:db8::7]:7411", "tcp://[fe80::1%eth0]:7411",
                             "tcp://[::ffff:10.0.0.1]:7411", "tcp://a-b_c:7411"}) {
        CHECK(read(good, EndpointUse::dial) == good);
        CHECK(read(good, EndpointUse::listen) == good);
    }
    for (const char* good :
         {"tcp://*:7411", "tcp://0.0.0.0:7411", "tcp://[::]:7411", "tcp://eth0:0", "tcp://*:0"}) {
        CHECK(read(good, EndpointUse::listen) == good);
        CHECK(read(good, EndpointUse::dial).starts_with("refused"));
    }
    CHECK(read("tcp://127.0.0.1:*", EndpointUse::listen) == "tcp://127.0.0.1:0");
    CHECK(read("tcp://127.0.0.1:007411", EndpointUse::dial) == "tcp://127.0.0.1:7411");
    const auto endpoint = parse_endpoint("tcp://[::1]:7411", EndpointUse::dial).value();
    CHECK(endpoint.host == "::1");
    CHECK(endpoint.port == 7411);
    CHECK(endpoint.is_ipv6);
}

TEST_CASE("a text that is not an address says why") {
    const std::pair<const char*, const char*> wrong[] = {
        {"", "expected tcp://HOST:PORT"},
        {"host:7411", "expected tcp://HOST:PORT"},
        {"udp://host:7411", "expected tcp://HOST:PORT"},
        {"tcp://host", "the port is missing"},
        {"tcp://[::1]", "the port is missing"},
        {"tcp://host:", "'' is not a port"},
        {"tcp://host:74x", "'74x' is not a port"},
        {"tcp://host:7\n4", "'7?4' is not a port"},
        {"tcp://host:-1", "'-1' is not a port"},
        {"tcp://host: 1", "' 1' is not a port"},
        {"tcp://host:65536", "to 65535"},
        {"tcp://host:99999999999999999999", "to 65535"},
        {"tcp://::1:7411", "in brackets"},
        {"tcp://2001:db8::7:7411", "in brackets"},
        {"tcp://[::1:7411", "not closed"},
        {"tcp://[10.0.0.1]:7411", "the brackets must hold an IPv6 address"},
        {"tcp://[]:7411", "the brackets must hold an IPv6 address"},
        {"tcp://:7411", "the host is missing"},
        {"tcp://ho st:7411", "neither a name nor an address"},
        {"tcp://-host:7411", "neither a name nor an address"},
        {"tcp://host/path:7411", "neither a name nor an address"},
        {"tcp://10.0.0:7411", "four numbers from 0 to 255"},
        {"tcp://10.0.0.256:7411", "four numbers from 0 to 255"},
        {"tcp://10.0.0.1.2:7411", "four numbers from 0 to 255"},
    };
    for (const auto& [text, why] : wrong) {
        const std::string address = text;
        CAPTURE(address);
        for (const auto use : {EndpointUse::dial, EndpointUse::listen}) {
            const auto said = read(text, use);
            CHECK_MESSAGE(said.find(why) != std::string::npos, said);
            CHECK(said.find(" is not an address: ") != std::string::npos);
        }
    }
    CHECK(read("tcp://host:0", EndpointUse::dial).find("from 1 to 65535") != std::string::npos);
    CHECK(read("tcp://*:7411", EndpointUse::dial).find("is only for listening and cannot be dialled") !=
          std::string::npos);
    // One line, whatever stands in it.
    CHECK(read("tcp://a\nb\x1b:7411", EndpointUse::dial).find_first_of("\n\x1b") == std::string::npos);
    CHECK(read("tcp://" + std::string(10'000, 'a'), EndpointUse::dial).size() < 300);
}
