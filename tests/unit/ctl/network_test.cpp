#include <atomic>
#include <set>
#include <thread>

#include <doctest/doctest.h>

#include "fake_daemon.hpp"
#include "node/runtime/network_statements_file.hpp"
#include "protocol/network_statements.hpp"
#include "support.hpp"

namespace {

using namespace unlearn;
using namespace unlearn::ctl;
using nlohmann::json;
using protocol::Identity;
using protocol::NetworkId;

/// An operator's machine: a network key and no node.
struct Office {
    TemporaryFolder folder;
    std::string key = folder / "fleet.key";
    std::string network = std::string(64, 'a');
    Identity member = Identity::generate();

    Office() { REQUIRE(call({"network", "key", key}).code == 0); }

    [[nodiscard]] NetworkId network_id() const { return *NetworkId::from(*protocol::from_hex(network)); }
    [[nodiscard]] Called sign(std::vector<std::string> arguments, const std::string& file,
                              const char* typed = nullptr) const {
        std::vector<std::string> all{"network"};
        all.insert(all.end(), arguments.begin(), arguments.end());
        for (const std::string& more :
             {std::string("--key"), key, std::string("--network"), network, std::string("-o"), folder / file})
            all.push_back(more);
        return call(all, typed);
    }
    [[nodiscard]] json content(const std::string& file) const {
        return json::parse(testing::content_of(folder / file));
    }
    [[nodiscard]] json ledger(const std::string& of = "fleet.key") const {
        return json::parse(call({"network", "list", "--json", "--key", folder / of}).out);
    }
};

TEST_CASE("network key makes a key, as network-key does, and never replaces one") {
    const Office office;
    CHECK(call({"network", "key", office.key}).code == 1);
    const auto older = call({"network-key", "--json", office.folder / "other.key"});
    REQUIRE(older.code == 0);
    CHECK(protocol::NodeId::from_text(json::parse(older.out)["key"].get<std::string>()));
}

TEST_CASE("issue signs a membership with an end, and renewing it gives a higher number") {
    const Office office;
    const auto id = office.member.id().text();
    const auto made = office.sign({"issue", id, "--days", "10"}, "first.json");
    REQUIRE_MESSAGE(made.code == 0, made.err);
    REQUIRE(office.sign({"renew", id, "--days", "20"}, "second.json").code == 0);
    const auto first = runtime::read_network_file(office.content("first.json"));
    const auto second = runtime::read_network_file(office.content("second.json"));
    REQUIRE(first);
    REQUIRE(second);
    CHECK(first->network == office.network_id());
    const auto earlier = protocol::verify_term_membership(first->network, first->statements.at(0).statement);
    const auto later = protocol::verify_term_membership(second->network, second->statements.at(0).statement);
    REQUIRE(earlier);
    REQUIRE(later);
    CHECK(earlier->member == office.member.id());
    CHECK(later->number > earlier->number);
    CHECK(later->not_after > earlier->not_after);
    CHECK(earlier->not_after - earlier->not_before > std::chrono::hours(240));
    CHECK(office.ledger()["statements"].size() == 2);
    // No file is replaced.
    CHECK(office.sign({"issue", id}, "first.json").code == 1);
}

TEST_CASE("expel asks first, signs a revocation and writes it into the ledger") {
    const Office office;
    const auto id = office.member.id().text();
    CHECK(office.sign({"expel", id}, "out.json").code == 2);  // nobody can be asked
    CHECK(office.sign({"expel", id}, "out.json", "no\n").code == 1);
    CHECK(office.ledger()["statements"].empty());
    const auto made = office.sign({"expel", id, "--yes"}, "out.json");
    REQUIRE_MESSAGE(made.code == 0, made.err);
    const auto file = runtime::read_network_file(office.content("out.json"));
    REQUIRE(file);
    const auto revocation = protocol::verify_revocation(file->network, file->statements.at(0).statement);
    REQUIRE(revocation);
    CHECK(revocation->member == office.member.id());
    CHECK(office.ledger()["statements"].at(0)["kind"] == "revocation");
    CHECK(office.ledger()["network"] == office.network);
}

TEST_CASE("succeed names the next key and signs all revocations again with it") {
    const Office office;
    REQUIRE(office.sign({"expel", office.member.id().text(), "--yes"}, "expelled.json").code == 0);
    const auto next = office.folder / "next.key";
    REQUIRE(call({"network", "key", next}).code == 0);
    const auto made = office.sign({"succeed", next, "--yes"}, "succession.json");
    REQUIRE_MESSAGE(made.code == 0, made.err);
    const auto file = runtime::read_network_file(office.content("succession.json"));
    REQUIRE(file);
    REQUIRE(file->statements.size() == 2);
    const auto succession = protocol::verify_succession(file->network, file->statements[0].statement);
    const auto revocation = protocol::verify_revocation(file->network, file->statements[1].statement);
    REQUIRE(succession);
    REQUIRE(revocation);
    CHECK(succession->memberships_until > succession->made_at);
    CHECK(revocation->network_key == succession->next);
    CHECK(revocation->member == office.member.id());
    // The next key knows its network and what it has signed.
    CHECK(office.ledger("next.key")["network"] == office.network);
    CHECK(office.ledger("next.key")["statements"].size() == 2);
    CHECK(office.sign({"succeed", office.key, "--yes"}, "itself.json").code == 2);
}

TEST_CASE(
    "succeed says the same again when it is repeated, and nothing is signed with a key that was replaced") {
    const Office office;
    REQUIRE(office.sign({"expel", office.member.id().text(), "--yes"}, "expelled.json").code == 0);
    const auto next = office.folder / "next.key";
    const auto other = office.folder / "other.key";
    REQUIRE(call({"network", "key", next}).code == 0);
    REQUIRE(call({"network", "key", other}).code == 0);
    REQUIRE(office.sign({"succeed", next, "--yes"}, "first.json").code == 0);
    const auto again = office.sign({"succeed", next, "--yes"}, "again.json");
    REQUIRE_MESSAGE(again.code == 0, again.err);
    CHECK(office.content("again.json") == office.content("first.json"));
    const auto refused = [&](std::vector<std::string> arguments, const std::string& why) {
        const auto called = office.sign(std::move(arguments), "refused.json");
        CHECK(called.code == 2);
        CHECK_MESSAGE(called.err.find(why) != std::string::npos, called.err);
    };
    refused({"succeed", other, "--yes"}, "of two next keys none would count");
    refused({"issue", office.member.id().text()}, "was replaced");
    refused({"expel", Identity::generate().id().text(), "--yes"}, "was replaced");
    const auto expelled = call(
        {"network", "issue", office.member.id().text(), "--key", next, "-o", office.folder / "refused.json"});
    CHECK(expelled.code == 2);
    CHECK_MESSAGE(expelled.err.find("is expelled for ever") != std::string::npos, expelled.err);
    CHECK(office.ledger()["statements"].size() == 2);
    CHECK(office.ledger("next.key")["statements"].size() == 2);
}

TEST_CASE("what is signed at one time by several commands is all in the ledger") {
    const Office office;
    constexpr int kCommands = 8;
    std::vector<std::thread> commands;
    std::atomic<int> signed_ones = 0;
    for (int i = 0; i < kCommands; ++i)
        commands.emplace_back([&, i] {
            const auto called =
                call({"network", "issue", Identity::generate().id().text(), "--key", office.key, "--network",
                      office.network, "-o", office.folder / ("m" + std::to_string(i) + ".json")});
            signed_ones += called.code == 0 ? 1 : 0;
        });
    for (auto& command : commands)
        command.join();
    CHECK(signed_ones == kCommands);
    std::set<std::uint64_t> numbers;
    const json ledger = office.ledger();
    for (const auto& statement : ledger["statements"])
        numbers.insert(statement["number"].get<std::uint64_t>());
    CHECK(numbers.size() == kCommands);
}

TEST_CASE("a key signs for one network, and which one must be known") {
    const Office office;
    const auto id = office.member.id().text();
    const auto unknown = call({"network", "issue", id, "--key", office.key, "-o", office.folder / "a.json",
                               "--config", office.folder / "none.toml"});
    CHECK(unknown.code == 2);
    REQUIRE(office.sign({"issue", id}, "a.json").code == 0);
    // From now on the ledger says so.
    const auto known = call({"network", "issue", id, "--key", office.key, "-o", office.folder / "b.json"});
    CHECK_MESSAGE(known.code == 0, known.err);
    const auto other = call({"network", "issue", id, "--key", office.key, "--network", std::string(64, 'b'),
                             "-o", office.folder / "c.json"});
    CHECK(other.code == 2);
    CHECK_MESSAGE(other.err.find("this key signs for network") != std::string::npos, other.err);
}

TEST_CASE("bad input is one line: an id, a network, a key, a ledger, a file") {
    const Office office;
    const auto id = office.member.id().text();
    const auto one_line = [](const Called& called, int code, const std::string& part) {
        CHECK(called.code == code);
        CHECK_MESSAGE(called.err.find(part) != std::string::npos, called.err);
        CHECK(std::count(called.err.begin(), called.err.end(), '\n') == 1);
    };
    one_line(office.sign({"issue", "abc"}, "x.json"), 2, "abc: ");
    one_line(call({"network", "issue", id, "--key", office.key, "--network", "xyz"}), 2, "--network: ");
    one_line(call({"network", "issue", id, "--key", office.folder / "none.key"}), 2, "none.key");
    static_cast<void>(office.folder.write("fleet.key.ledger", "{}"));
    one_line(office.sign({"issue", id}, "x.json"), 2, "fleet.key.ledger: ");
    static_cast<void>(office.folder.write("bad.json", "{\"schema\": \"other\"}"));
    one_line(call({"network", "submit", office.folder / "bad.json"}), 2, "bad.json: ");
    one_line(call({"network", "follow", "abc"}), 2, "abc: ");
}

TEST_CASE("a forged statement is found before the daemon is asked") {
    const Office office;
    REQUIRE(office.sign({"expel", office.member.id().text(), "--yes"}, "out.json").code == 0);
    auto content = office.content("out.json");
    auto signature = content["statements"][0]["signature"].get<std::string>();
    signature[0] = signature[0] == '0' ? '1' : '0';
    content["statements"][0]["signature"] = signature;
    static_cast<void>(office.folder.write("forged.json", content.dump()));
    const auto called = call({"network", "submit", office.folder / "forged.json"});
    CHECK(called.code == 4);
    CHECK_MESSAGE(called.err.find("statement 1") != std::string::npos, called.err);
}

TEST_CASE("statements go to the node here, by submit, or by the command that signs them") {
    const Office office;
    const auto socket = office.folder / "s";
    const auto id = office.member.id().text();
    FakeDaemon daemon(socket, [](const FakeDaemon::Request& request) {
        if (request.target == "/v1/network/follow")
            return FakeDaemon::Answer{200, R"({"key": "k", "undecided": false})"};
        if (request.target == "/v1/network")
            return FakeDaemon::Answer{200, R"({"network": "n", "keys": ["a", "b"], "key": "b",
                "undecided": false, "followed": null, "expelled": true, "membership": {"not_after": 0},
                "statements": []})"};
        return FakeDaemon::Answer{200, json{{"taken", json::parse(request.body)["statements"]}}.dump()};
    });
    REQUIRE(office.sign({"issue", id}, "m.json").code == 0);
    const auto submitted = call({"network", "submit", office.folder / "m.json", "--socket", socket});
    CHECK_MESSAGE(submitted.code == 0, submitted.err);
    CHECK_MESSAGE(submitted.out.find(id) != std::string::npos, submitted.out);
    const auto expelled = call({"network", "expel", id, "--yes", "--key", office.key, "--socket", socket});
    CHECK_MESSAGE(expelled.code == 0, expelled.err);
    CHECK(call({"network", "follow", id, "--socket", socket}).code == 0);
    const auto shown = call({"network", "show", "--socket", socket});
    CHECK(shown.code == 0);
    CHECK_MESSAGE(shown.out.find("is expelled") != std::string::npos, shown.out);
    const auto& requests = daemon.requests();
    REQUIRE(requests.size() == 4);
    CHECK(requests[0].target == "/v1/network/statements");
    CHECK(json::parse(requests[0].body) == office.content("m.json"));
    CHECK(json::parse(requests[1].body)["statements"][0]["kind"] == "revocation");
    CHECK(json::parse(requests[2].body)["key"] == id);
}

