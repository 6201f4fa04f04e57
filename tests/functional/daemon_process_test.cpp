#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/support/fleet.hpp"
#include "tests/support/temporary_folder.hpp"

/// The process around a node: what it says to systemd, and HTTP on its socket without unlearnctl.

namespace {

using namespace unlearn::testing;
using namespace std::chrono_literals;
using nlohmann::json;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

/// Bytes that are there within `time`; nothing when the other side has closed, or says nothing.
std::string receive(int socket, std::chrono::milliseconds time) {
    pollfd item{socket, POLLIN, 0};
    if (::poll(&item, 1, static_cast<int>(std::max<std::int64_t>(time.count(), 0))) <= 0) return {};
    std::array<char, 65536> bytes{};
    const auto count = ::recv(socket, bytes.data(), bytes.size(), 0);
    return count > 0 ? std::string(bytes.data(), static_cast<std::size_t>(count)) : std::string();
}

/// What systemd would be: it hears what a service says of itself.
class Systemd {
  public:
    explicit Systemd(const fs::path& path) : path_(path), socket_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        const std::string name = path.string();
        REQUIRE(name.size() < sizeof(address.sun_path));
        std::copy(name.begin(), name.end(), address.sun_path);
        REQUIRE(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
    }
    ~Systemd() { ::close(socket_); }
    Systemd(const Systemd&) = delete;
    Systemd& operator=(const Systemd&) = delete;

    void start(Device& device, std::optional<std::chrono::microseconds> watchdog) const {
        device.set_environment("NOTIFY_SOCKET", path_.string());
        if (watchdog) device.set_environment("WATCHDOG_USEC", std::to_string(watchdog->count()));
        device.launch();
    }
    [[nodiscard]] std::string next(std::chrono::milliseconds time) const { return receive(socket_, time); }
    /// Everything that it hears in this time.
    [[nodiscard]] std::vector<std::string> all_within(std::chrono::milliseconds time) const {
        std::vector<std::string> out;
        const auto end = Clock::now() + time;
        while (true) {
            const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
            const auto said = left > 0ms ? next(left) : std::string();
            if (said.empty()) return out;
            out.push_back(said);
        }
    }

