#include "sim/fleet/daemon.hpp"

#include <algorithm>

#include "sim/fleet/daemon_events.hpp"
#include "sim/fleet/daemon_metrics.hpp"

namespace unlearn::sim::fleet {
namespace {

using nlohmann::json;

/// The longest time from a process's decision to end to its end. A leaver still answers requests for some
/// seconds.
constexpr std::chrono::seconds kLastWords{20};
/// A daemon that does not answer is often about to end.
constexpr std::chrono::seconds kAboutToEnd{1};

}  // namespace

Daemon::~Daemon() {
    process_.reset();
    if (follower_.joinable()) follower_.join();  // ends because the process has ended
}

Result<void> Daemon::start(const std::filesystem::path& program) {
    auto process = DaemonProcess::start(program, files_.config, files_.log);
    if (!process) return failed_with(setup_.name + ": " + process.error().message);
    process_.emplace(std::move(*process));
    return {};
}

std::string Daemon::failure(const std::string& what) {
    const auto code = process_->wait(kAboutToEnd);
    if (!code) return setup_.name + ": " + what;
    return setup_.name + ": unlearnd ended with exit code " + std::to_string(*code) + ": " +
           process_->last_words();
}

std::optional<std::string> Daemon::ended() {
    if (left_ || !process_->exit_code()) return std::nullopt;
    return failure("");
}

bool Daemon::answers() {
    if (follower_.joinable()) return true;
    if (!client_.get("/healthz")) return false;
    follower_ = std::thread([this] {
        try {
            static_cast<void>(client_.stream("/v1/events", [this](std::string_view line) {
                if (const auto event = read_daemon_event(line))
                    events_.add(setup_.name, event->event, event->at);
                return true;
            }));
        } catch (const std::exception&) {
            // Out of memory. The events are missing, but the daemon is also asked for its state directly.
        }
    });
    return true;
}

Daemon::Answer Daemon::get(const std::string& target, std::chrono::seconds timeout) {
    auto answer = client_.get(target, timeout);
    if (!answer) return failed_with(failure(answer.error().message));
    return std::move(*answer);
}

Daemon::Answer Daemon::post(const std::string& target, const json& body) {
    auto answer = client_.post(target, body);
    if (!answer) return failed_with(failure(answer.error().message));
    return std::move(*answer);
}

Result<std::vector<network::TrafficCount>> Daemon::traffic() {
    if (left_) return sent_;
    auto sent = ask_traffic(files_.socket);
    if (!sent) return failed_with(failure(sent.error().message));
    return sent;
}

Result<Daemon::Leave> Daemon::leave(std::chrono::seconds at_most) {
    if (auto begun = post("/v1/exit", json::object()); !begun) return failed_with(begun.error());
    auto progress =
        get("/v1/exit?wait_s=" + std::to_string(at_most.count()), at_most + ctl::ControlClient::kTimeout);
    if (!progress) return failed_with(progress.error());
    auto certificate = get("/v1/certificate");
    if (!certificate) return failed_with(certificate.error());
    auto sent = traffic();
    if (!sent) return failed_with(sent.error());
    sent_ = std::move(*sent);
    left_ = true;
    forgotten_ = progress->value("complete", false);
    // The events come over a separate connection, so they may arrive a moment later.
    if (forgotten_)
        static_cast<void>(
            events_.wait_until(run::EventLog::Clock::now() + kLastWords, [&](const auto& entries) {
                return std::any_of(entries.begin(), entries.end(), [&](const run::EventLog::Entry& entry) {
                    return entry.node == setup_.name &&
                           entry.event.kind == protocol::EventKind::exit_complete;
                });
            }));
    else
        ask_to_stop();
    return Leave{std::move(*progress), std::move(*certificate)};
}

void Daemon::ask_to_stop() {
    if (!forgotten_) process_->ask_to_stop();
}

Result<void> Daemon::wait() {
    const auto code = process_->wait(kLastWords);
    if (!code) return failed_with(setup_.name + ": unlearnd does not end");
    if (*code != 0) return failed_with(failure(""));
    return {};
}

}  // namespace unlearn::sim::fleet