TEST_CASE("init signs a membership with an end when it is told to, and the ledger has it") {
    const Office office;
    const auto data = office.folder.write("train.csv", "x,y,class\n1,2,cat\n3,4,dog\n");
    const auto reference = office.folder.write("reference.csv", "x,y,class\n5,6,cat\n7,8,dog\n");
    const auto init = [&](const std::string& name, const std::vector<std::string>& more) {
        std::vector<std::string> arguments{"init",        "--json",
                                           "--data",      data,
                                           "--label",     "class",
                                           "--classes",   "cat,dog",
                                           "--reference", reference,
                                           "--config",    office.folder / (name + ".toml"),
                                           "--data-dir",  office.folder / name,
                                           "--sealed",    office.folder / (name + ".sealed")};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return call(arguments);
    };
    const auto made = init("a", {"--network-key", office.key, "--membership-days", "30"});
    REQUIRE_MESSAGE(made.code == 0, made.err);
    const auto network = json::parse(made.out)["network"];
    CHECK(office.ledger()["network"] == network);
    CHECK(office.ledger()["statements"].at(0)["member"] == json::parse(made.out)["id"]);
    const auto config = testing::content_of(office.folder / "a.toml");
    CHECK_MESSAGE(config.find("members = \"exits-only\"") != std::string::npos, config);
    // Where the node is, its binding says which network is meant.
    CHECK(call({"network", "issue", office.member.id().text(), "--key", office.key, "--config",
                office.folder / "a.toml", "-o", office.folder / "m.json"})
              .code == 0);

    // With a key that has followed the first one, the network stays the same.
    const auto first = json::parse(call({"network", "list", "--json", "--key", office.key}).out)["key"];
    const auto next = office.folder / "next.key";
    REQUIRE(call({"network", "key", next}).code == 0);
    const auto later = init("b", {"--network-key", next, "--first-key", first.get<std::string>(), "--members",
                                  "exchange", "--membership-days", "30"});
    REQUIRE_MESSAGE(later.code == 0, later.err);
    CHECK(json::parse(later.out)["network"] == network);
    CHECK(testing::content_of(office.folder / "b.toml").find("members = \"exchange\"") != std::string::npos);
    CHECK(init("c", {"--network", "home", "--members", "exchange"}).code == 2);
    CHECK(init("d", {"--network-key", office.key, "--members", "some"}).code == 2);
}

}  // namespace
