#include "tests/support/fleet.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/temporary_folder.hpp"

namespace unlearn::testing {

using nlohmann::json;
namespace fs = std::filesystem;

namespace {

constexpr std::chrono::milliseconds kPollInterval{50};

Finished run(const std::string& command, const fs::path& folder) {
    const auto out = folder / "stdout";
    const auto err = folder / "stderr";
    const int status = std::system((command + " >" + out.string() + " 2>" + err.string()).c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128, content_of(out), content_of(err)};
}

}  // namespace

bool eventually(const std::function<bool()>& condition, std::chrono::seconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(kPollInterval);
    }
    return true;
}

int free_port() {
    const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    REQUIRE(::bind(probe, reinterpret_cast<const sockaddr*>(&address), length) == 0);
    REQUIRE(::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &length) == 0);
    ::close(probe);
    return ntohs(address.sin_port);
}

Device::Device(fs::path folder, std::string name, int port)
    : folder_(std::move(folder) / name), name_(std::move(name)), port_(port) {
    fs::create_directories(folder_);
}

Device::~Device() {
    if (running()) kill();
}

std::vector<std::string> Device::usual_options() const {
    // Of seeds of 8 hidden units one in some 200 learns so little from 800 rows that holders put it aside.
    return {"--classes a,b,c,d --main mlp:16 --seed mlp:32", "--data", (folder_ / "own.csv").string(),
            "--reference", (folder_.parent_path() / "reference.csv").string()};
}

void Device::init() {
    init(usual_options());
}

void Device::init(const std::vector<std::string>& options, const std::string& network) {
    std::string arguments = "init --json " + network + " --data-dir " + data_dir().string() + " --sealed " +
                            (folder_ / "exit.sealed").string() + " --socket " + (folder_ / "socket").string();
    if (port_ != 0) arguments += " --listen tcp://127.0.0.1:" + std::to_string(port_);
    for (const auto& option : options)
        arguments += " " + option;
    id_ = ask(arguments)["id"];
}

void Device::set_environment(const std::string& name, const std::string& value) {
    environment_[name] = value;
}

void Device::launch() {
    REQUIRE_FALSE(running());
    // Made before the fork: a process with threads may not allocate after it.
    std::vector<std::string> variables;
    for (const auto& [name, value] : environment_)
        variables.push_back(name + "=" + value);
    std::vector<char*> environment;
    for (auto& variable : variables)
        environment.push_back(variable.data());
    for (char** variable = environ; *variable != nullptr; ++variable)
        environment.push_back(*variable);
    environment.push_back(nullptr);
    const auto config = (folder_ / "node.toml").string();
    const auto output = (folder_ / "log").string();
    const std::string program = std::string(UNLEARN_BIN_DIR) + "/unlearnd";
    process_ = ::fork();
    REQUIRE(process_ >= 0);
    if (process_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        const int file = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        ::dup2(file, STDOUT_FILENO);
        ::dup2(file, STDERR_FILENO);
        ::execle(program.c_str(), program.c_str(), "--config", config.c_str(), static_cast<char*>(nullptr),
                 environment.data());
        ::_exit(127);
    }
}

void Device::start(std::chrono::seconds limit) {
    launch();
    const bool up = eventually(
        [this] {
            const auto status = ctl("--json status");
            if (status.code != 0) return false;
            const std::string state = json::parse(status.out)["state"];
            return state == "running" || state == "exiting";
        },
        limit);
    REQUIRE_MESSAGE(up, name_, " does not come up: ", log());
}

void Device::kill() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
    process_ = -1;
}

int Device::stop() {
    ::kill(process_, SIGTERM);
    return wait();
}

