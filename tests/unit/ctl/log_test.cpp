#include <fstream>

#include <doctest/doctest.h>

#include "fake_daemon.hpp"
#include "node/storage/sqlite.hpp"
#include "node/storage/store.hpp"
#include "support.hpp"

namespace {

using namespace unlearn;
using namespace unlearn::ctl;
using namespace unlearn::protocol;
using nlohmann::json;

/// The state of a node that does not run, with three entries in its log.
struct StoppedNode {
    TemporaryFolder folder;
    storage::Binding binding{Identity::generate().id(), {}};
    std::string config = folder.write("node.toml", "data_dir = \"" + (folder / "data") +
                                                       "\"\ncontrol_socket = \"" + (folder / "s") + "\"\n");

    StoppedNode() {
        const auto store = open();
        const std::vector<StoreOp> ops{PutTombstone{Identity::generate().id(), {{1, 2, 3}, {}}},
                                       PutExiting{{{1}, {}}}, PutRetired{"over"}};
        REQUIRE(store->apply(ops));
    }
    [[nodiscard]] std::unique_ptr<storage::Store> open() const {
        return storage::Store::open(folder / "data/state", binding).value();
    }
    void tamper(const std::string& sql) const {
        const auto database = storage::sqlite::Connection::open(folder / "data/state/state.db").value();
        REQUIRE(database->run(sql));
    }
    [[nodiscard]] Called verify(std::vector<std::string> more = {}) const {
        std::vector<std::string> arguments{"log", "--verify", "--config", config};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return call(arguments);
    }
};

TEST_CASE("the log of a node that does not run is verified") {
    const StoppedNode node;
    const auto intact = node.verify();
    CHECK_MESSAGE(intact.code == 0, intact.err);
    CHECK(intact.out == "3 entries, none changed or missing\n");
    CHECK(intact.err.empty());

    node.tamper("UPDATE log SET kind = 'receipt' WHERE seq = 2");
    const auto changed = node.verify();
    CHECK(changed.code == 4);
    CHECK(changed.out == "the log was changed: log entry 2 does not have the hash of its fields\n");
    const auto verdict = json::parse(node.verify({"--json"}).out);
    CHECK(verdict["ok"] == false);
    CHECK(verdict["first_bad"] == 2);
    CHECK(verdict["entries"] == 3);

    node.tamper("DELETE FROM log");
    CHECK(node.verify().code == 4);
}

TEST_CASE("a daemon that answers is believed, whatever is on the disk") {
    const StoppedNode node;
    node.tamper("DELETE FROM log");
    FakeDaemon daemon(node.folder / "s", [](const FakeDaemon::Request&) {
        return FakeDaemon::Answer{200, R"({"entries": 8, "ok": true, "first_bad": null, "detail": ""})"};
    });
    const auto called = node.verify();
    CHECK(called.code == 0);
    CHECK(called.out == "8 entries, none changed or missing\n");
}

TEST_CASE("a log whose oldest entries were dropped says so") {
    const StoppedNode node;
    {
        const auto store = storage::Store::open(node.folder / "data/state", node.binding,
                                                storage::wall_time_now, storage::real_disk(), 10)
                               .value();
        const auto peer = Identity::generate().id();
        for (int i = 0; i < 20; ++i)
            REQUIRE(store->apply(std::vector<StoreOp>{PutPeer{peer, "tcp://h:" + std::to_string(i), false}}));
    }
    const auto intact = node.verify();
    CHECK(intact.code == 0);
    CHECK(intact.out == "9 entries, none changed or missing; 14 older ones were dropped\n");
    CHECK(json::parse(node.verify({"--json"}).out)["dropped"] == 14);

    const TemporaryFolder folder;
    std::uint64_t first = 14;
    const FakeDaemon daemon(folder / "s", [&first](const FakeDaemon::Request& request) {
        const bool begins = request.target.find("after=0&") != std::string::npos;
        const json page = begins ? json::array({{{"seq", first}, {"at", 1'795'420'800}, {"kind", "retired"}}})
                                 : json::array();
        return FakeDaemon::Answer{200, page.dump()};
    });
    const auto told = call({"log", "--socket", folder / "s"});
    CHECK(told.code == 0);
    CHECK(told.out.find("older entries, 1 to 13, were dropped") != std::string::npos);
    first = 1;
    CHECK(call({"log", "--socket", folder / "s"}).out.find("dropped") == std::string::npos);
}

TEST_CASE("where there is no log to read, the daemon stays unreachable") {
    const StoppedNode node;
    {
        const auto running = node.open();  // its socket is gone, but it runs
        const auto called = node.verify();
        CHECK(called.code == 3);
        CHECK(called.err.find("unlearnd is not running") != std::string::npos);
        CHECK(called.err.find("in use") != std::string::npos);
    }
    // A socket says nothing about where the log is.
    CHECK(call({"log", "--verify", "--socket", node.folder / "other"}).code == 3);
    CHECK(node.verify({"--socket", node.folder / "other"}).code == 0);

    std::ofstream(node.folder / "data/state/state.db") << std::string(9000, 'x');
    const auto damaged = node.verify();
    CHECK(damaged.code == 3);
    CHECK(damaged.err.find("state.db: ") != std::string::npos);

    std::filesystem::remove_all(node.folder / "data/state");
    const auto missing = node.verify();
    CHECK(missing.code == 3);
    CHECK(missing.err.find("cannot be read") == std::string::npos);
    CHECK_FALSE(std::filesystem::exists(node.folder / "data/state"));
}

}  // namespace
