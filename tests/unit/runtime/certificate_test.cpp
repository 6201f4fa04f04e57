#include "node/runtime/certificate.hpp"

#include <doctest/doctest.h>

#include "tests/support/engine_network.hpp"

using namespace unlearn::testing;
using namespace unlearn::runtime;

namespace {

EngineNetwork network_after_exit(bool one_is_away) {
    EngineNetwork net({"a", "b", "c"}, {{0, 1}, {1, 2}, {0, 2}});
    net.start();
    for (std::size_t i = 0; i < 3; ++i)
        net.publish(i, 20'000);
    net.settle();
    if (one_is_away) {
        net.cut(0, 2);
        net.cut(0, 1);
    }
    net.exit(2);
    net.settle();
    return net;
}

nlohmann::json certificate_of(EngineNetwork& net) {
    return make_certificate(net.id(2), net.network(), net[2].engine->own_exit());
}

}  // namespace

TEST_CASE("a complete certificate verifies with nothing but itself") {
    EngineNetwork net = network_after_exit(false);
    const auto certificate = nlohmann::json::parse(certificate_of(net).dump());
    CHECK(certificate["complete"] == true);
    const auto verdict = verify_certificate(certificate);
    REQUIRE(verdict.has_value());
    CHECK(verdict->owner == net.id(2));
    CHECK(verdict->erased.size() == 2);
    CHECK(verdict->complete());
}

TEST_CASE("a holder that did not answer is named as missing") {
    EngineNetwork net = network_after_exit(true);
    const auto verdict = verify_certificate(certificate_of(net));
    REQUIRE(verdict.has_value());
    CHECK_FALSE(verdict->complete());
    CHECK(verdict->missing == std::vector<NodeId>{net.id(0)});
    CHECK(verdict->erased == std::vector<NodeId>{net.id(1)});
}

TEST_CASE("a holder that left itself is named as left") {
    EngineNetwork net({"a", "b", "c"}, {{0, 1}, {1, 2}, {0, 2}});
    net.start();
    for (std::size_t i = 0; i < 3; ++i)
        net.publish(i, 20'000);
    net.settle();
    net.exit(0);
    net.settle();
    net.exit(2);
    net.settle();
    const auto verdict = verify_certificate(certificate_of(net));
    REQUIRE(verdict.has_value());
    CHECK(verdict->complete());
    CHECK(verdict->left == std::vector<NodeId>{net.id(0)});
}

TEST_CASE("whatever is changed in a certificate, it does not verify any more") {
    EngineNetwork net = network_after_exit(true);
    const auto good = certificate_of(net);
    REQUIRE(verify_certificate(good).has_value());
    auto bad = good;
    const auto refused = [&] { return !verify_certificate(bad).has_value(); };
    const std::size_t erased = good["holders"][0]["status"] == "erased" ? 0 : 1;

    SUBCASE("complete") {
        bad["complete"] = true;
    }
    SUBCASE("another owner") {
        bad["owner"] = net.id(1).text();
    }
    SUBCASE("another network") {
        bad["network"] = std::string(64, '0');
    }
    SUBCASE("a byte of the notice") {
        std::string text = bad["notice"]["bytes"];
        text.back() = text.back() == '0' ? '1' : '0';
        bad["notice"]["bytes"] = text;
    }
    SUBCASE("a byte of a receipt") {
        std::string text = bad["holders"][erased]["receipt"]["bytes"];
        text.back() = text.back() == '0' ? '1' : '0';
        bad["holders"][erased]["receipt"]["bytes"] = text;
    }
    SUBCASE("a receipt under another holder's name") {
        bad["holders"][erased]["node"] = net.id(2).text();
    }
    SUBCASE("a status") {
        bad["holders"][erased]["status"] = "left";
    }
    SUBCASE("missing made erased") {
        bad["holders"][1 - erased]["status"] = "erased";
    }
    SUBCASE("a holder twice") {
        bad["holders"].push_back(bad["holders"][erased]);
    }
    SUBCASE("no notice") {
        bad.erase("notice");
    }
    SUBCASE("no JSON object at all") {
        bad = 5;
    }
    CHECK(refused());
}