int Device::wait(std::chrono::seconds limit) {
    int status = 0;
    if (!eventually([&] { return ::waitpid(process_, &status, WNOHANG) == process_; }, limit)) return -1;
    process_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Finished Device::ctl(const std::string& arguments) const {
    return run(std::string(UNLEARN_BIN_DIR) + "/unlearnctl --config " + (folder_ / "node.toml").string() +
                   " " + arguments,
               folder_);
}

Finished Device::check() const {
    auto finished = run(
        std::string(UNLEARN_BIN_DIR) + "/unlearnd --config " + (folder_ / "node.toml").string() + " --check",
        folder_);
    finished.out += finished.err;
    return finished;
}

json Device::ask(const std::string& arguments) const {
    const auto finished = ctl("--json " + arguments);
    REQUIRE_MESSAGE(finished.code == 0, name_, ": ", arguments, ": ", finished.err, log());
    return json::parse(finished.out);
}

int Device::connect_to_control_socket() const {
    const auto path = (folder_ / "socket").string();
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(path.size() < sizeof(address.sun_path));
    std::copy(path.begin(), path.end(), address.sun_path);
    const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
    return socket;
}

double Device::metric(const std::string& name) const {
    const int socket = connect_to_control_socket();
    const std::string request = "GET /metrics HTTP/1.1\r\nHost: unlearnd\r\nConnection: close\r\n\r\n";
    REQUIRE(::send(socket, request.data(), request.size(), 0) == static_cast<ssize_t>(request.size()));
    std::string text;
    std::array<char, 4096> piece{};
    for (ssize_t got = 0; (got = ::recv(socket, piece.data(), piece.size(), 0)) > 0;)
        text.append(piece.data(), static_cast<std::size_t>(got));
    ::close(socket);
    const std::string line = "\nunlearnd_" + name + " ";
    const auto at = text.find(line);
    REQUIRE_MESSAGE(at != std::string::npos, "no metric ", name, " in ", text);
    return std::stod(text.substr(at + line.size()));
}

std::string Device::address() const {
    return port_ == 0 ? id_ : id_ + "@tcp://127.0.0.1:" + std::to_string(port_);
}

std::string Device::log() const {
    return content_of(folder_ / "log");
}

std::vector<std::string> Device::seeds_in_use() const {
    std::vector<std::string> out;
    const auto status = ask("status");
    for (const auto& seed : status["seeds"])
        if (seed["state"] == "in-use") out.push_back(seed["owner"]);
    std::sort(out.begin(), out.end());
    return out;
}

std::size_t Device::log_entries(const std::string& kind) const {
    const auto log = ask("log -n 0");
    return static_cast<std::size_t>(
        std::count_if(log.begin(), log.end(), [&](const json& entry) { return entry["kind"] == kind; }));
}

std::unique_ptr<Device> new_device(const fs::path& folder, const std::string& name, unsigned seed,
                                   bool dialled) {
    auto device = std::make_unique<Device>(folder, name, dialled ? free_port() : 0);
    write_data(device->folder(), seed);
    device->init();
    device->start();
    return device;
}

void introduce(Device& a, Device& b) {
    static_cast<void>(a.ask("peers add " + b.address()));
    static_cast<void>(b.ask("peers add " + a.address()));
}

std::vector<std::string> ids_without(const Devices& devices, const std::vector<const Device*>& excluded) {
    std::vector<std::string> out;
    for (const auto& device : devices)
        if (std::find(excluded.begin(), excluded.end(), device.get()) == excluded.end())
            out.push_back(device->id());
    std::sort(out.begin(), out.end());
    return out;
}

bool all_have_seeds(const Devices& devices, const std::vector<const Device*>& left) {
    return std::all_of(devices.begin(), devices.end(), [&](const auto& device) {
        auto without = left;
        without.push_back(device.get());
        return !device->running() || device->seeds_in_use() == ids_without(devices, without);
    });
}

std::string seeds_of(const Devices& devices) {
    std::string out;
    for (const auto& device : devices)
        if (device->running()) out += device->id() + ": " + device->ask("status")["seeds"].dump() + "\n";
    return out;
}

std::vector<std::string> owners_in(const json& prediction) {
    std::vector<std::string> out;
    for (const auto& participant : prediction["participants"])
        out.push_back(participant["owner"]);
    std::sort(out.begin(), out.end());
    return out;
}

namespace {

void write_rows(const fs::path& file, unsigned seed, std::size_t rows, int missing,
                const char* labels = "abcd") {
    unsigned state = seed * 2654435761U + 1U;
    const auto noise = [&] {
        state = state * 1664525U + 1013904223U;
        return static_cast<double>(state >> 8) / (1 << 24) - 0.5;
    };
    std::ofstream out(file);
    out << "x,y,label\n";
    for (std::size_t i = 0; i < rows; ++i) {
        const int kind = static_cast<int>(i % 4);
        if (kind == missing) continue;
        out << (kind % 2 == 0 ? -1.0 : 1.0) + noise() << ',' << 100 * ((kind / 2 == 0 ? -1.0 : 1.0) + noise())
            << ',' << labels[kind] << '\n';
    }
}

}  // namespace

void write_data(const fs::path& folder, unsigned seed) {
    write_rows(folder / "own.csv", seed, 800, static_cast<int>(seed % 4));
}

void write_wrong_data(const fs::path& folder, unsigned seed) {
    write_rows(folder / "own.csv", seed, 800, -1, "bcda");
}

void write_reference(const fs::path& folder) {
    write_rows(folder / "reference.csv", 99, 800, -1);
}

}  // namespace unlearn::testing
