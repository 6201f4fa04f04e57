#include "node/network/zap.hpp"

#include <doctest/doctest.h>

#include "node/network/zmq_socket.hpp"
#include "world.hpp"

using namespace unlearn::network;
using namespace unlearn::network::test;
namespace protocol = unlearn::protocol;

namespace {

/// Does a DEALER of `client` get a message through to a ROUTER of `server` in this context?
bool gets_through(zmq::context_t& context, const protocol::Identity& server,
                  const protocol::Identity& client) {
    zmq::socket_t router = make_router(context, server);
    router.set(zmq::sockopt::linger, 0);
    router.set(zmq::sockopt::rcvtimeo, 500);
    router.bind("tcp://127.0.0.1:0");
    zmq::socket_t dealer = make_dealer(context, client, server.id());
    dealer.set(zmq::sockopt::linger, 0);
    dealer.set(zmq::sockopt::sndtimeo, 500);
    dealer.connect(router.get(zmq::sockopt::last_endpoint));
    dealer.send(zmq::str_buffer("hello"), zmq::send_flags::none);
    zmq::message_t part;
    return router.recv(part).has_value();
}

}  // namespace

TEST_CASE("without a ZAP handler everybody is refused, and with one the listed key gets in") {
    const auto server = protocol::Identity::generate();
    const auto client = protocol::Identity::generate();
    zmq::context_t context;
    CHECK_FALSE(gets_through(context, server, client));

    const auto zap = std::move(ZapHandler::start(context).value());
    CHECK_FALSE(gets_through(context, server, client));  // nobody to ask
    const auto key = client.id().curve_key();
    const auto access = std::make_shared<AccessList>();
    zap->ask(zap_domain_of(server.id()), access);
    CHECK_FALSE(gets_through(context, server, client));  // not listed
    access->allow({&key, 1});
    CHECK(gets_through(context, server, client));
    zap->forget(zap_domain_of(server.id()));
    CHECK_FALSE(gets_through(context, server, client));
}

TEST_CASE("a key that is listed for one node is not let in by another") {
    const auto server = protocol::Identity::generate();
    const auto other = protocol::Identity::generate();
    const auto client = protocol::Identity::generate();
    zmq::context_t context;
    const auto zap = std::move(ZapHandler::start(context).value());
    const auto key = client.id().curve_key();
    const auto access = std::make_shared<AccessList>();
    access->allow({&key, 1});
    zap->ask(zap_domain_of(other.id()), access);
    CHECK_FALSE(gets_through(context, server, client));
    CHECK(gets_through(context, other, client));
}

TEST_CASE("a context takes one ZAP handler only") {
    zmq::context_t context;
    const auto first = ZapHandler::start(context);
    REQUIRE(first);
    CHECK_FALSE(ZapHandler::start(context));
}