  private:
    fs::path path_;
    int socket_;
};

struct Answer {
    int status = 0;
    std::string head;
    std::string body;
    [[nodiscard]] json parsed() const { return json::parse(body); }
};

/// A client of the control socket that speaks HTTP by hand.
class Client {
  public:
    explicit Client(const Device& device) : socket_(device.connect_to_control_socket()) {}
    ~Client() { ::close(socket_); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    void say(const std::string& text) const {
        // The server may have heard enough before all is said.
        static_cast<void>(::send(socket_, text.data(), text.size(), MSG_NOSIGNAL));
    }
    void request(const std::string& method, const std::string& target, const std::string& body = {}) const {
        say(method + " " + target + " HTTP/1.1\r\nHost: unlearnd\r\nContent-Length: " +
            std::to_string(body.size()) + "\r\n\r\n" + body);
    }
    /// The next answer; its status is 0 when none comes.
    [[nodiscard]] Answer hear() {
        Answer answer;
        if (!read_until([&] { return heard_.find("\r\n\r\n") != std::string::npos; })) return answer;
        const auto end = heard_.find("\r\n\r\n") + 4;
        answer.head = heard_.substr(0, end);
        heard_.erase(0, end);
        const std::string name = "Content-Length: ";
        const auto at = answer.head.find(name);
        const auto length = at == std::string::npos ? 0 : std::stoul(answer.head.substr(at + name.size()));
        if (!read_until([&] { return heard_.size() >= length; })) return {};
        answer.body = heard_.substr(0, length);
        heard_.erase(0, length);
        answer.status = std::stoi(answer.head.substr(std::strlen("HTTP/1.1 ")));
        return answer;
    }
    [[nodiscard]] Answer ask(const std::string& method, const std::string& target,
                             const std::string& body = {}) {
        request(method, target, body);
        return hear();
    }
    /// True as soon as the stream has brought this text.
    [[nodiscard]] bool hears(const std::string& text) {
        return read_until([&] { return heard_.find(text) != std::string::npos; });
    }
    [[nodiscard]] bool closes() {
        return !read_until([] { return false; }) && closed_;
    }

  private:
    template <typename Condition>
    bool read_until(Condition condition) {
        const auto end = Clock::now() + 10s;
        while (!condition()) {
            const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
            if (closed_ || left <= 0ms) return false;
            pollfd item{socket_, POLLIN, 0};
            if (::poll(&item, 1, static_cast<int>(left.count())) <= 0) continue;
            const auto more = receive(socket_, 0ms);
            closed_ = more.empty();
            heard_ += more;
        }
        return true;
    }

    int socket_;
    std::string heard_;
    bool closed_ = false;
};

struct Scene {
    TemporaryFolder ground;
    Device device{ground.path(), "a", 0};
    Scene() {
        write_reference(ground.path());
        write_data(device.folder(), 1);
        device.init();
    }
};

bool says(const std::vector<std::string>& all, const std::string& line) {
    return std::any_of(all.begin(), all.end(), [&](const auto& said) {
        return ("\n" + said + "\n").find("\n" + line + "\n") != std::string::npos;
    });
}

TEST_CASE("systemd hears READY when the node is up, WATCHDOG while it lives, and STOPPING at its end") {
    Scene scene;
    Device& device = scene.device;
    const Systemd systemd(scene.ground.path() / "notify");
    systemd.start(device, 300ms);
    const auto first = systemd.next(20s);
    CHECK(says({first}, "READY=1"));
    // It can be used from that moment on.
    CHECK(device.ctl("status").code == 0);
    const auto alive = systemd.all_within(1s);
    CHECK(std::count(alive.begin(), alive.end(), "WATCHDOG=1") >= 5);
    CHECK_FALSE(says(alive, "STOPPING=1"));

    // One whose network thread stands still is silent: systemd would end it.
    ::kill(device.process(), SIGSTOP);
    static_cast<void>(systemd.all_within(50ms));
    CHECK(systemd.all_within(500ms).empty());
    ::kill(device.process(), SIGCONT);
    CHECK(says(systemd.all_within(300ms), "WATCHDOG=1"));

    CHECK(device.stop() == 0);
    CHECK(says(systemd.all_within(100ms), "STOPPING=1"));
}

TEST_CASE("systemd hears that a node has left, and no WATCHDOG that it did not ask for") {
    Scene scene;
    const Systemd systemd(scene.ground.path() / "notify");
    systemd.start(scene.device, std::nullopt);
    CHECK(says({systemd.next(20s)}, "READY=1"));
    CHECK(systemd.all_within(500ms).empty());
    CHECK(scene.device.ask("exit --yes --wait")["complete"] == true);
    CHECK(scene.device.wait() == 0);
    const auto end = systemd.all_within(100ms);
    CHECK(says(end, "STATUS=has left the network"));
    CHECK(says(end, "STOPPING=1"));
}

TEST_CASE("a node that cannot start never says READY") {
    Scene scene;
    fs::remove(scene.device.folder() / "own.csv");
    const Systemd systemd(scene.ground.path() / "notify");
    systemd.start(scene.device, std::nullopt);
    CHECK(scene.device.wait() == 2);
    CHECK(systemd.all_within(100ms).empty());
}

TEST_CASE("HTTP by hand: routes, refusals, and several requests on one connection") {
    Scene scene;
    scene.device.start();
    const auto mode = fs::status(scene.device.folder() / "socket").permissions();
    CHECK(mode == fs::perms(0660));

    Client client(scene.device);
    const auto health = client.ask("GET", "/healthz");
    CHECK(health.status == 200);
    CHECK(health.head.find("Content-Type: application/json\r\n") != std::string::npos);
    CHECK(health.parsed() == json{{"status", "ok"}, {"state", "running"}});
    CHECK(client.ask("GET", "/v1/status").parsed()["id"] == scene.device.id());
    const auto metrics = client.ask("GET", "/metrics");
    CHECK(metrics.head.find("Content-Type: text/plain; version=0.0.4\r\n") != std::string::npos);
    CHECK(metrics.body.find("\nunlearnd_state{state=\"running\"} 1\n") != std::string::npos);

    const auto predicted =
        client.ask("POST", "/v1/predict?prior=%75niform", R"({"inputs": [[-1, -90], [1.2, 88]]})");
    CHECK(predicted.status == 200);
    CHECK(predicted.parsed()["probabilities"].size() == 2);

    struct Refused {
        const char* method;
        const char* target;
        const char* body;
        int status;
    };
    for (const Refused& wrong : std::vector<Refused>{
             {"GET", "/v1/nothing", "", 404},
             {"GET", "/v1/certificate", "", 404},
             {"POST", "/v1/status", "", 405},
             {"POST", "/v1/predict", "inputs", 400},
             {"POST", "/v1/predict", R"({"inputs": [[1, 2, 3]]})", 400},
             {"POST", "/v1/predict", R"({"inputs": [[1, 2], [1]]})", 400},
             {"POST", "/v1/predict?prior=mine", R"({"inputs": [[1, 2]]})", 400},
             {"POST", "/v1/peers", R"({"id": "nobody"})", 400},
             {"DELETE", "/v1/peers/nobody", "", 400},
             {"POST", "/v1/exit", R"({"give_up": true})", 409},
             {"GET", "/v1/log?limit=many", "", 400},
         }) {
        INFO(wrong.method << " " << wrong.target << " " << wrong.body);
        const auto refused = client.ask(wrong.method, wrong.target, wrong.body);
        CHECK(refused.status == wrong.status);
        CHECK(refused.parsed()["error"].is_string());
    }

    // Without waiting for answers: they come in the order of the requests.
    client.request("GET", "/healthz");
    client.request("GET", "/v1/nothing");
    client.request("GET", "/v1/peers");
    CHECK(client.hear().status == 200);
    CHECK(client.hear().status == 404);
    CHECK(client.hear().parsed() == json::array());
}

TEST_CASE("HTTP by hand: numbers are matched with columns by name where a request names them") {
    Scene scene;
    scene.device.start();
    Client client(scene.device);
    const auto predict = [&](const std::string& body) {
        return client.ask("POST", "/v1/predict?prior=uniform", body);
    };
    const auto in_order = predict(R"({"inputs": [[-1, 90], [1.2, 88]]})");
    REQUIRE(in_order.status == 200);
    const auto swapped = predict(R"({"columns": ["y", "x"], "inputs": [[90, -1], [88, 1.2]]})");
    CHECK(swapped.status == 200);
    CHECK(swapped.parsed() == in_order.parsed());
    CHECK(predict(R"({"columns": ["x", "y"], "inputs": [[-1, 90], [1.2, 88]]})").parsed() ==
          in_order.parsed());
    // Without names the same numbers are another example: the first one is no longer in the upper left.
    CHECK(in_order.parsed()["labels"][0] == 2);
    CHECK(predict(R"({"inputs": [[90, -1], [88, 1.2]]})").parsed()["labels"][0] != 2);

    for (const std::string columns :
         {R"(["x", "x"])", R"(["x"])", "[]", R"(["x", "z"])", R"(["x", "y", "z"])", R"("x, y")", "[1, 2]"}) {
        INFO(columns);
        const auto refused = predict(R"({"columns": )" + columns + R"(, "inputs": [[-1, 90]]})");
        CHECK(refused.status == 400);
        CHECK(refused.parsed()["error"].get<std::string>().find("columns: ") == 0);
    }
    for (const std::string row : {"[1]", "[1, 2, 3]"}) {
        INFO(row);
        CHECK(predict(R"({"columns": ["y", "x"], "inputs": [)" + row + "]}").status == 400);
    }
}

TEST_CASE("HTTP by hand: what is too large, no HTTP, or one connection too many ends that connection alone") {
    Scene scene;
    scene.device.start();
    Client patient(scene.device);
    CHECK(patient.ask("GET", "/healthz").status == 200);
    {
        Client client(scene.device);
        client.say("POST /v1/predict HTTP/1.1\r\nHost: unlearnd\r\nContent-Length: 16777217\r\n\r\n");
        CHECK(client.hear().status == 413);
        CHECK(client.closes());
    }
    {
        Client client(scene.device);
        client.say("SSH-2.0-OpenSSH_9.2\r\n\r\n");
        CHECK(client.closes());
    }
    {
        std::vector<std::unique_ptr<Client>> many;
        for (int i = 0; i < 63; ++i)
            many.push_back(std::make_unique<Client>(scene.device));
        CHECK(many.back()->ask("GET", "/healthz").status == 200);
        Client one_too_many(scene.device);
        CHECK(one_too_many.closes());
        CHECK(patient.ask("GET", "/healthz").status == 200);
    }
    CHECK(eventually([&] { return Client(scene.device).ask("GET", "/healthz").status == 200; }));
}

TEST_CASE("HTTP by hand: events are a stream of lines that ends with the daemon") {
    Scene scene;
    scene.device.start();
    Client reader(scene.device);
    reader.request("GET", "/v1/events");
    CHECK(reader.hears("Transfer-Encoding: chunked"));
    CHECK(scene.device.ask("publish --wait")["version"] == 2);
    CHECK(reader.hears(R"("kind":"seed-published")"));
    {
        Client gone(scene.device);
        gone.request("GET", "/v1/events");
        CHECK(gone.hears("chunked"));
    }
    CHECK(scene.device.ask("exit --yes --wait")["complete"] == true);
    CHECK(reader.hears(R"("kind":"retired")"));
    CHECK(scene.device.wait() == 0);
    CHECK(reader.closes());
    CHECK_FALSE(fs::exists(scene.device.folder() / "socket"));
}

TEST_CASE("a socket that a killed daemon left behind is taken over, one in use is not") {
    Scene scene;
    scene.device.start();
    scene.device.kill();
    CHECK(fs::exists(scene.device.folder() / "socket"));
    scene.device.start();
    // The same configuration once more.
    const auto second = std::string(UNLEARN_BIN_DIR) + "/unlearnd --config " +
                        (scene.device.folder() / "node.toml").string() + " >" +
                        (scene.ground.path() / "second").string() + " 2>&1";
    CHECK(std::system(second.c_str()) != 0);
    std::ifstream in(scene.ground.path() / "second");
    const std::string said((std::istreambuf_iterator<char>(in)), {});
    CHECK(said.find("another unlearnd listens here") != std::string::npos);
    CHECK(Client(scene.device).ask("GET", "/healthz").status == 200);
}

}  // namespace
