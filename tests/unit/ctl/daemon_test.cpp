#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "fake_daemon.hpp"
#include "protocol/identity.hpp"
#include "support.hpp"

// Commands that talk to a daemon, against one that says what the test wants.
namespace {

using namespace unlearn::ctl;
using nlohmann::json;
using unlearn::protocol::Identity;

using Request = FakeDaemon::Request;
using Answer = FakeDaemon::Answer;

Answer ok(const json& body) {
    return {200, body.dump()};
}

std::vector<std::string> words(const FakeDaemon& daemon) {
    std::vector<std::string> out;
    for (const auto& request : daemon.requests())
        out.push_back(request.verb + " " + request.target);
    return out;
}

TEST_CASE("a daemon that is not there is one line that names the socket, and exit code 3") {
    const TemporaryFolder folder;
    const auto socket = folder / "control.sock";
    for (const char* command : {"status", "peers", "publish", "log", "watch"}) {
        const auto called = call({command, "--socket", socket});
        CHECK(called.code == 3);
        CHECK(called.out.empty());
        CHECK(called.err ==
              "unlearnctl: unlearnd is not running: " + socket + ": No such file or directory\n");
    }
}

TEST_CASE("a socket that nobody serves any more is the same") {
    const TemporaryFolder folder;
    const auto socket = folder.write("control.sock", "");
    const auto called = call({"status", "--socket", socket});
    CHECK(called.code == 3);
    CHECK(called.err == "unlearnctl: unlearnd is not running: " + socket.string() + ": Connection refused\n");
}

TEST_CASE("a socket path that no socket can have is an error of usage") {
    const auto called = call({"status", "--socket", "/" + std::string(200, 'x')});
    CHECK(called.code == 2);
    CHECK(called.err.find("the path of a socket has 107 at most") != std::string::npos);
}

TEST_CASE("what the daemon refuses is said in its own words") {
    const TemporaryFolder folder;
    const auto socket = folder / "s";
    int status = 400;
    const FakeDaemon daemon(socket, [&](const Request&) {
        return Answer{status, R"({"error":"this node is leaving"})"};
    });
    auto called = call({"publish", "--socket", socket});
    CHECK(called.code == 2);
    CHECK(called.err == "unlearnctl: this node is leaving\n");
    status = 503;
    called = call({"publish", "--socket", socket});
    CHECK(called.code == 1);
    CHECK(called.err == "unlearnctl: this node is leaving\n");
}

TEST_CASE("an answer that is none of unlearnd's is an error, not a crash") {
    const TemporaryFolder folder;
    const auto socket = folder / "s";
    Answer answer;
    const FakeDaemon daemon(socket, [&](const Request&) { return answer; });
    SUBCASE("not HTTP") {
        answer = {0, "SSH-2.0-OpenSSH\r\n\r\n", true};
        CHECK(call({"status", "--socket", socket}).code == 1);
    }
    SUBCASE("closed at once") {
        answer = {0, "", true};
        CHECK(call({"status", "--socket", socket}).code == 3);
    }
    SUBCASE("cut off") {
        answer = {0, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", true};
        CHECK(call({"status", "--socket", socket}).code == 3);
    }
    SUBCASE("not JSON") {
        answer = {200, "<html>"};
        CHECK(call({"status", "--socket", socket}).code == 1);
    }
    SUBCASE("an error that is not JSON") {
        answer = {502, "<html>"};
        const auto called = call({"status", "--socket", socket});
        CHECK(called.code == 1);
        CHECK(called.err == "unlearnctl: unlearnd answered with HTTP status 502\n");
    }
    SUBCASE("JSON of another shape") {
        answer = ok(json::array({1, 2}));
        CHECK(call({"status", "--socket", socket}).code == 1);
        answer = ok(json::object());
        CHECK(call({"peers", "--socket", socket}).code == 1);
        CHECK(call({"log", "--socket", socket}).code == 1);
    }
}

TEST_CASE("status tells people that storage fails") {
    const TemporaryFolder folder;
    const auto socket = folder / "s";
    json status{{"state", "running"}, {"storage", {{"problem", "disk full"}}}};
    const FakeDaemon daemon(socket, [&](const Request&) { return ok(status); });
    CHECK(call({"status", "--socket", socket}).out.find("failing, will be retried: disk full") !=
          std::string::npos);
    status["storage"]["problem"] = nullptr;
    CHECK(call({"status", "--socket", socket}).out.find("tried again") == std::string::npos);
}

TEST_CASE("a stream waits for a daemon that is starting, and takes answers of any length") {
    const TemporaryFolder folder;
    const auto socket = folder / "s";
    int asked = 0;
    const FakeDaemon daemon(socket, [&](const Request&) {
        if (++asked == 1) return Answer{503, R"({"error":"unlearnd is starting","state":"starting"})"};
        return Answer{200, "{}\n"};
    });
    const auto called = call({"--patience", "600", "watch", "--socket", socket});
    CHECK(asked == 2);
    CHECK(called.err.find("starting") == std::string::npos);
    CHECK(called.err.find("body limit") == std::string::npos);
}

TEST_CASE("status shows a node to people, and the answer itself with --json") {
    const TemporaryFolder folder;
    const auto socket = folder / "s";
    const auto id = Identity::generate().id();
    const json status{
        {"id", id.text()},
        {"network", "ab12"},
        {"state", "running"},
        {"uptime_s", 3700},
        {"listen", "tcp://*:7411"},
        {"model",
         {{"main", "mlp:100"},
          {"seed", "mlp:32"},
          {"training_images", 3000},
          {"accuracy_validation", 0.87},
          {"rho", 0.6}}},
        {"own_seed", {{"version", 2}, {"lease_until", 1'795'420'800}}},
        {"seeds",
         {{{"owner", id.text()},
           {"version", 7},
           {"architecture", "mlp:32"},
           {"state", "in_use"},
           {"detail", nullptr},
           {"lease_until", 1'795'420'800}}}},
        {"peers",
         {{"up", 1}, {"known", 2}, {"without_seeds", {{{"id", id.text()}, {"reason", "no place is left"}}}}}},
        {"exits_known", 3},
        {"exit", {{"begun", false}}}};
    const FakeDaemon daemon(socket, [&](const Request&) { return ok(status); });
    const auto called = call({"status", "--socket", socket});
    CHECK(called.code == 0);
    CHECK(called.out.find("running, up for 1 h 1 min") != std::string::npos);
    CHECK(called.out.find("1 up of 2 known") != std::string::npos);
    CHECK(called.out.find("NO SEEDS WITH") != std::string::npos);
    CHECK(called.out.find(id.short_text() + "     no place is left") != std::string::npos);
    CHECK(called.out.find(id.short_text() + "        7  mlp:32  in_use  2026-11-23 08:00:00Z") !=
          std::string::npos);
    CHECK(json::parse(call({"status", "--json", "--socket", socket}).out) == status);
    CHECK(call({"id", "--socket", socket}).out == id.text() + "\n");
}

TEST_CASE("a peer is removed by the start of its id, when that is unique") {
    const TemporaryFolder folder;
    const auto socket = folder / "s";
    const auto first = Identity::generate().id().text();
    auto second = Identity::generate().id().text();
    while (second[0] == first[0])
        second = Identity::generate().id().text();
    const FakeDaemon daemon(socket, [&](const Request& request) {
        if (request.verb == "GET") return ok({{{"id", first}}, {{"id", second}}});
        return Answer{200, "{}"};
    });
    CHECK(call({"peers", "remove", first.substr(0, 1), "--socket", socket}).code == 0);
    CHECK(daemon.requests().back().target == "/v1/peers/" + first);

    const auto none = call({"peers", "remove", "no-such-id", "--socket", socket});
    CHECK(none.code == 2);
    CHECK(none.err == "unlearnctl: no peer's id starts with no-such-id\n");
    const auto many = call({"peers", "remove", "", "--socket", socket});
    CHECK(many.code == 2);
    CHECK(daemon.requests().back().verb == "GET");
}

TEST_CASE("a mistyped peer address is refused before the daemon is asked") {
    const TemporaryFolder folder;
    const auto socket = folder / "s";
    const FakeDaemon daemon(socket, [](const Request&) { return Answer{200, "{}"}; });
    auto id = Identity::generate().id().text();
    CHECK(call({"peers", "add", id + "@tcp://h:1", "--socket", socket}).code == 0);
    CHECK(json::parse(daemon.requests().back().body) == json{{"address", id + "@tcp://h:1"}});
    CHECK(call({"peers", "add", id, "--socket", socket}).code == 0);
    CHECK(json::parse(daemon.requests().back().body) == json{{"id", id}});
    const auto asked = daemon.requests().size();
    id[5] = id[5] == 'a' ? 'b' : 'a';
    for (const auto& wrong : {id, id + "@tcp://h:1", std::string("@tcp://h:1")})
        CHECK(call({"peers", "add", wrong, "--socket", socket}).code == 2);
    CHECK(daemon.requests().size() == asked);
}

struct Leaving {
    TemporaryFolder folder;
    std::string socket = folder / "s";
    std::string id = Identity::generate().id().text();
    json progress{{"begun", false}, {"complete", false}, {"given_up", false},
                  {"erased", 0},    {"left", 0},         {"missing", 2}};
    FakeDaemon daemon{socket, [this](const Request& request) {
                          if (request.target == "/v1/status") return ok({{"id", id}});
                          if (request.verb == "POST") {
                              progress["begun"] = true;
                              if (json::parse(request.body)["give_up"] == true) progress["given_up"] = true;
                              return Answer{202, progress.dump()};
                          }
                          return ok(progress);
                      }};
};

TEST_CASE("nobody leaves by accident") {
    Leaving leaving;
    const std::vector<std::string> exit{"exit", "--socket", leaving.socket};
    const auto nobody = call(exit);
    CHECK(nobody.code == 2);
    CHECK(nobody.err == "unlearnctl: not a terminal, so nobody can be asked; pass --yes to confirm\n");
    const auto wrong = call(exit, "yes\n");
    CHECK(wrong.code == 1);
    CHECK(wrong.err.find("nothing was done") != std::string::npos);
    for (const auto& request : leaving.daemon.requests())
        CHECK(request.verb == "GET");

    const auto typed = leaving.id.substr(0, 10) + "\n";
    CHECK(call(exit, typed.c_str()).code == 0);
    CHECK(leaving.daemon.requests().back().verb == "POST");
}

TEST_CASE("exit --wait ends with 5 when receipts are missing, and with 0 when it is complete") {
    Leaving leaving;
    const auto late = call({"exit", "--yes", "--wait", "--timeout", "1", "--socket", leaving.socket});
    CHECK(late.code == 5);
    CHECK(late.out.find("missing 2") != std::string::npos);
    leaving.progress["complete"] = true;
    CHECK(call({"exit", "--wait", "--socket", leaving.socket}).code == 0);
}

TEST_CASE("giving up is asked for even when the exit is under way") {
    Leaving leaving;
    leaving.progress["begun"] = true;
    CHECK(call({"exit", "--give-up", "--socket", leaving.socket}).code == 2);
    const auto given_up = call({"exit", "--give-up", "--yes", "--json", "--socket", leaving.socket});
    CHECK(given_up.code == 0);
    CHECK(json::parse(given_up.out)["given_up"] == true);
}

TEST_CASE("when the daemon is gone because its exit is over, its certificate answers") {
    const TemporaryFolder folder;
    const auto config = folder.write("node.toml", "data_dir = \"" + folder.path().string() +
                                                      "\"\ncontrol_socket = \"" + (folder / "s") + "\"\n");
    CHECK(call({"certificate", "--config", config}).code == 3);
    folder.write("certificate.json",
                 R"({"complete":true,"holders":[{"status":"erased"},{"status":"left"}]})");
    CHECK(call({"certificate", "--config", config}).code == 0);
    const auto waited = call({"exit", "--wait", "--json", "--config", config});
    CHECK(waited.code == 0);
    CHECK(json::parse(waited.out)["erased"] == 1);
    folder.write("certificate.json", R"({"complete":false,"holders":[{"status":"missing"}]})");
    CHECK(call({"exit", "--wait", "--config", config}).code == 5);
}

TEST_CASE("the log is read in pages, and its end is shown") {
    const TemporaryFolder folder;
    const auto socket = folder / "s";
    const FakeDaemon daemon(socket, [](const Request& request) {
        json page = json::array();
        const int after = std::stoi(request.target.substr(request.target.find("after=") + 6));
        for (int seq = after + 1; seq <= std::min(after + 2, 5); ++seq)
            page.push_back({{"seq", seq},
                            {"at", 1'795'420'800},
                            {"kind", "seed_erased"},
                            {"subject", "x"},
                            {"version", 1},
                            {"hash", "00ff"}});
        return ok(page);
    });
    const auto called = call({"log", "-n", "3", "--json", "--socket", socket});
    CHECK(called.code == 0);
    const auto entries = json::parse(called.out);
    REQUIRE(entries.size() == 3);
    CHECK(entries.front()["seq"] == 3);
    CHECK(entries.back()["seq"] == 5);
    CHECK(words(daemon).size() == 4);
}

TEST_CASE("a broken log is exit code 4") {
    const TemporaryFolder folder;
    const auto socket = folder / "s";
    json verdict{{"entries", 9}, {"ok", true}, {"first_bad", nullptr}};
    const FakeDaemon daemon(socket, [&](const Request&) { return ok(verdict); });
    CHECK(call({"log", "--verify", "--socket", socket}).code == 0);
    verdict = {{"entries", 9}, {"ok", false}, {"first_bad", 4}};
    const auto called = call({"log", "--verify", "--socket", socket});
    CHECK(called.code == 4);
    CHECK(called.out.find("entry 4 of 9") != std::string::npos);
}

TEST_CASE("watch prints events as they come, until the daemon goes away") {
    const TemporaryFolder folder;
    const auto socket = folder / "s";
    const FakeDaemon daemon(socket, [](const Request&) {
        const std::string one = R"({"kind":"exit_learned","subject":"abc","version":0,"detail":""})";
        const std::string two = R"({"kind":"peer_up","subject":"def","version":0,"detail":"x"})";
        const auto chunk = [](const std::string& text) {
            std::ostringstream out;
            out << std::hex << text.size() << "\r\n" << text << "\r\n";
            return out.str();
        };
        // The second event comes in two parts.
        return Answer{0,
                      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
                          chunk(one + "\n" + two.substr(0, 9)) + chunk(two.substr(9) + "\n"),
                      true};
    });
    const auto called = call({"watch", "--socket", socket});
    CHECK(called.code == 3);
    CHECK(called.out == "exit_learned  abc\npeer_up  def  x\n");
}

}  // namespace
