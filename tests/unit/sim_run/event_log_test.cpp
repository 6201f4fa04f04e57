#include "sim/run/event_log.hpp"

#include <doctest/doctest.h>

#include "tests/support/temporary_folder.hpp"

namespace {

using namespace unlearn;
using protocol::Event;
using protocol::EventKind;
using protocol::NodeId;
using sim::run::EventLog;
using Reasons = std::map<std::string, std::string>;

/// "leaver" leaves; "b" and "c" hold its seed and are silent, "d" holds none.
struct Fleet {
    testing::TemporaryFolder folder;
    EventLog log{folder / "events.jsonl"};
    std::map<std::string, NodeId> ids;

    Fleet() {
        for (const char* name : {"leaver", "b", "c", "d"}) {
            ids[name] = protocol::Identity::generate().id();
            log.name(ids[name], name);
        }
    }
    void happens(const std::string& node, EventKind kind, const std::string& subject,
                 const std::string& detail = "") {
        log.add(node, Event{kind, ids.at(subject), {}, detail}, EventLog::Clock::now());
    }
    [[nodiscard]] Reasons why_silent() const { return log.why_silent({"b", "c"}, "leaver"); }
};

TEST_CASE("a holder is silent because its link to the leaver is down, until that is up again") {
    Fleet fleet;
    CHECK(fleet.why_silent().empty());
    fleet.happens("b", EventKind::peer_down, "leaver", "timed out");
    CHECK(fleet.why_silent() == Reasons{{"b", "peer-down: timed out"}});
    // The link of another holder, and another link of this one, change nothing about it.
    fleet.happens("c", EventKind::peer_up, "leaver");
    fleet.happens("b", EventKind::peer_up, "d");
    CHECK(fleet.why_silent() == Reasons{{"b", "peer-down: timed out"}});
    fleet.happens("b", EventKind::peer_up, "leaver");
    CHECK(fleet.why_silent().empty());
    fleet.happens("b", EventKind::peer_down, "leaver");
    CHECK(fleet.why_silent() == Reasons{{"b", "peer-down"}});
}

TEST_CASE("a link to another node tells nothing about a receipt for the leaver") {
    Fleet fleet;
    fleet.happens("b", EventKind::peer_down, "d", "timed out");
    CHECK(fleet.why_silent().empty());
}

TEST_CASE("a holder that cannot store is silent because of that, whatever it is about") {
    Fleet fleet;
    fleet.happens("b", EventKind::peer_down, "leaver", "timed out");
    fleet.happens("b", EventKind::store_failed, "b", "disk full");
    fleet.happens("c", EventKind::store_failed, "d", "disk full");
    CHECK(fleet.why_silent() == Reasons{{"b", "store-failed: disk full"}, {"c", "store-failed: disk full"}});
}

TEST_CASE("a node of which no receipt is missing has no reason to be silent") {
    Fleet fleet;
    fleet.happens("d", EventKind::peer_down, "leaver", "timed out");
    fleet.happens("d", EventKind::store_failed, "d", "disk full");
    fleet.happens("leaver", EventKind::peer_down, "b", "timed out");
    CHECK(fleet.why_silent().empty());
}

}  // namespace
