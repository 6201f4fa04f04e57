#include "sim/run/exchange.hpp"

#include <doctest/doctest.h>

namespace {

using namespace unlearn;
using protocol::Event;
using protocol::EventKind;
using sim::run::EventLog;
using sim::run::Exchange;

constexpr protocol::SeedVersion kVersion{1};

struct Fleet {
    std::vector<EventLog::Entry> log;
    Exchange exchange{{{"a", "b"}, {"b", "a"}}, kVersion};

    void happens(const std::string& node, EventKind kind, const std::string& subject,
                 const std::string& detail = "", protocol::SeedVersion version = kVersion) {
        log.push_back({EventLog::Clock::now(), node, Event{kind, {}, version, detail}, subject});
        exchange.look_at(log);
    }
};

TEST_CASE("an exchange is complete when every seed has arrived, each counted once") {
    Fleet fleet;
    CHECK(fleet.exchange.expected() == 2);
    CHECK(fleet.exchange.progress() == "0 of 2 seeds arrived; missing: that of b at a, that of a at b");
    fleet.happens("a", EventKind::seed_installed, "b");
    fleet.happens("a", EventKind::seed_installed, "b");
    fleet.happens("b", EventKind::seed_installed, "c");
    CHECK(fleet.exchange.arrived() == 1);
    CHECK_FALSE(fleet.exchange.is_complete());
    fleet.happens("b", EventKind::seed_installed, "a");
    CHECK(fleet.exchange.is_complete());
    CHECK(fleet.exchange.progress() == "2 of 2 seeds arrived");
    CHECK_FALSE(fleet.exchange.failure());
}

TEST_CASE("a seed that is held aside has arrived, one of another version has not") {
    Fleet fleet;
    fleet.happens("a", EventKind::seed_suspended, "b", "its answers hardly depend on the input");
    CHECK(fleet.exchange.arrived() == 1);
    fleet.happens("b", EventKind::seed_installed, "a", "", protocol::SeedVersion{2});
    CHECK(fleet.exchange.arrived() == 1);
}

TEST_CASE("what cannot be complete any more says who and why") {
    Fleet fleet;
    SUBCASE("a refused seed") {
        fleet.happens("a", EventKind::seed_refused, "b", "not finite");
        CHECK(fleet.exchange.failure() == "a: refuses the seed of b: not finite");
    }
    SUBCASE("one's own seed") {
        fleet.happens("a", EventKind::seed_refused, "a", "too large");
        CHECK(fleet.exchange.failure() == "a: its own seed cannot be published: too large");
    }
    SUBCASE("a full disk") {
        fleet.happens("b", EventKind::store_failed, "b", "No space left on device");
        CHECK(fleet.exchange.failure() == "b: cannot store what it has to keep: No space left on device");
    }
    SUBCASE("a peer that breaks the protocol") {
        fleet.happens("b", EventKind::peer_dropped, "a", "out of order");
        CHECK(fleet.exchange.failure() == "b: drops a: out of order");
        // The first cause is the cause.
        fleet.happens("a", EventKind::store_failed, "a", "No space left on device");
        CHECK(fleet.exchange.failure() == "b: drops a: out of order");
    }
}

TEST_CASE("a link that is down may come back: it ends nothing, and is named") {
    Fleet fleet;
    fleet.happens("a", EventKind::peer_down, "b", "timed out");
    fleet.happens("b", EventKind::peer_unresolved, "a");
    CHECK_FALSE(fleet.exchange.failure());
    CHECK(fleet.exchange.progress() ==
          "0 of 2 seeds arrived; missing: that of b at a (peer-down: timed out), "
          "that of a at b (peer-unresolved)");
    fleet.happens("a", EventKind::peer_up, "b");
    CHECK(fleet.exchange.progress() ==
          "0 of 2 seeds arrived; missing: that of b at a, that of a at b (peer-unresolved)");
}

TEST_CASE("of many that are missing a few are named") {
    Exchange::Pairs pairs;
    for (int i = 0; i < 10; ++i)
        pairs.emplace_back("holder-" + std::to_string(i), "owner");
    CHECK(Exchange(pairs, kVersion).progress() ==
          "0 of 10 seeds arrived; missing: that of owner at holder-0, that of owner at holder-1, that of "
          "owner at "
          "holder-2, ...");
}

}  // namespace
