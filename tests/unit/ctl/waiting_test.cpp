#include <chrono>
#include <memory>
#include <thread>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "fake_daemon.hpp"
#include "node/storage/identity_file.hpp"
#include "protocol/identity.hpp"
#include "support.hpp"

// Scripts start a daemon and speak to it at once, and wait for what may never come.
namespace {

using namespace unlearn::ctl;
using nlohmann::json;
using unlearn::protocol::Identity;
using Request = FakeDaemon::Request;
using Answer = FakeDaemon::Answer;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr const char* kStarting = R"({"error":"unlearnd is starting","state":"starting"})";

/// `GET /v1/status` of a node that is ready and holds one seed.
json ready_status() {
    return {{"state", "running"},
            {"own_seed", {{"version", 1}}},
            {"model", {{"main", "mlp:16"}, {"training", false}, {"problem", nullptr}}},
            {"peers", {{"known", 2}, {"up", 1}}},
            {"storage", {{"problem", nullptr}}},
            {"seeds", json::array({{{"owner", Identity::generate().id().text()}, {"state", "in-use"}}})}};
}

/// A daemon whose status the test changes between two questions.
struct Node {
    TemporaryFolder folder;
    std::string socket = folder / "s";
    json status = ready_status();
    int asked = 0;
    std::function<void(int)> before_answer = [](int) {};
    FakeDaemon daemon{socket, [this](const Request&) {
                          before_answer(++asked);
                          return Answer{200, status.dump()};
                      }};

    [[nodiscard]] Called wait(const std::vector<std::string>& options = {}) const {
        std::vector<std::string> arguments{"wait", "--socket", socket};
        arguments.insert(arguments.end(), options.begin(), options.end());
        return call(arguments);
    }
};

TEST_CASE("a command waits for a socket that comes a moment later") {
    const TemporaryFolder folder;
    const auto socket = folder / "s";
    std::unique_ptr<FakeDaemon> daemon;
    std::thread later([&] {
        std::this_thread::sleep_for(milliseconds(300));
        daemon = std::make_unique<FakeDaemon>(socket, [](const Request&) { return Answer{200, "[]"}; });
    });
    const auto called = call({"--patience", "600", "peers", "--socket", socket});
    later.join();
    CHECK(called.code == 0);
}

TEST_CASE("without patience nobody waits, and patience has an end") {
    const TemporaryFolder folder;
    const auto socket = folder / "s";
    CHECK(call({"--patience", "0", "status", "--socket", socket}).code == 3);
    const auto begin = steady_clock::now();
    const auto called = call({"--patience", "0.4", "status", "--socket", socket});
    CHECK(called.code == 3);
    CHECK(called.err == "unlearnctl: unlearnd is not running: " + socket + ": No such file or directory\n");
    CHECK(steady_clock::now() - begin >= milliseconds(400));
    CHECK(call({"--patience", "-1", "status", "--socket", socket}).code == 2);
}

TEST_CASE("a daemon that says that it is starting is asked again") {
    const TemporaryFolder folder;
    const auto socket = folder / "s";
    int starting = 2;
    const FakeDaemon daemon(socket, [&](const Request&) {
        return starting-- > 0 ? Answer{503, kStarting} : Answer{200, R"({"version_after":3})"};
    });
    CHECK(call({"--patience", "600", "publish", "--socket", socket}).code == 0);
    CHECK(daemon.requests().size() == 3);
    starting = 1;
    const auto impatient = call({"publish", "--socket", socket});
    CHECK(impatient.code == 1);
    CHECK(impatient.err == "unlearnctl: unlearnd is starting\n");
}

TEST_CASE("while the daemon is starting its key file tells the id") {
    const TemporaryFolder folder;
    const FakeDaemon daemon(folder / "s", [](const Request&) { return Answer{503, kStarting}; });
    const auto identity = Identity::generate();
    std::filesystem::create_directory(folder / "data");
    REQUIRE(unlearn::storage::create_identity_file(folder / "data/identity", identity));
    const auto config = folder.write("node.toml", "data_dir = \"data\"\ncontrol_socket = \"s\"\n").string();
    const auto called = call({"id", "--config", config});
    CHECK_MESSAGE(called.code == 0, called.err);
    CHECK(called.out == identity.id().text() + "\n");
    CHECK(daemon.requests().size() == 1);
}

TEST_CASE("another refusal is not asked again") {
    const TemporaryFolder folder;
    const auto socket = folder / "s";
    const FakeDaemon daemon(socket, [&](const Request&) {
        return Answer{503, R"({"error":"this node is leaving"})"};
    });
    CHECK(call({"--patience", "600", "publish", "--socket", socket}).code == 1);
    CHECK(daemon.requests().size() == 1);
}

TEST_CASE("wait returns once the node predicts, has published, and holds the seeds") {
    Node node;
    node.status["state"] = "learning";
    node.status["own_seed"] = nullptr;
    node.before_answer = [&](int question) {
        if (question == 2) node.status["state"] = "running";
        if (question == 3) node.status["own_seed"] = {{"version", 1}};
    };
    CHECK(node.wait().code == 0);
    CHECK(node.asked == 3);
    CHECK(node.wait({"--seeds", "1"}).code == 0);

    // The second seed arrives, and is held aside: that is as far as it gets.
    node.asked = 0;
    node.before_answer = [&](int question) {
        if (question == 2)
            node.status["seeds"].push_back({{"owner", Identity::generate().id().text()},
                                            {"state", "held-aside"},
                                            {"detail", "is no use"}});
    };
    const auto aside = node.wait({"--seeds", "2"});
    CHECK(aside.code == 0);
    CHECK(node.asked == 2);
    CHECK(aside.out.find("is held aside: is no use\n") != std::string::npos);
    CHECK(json::parse(node.wait({"--seeds", "2", "--json"}).out) == node.status);
}

TEST_CASE("wait says what is missing when its time is over") {
    Node node;
    node.status["state"] = "learning";
    node.status["seeds"].push_back({{"owner", Identity::generate().id().text()}, {"state", "being-checked"}});
    node.status["storage"]["problem"] = "No space left on device";
    const auto called = node.wait({"--seeds", "3", "--timeout", "1"});
    CHECK(called.code == 5);
    CHECK(
        called.err.starts_with("unlearnctl: not ready after 1 s: the node is learning, 1 of 3 seeds are here "
                               "(1 of 2 peers are up); the seed of "));
    CHECK(called.err.ends_with(" is being-checked; storage fails: No space left on device\n"));
}

TEST_CASE("wait ends at once when learning failed or the node is leaving") {
    Node node;
    node.status["state"] = "no-model";
    node.status["model"]["problem"] = "own.pt: no module";
    auto called = node.wait();
    CHECK(called.code == 1);
    CHECK(called.err == "unlearnctl: learning failed: own.pt: no module\n");
    // Another try is under way.
    node.asked = 0;
    node.status["model"]["training"] = true;
    node.before_answer = [&](int question) {
        if (question == 2) node.status = ready_status();
    };
    CHECK(node.wait().code == 0);
    node.before_answer = [](int) {};
    node.status["state"] = "exiting";
    called = node.wait();
    CHECK(called.code == 1);
    CHECK(called.err == "unlearnctl: this node is leaving the network\n");
}

TEST_CASE("people read in status that a node has no model, or an old one, and why") {
    Node node;
    const auto text = [&] { return call({"status", "--socket", node.socket}).out; };
    const auto has = [&](const std::string& part) { return text().find(part) != std::string::npos; };
    node.status["model"] = {{"main", "own.pt"},
                            {"training", false},
                            {"problem", "own.pt: no module"},
                            {"training_images", nullptr}};
    CHECK(has("none, and no predictions: own.pt: no module"));
    node.status["model"]["training"] = true;
    CHECK(has("own.pt, being trained"));
    node.status["model"] = {
        {"main", "own.pt"},       {"training", false},          {"problem", "own.pt: no module"},
        {"training_images", 100}, {"accuracy_validation", 0.5}, {"rho", 0.5}};
    CHECK(has("failed, and this model stays in use: own.pt: no module"));
    node.status["model"]["problem"] = nullptr;
    CHECK_FALSE(has("failed"));
}

TEST_CASE("exit --wait names the holders whose receipts are missing") {
    const TemporaryFolder folder;
    const auto socket = folder / "s";
    const auto holder = Identity::generate().id().text();
    int polls = 0;
    json progress{{"begun", true},
                  {"complete", false},
                  {"given_up", false},
                  {"erased", 0},
                  {"left", 0},
                  {"missing", 1},
                  {"holders", json::array({{{"node", holder}, {"status", "missing"}}})}};
    const FakeDaemon daemon(socket, [&](const Request& request) {
        if (request.target.starts_with("/v1/exit") && request.verb == "GET" && ++polls == 3) {
            progress["complete"] = true;
            progress["missing"] = 0;
        }
        return Answer{200, progress.dump()};
    });
    const auto called = call({"exit", "--wait", "--socket", socket});
    CHECK(called.code == 0);
    CHECK_MESSAGE(called.err.find(holder.substr(0, 10)) != std::string::npos, called.err);
}

}  // namespace
