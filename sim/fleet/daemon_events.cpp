#include "sim/fleet/daemon_events.hpp"

#include <nlohmann/json.hpp>

namespace unlearn::sim::fleet {
namespace {

using nlohmann::json;
using protocol::EventKind;

std::optional<EventKind> kind_named(const std::string& name) {
    constexpr std::string_view kAfterTheLast = "unknown";
    for (int kind = 0;; ++kind) {
        const auto known = protocol::name_of(static_cast<EventKind>(kind));
        if (known == kAfterTheLast) return std::nullopt;
        if (known == name) return static_cast<EventKind>(kind);
    }
}

/// Converts the daemon's wall-clock time to our steady clock. Both clocks are on this machine.
run::EventLog::Clock::time_point on_our_clock(double seconds_since_1970) {
    const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch());
    const std::chrono::duration<double> ago = now - std::chrono::duration<double>(seconds_since_1970);
    return run::EventLog::Clock::now() - std::chrono::duration_cast<run::EventLog::Clock::duration>(ago);
}

}  // namespace

std::optional<DaemonEvent> read_daemon_event(std::string_view line) {
    const auto said = json::parse(line, nullptr, false);
    if (!said.is_object() || !said.contains("kind") || !said["kind"].is_string() || !said.contains("at") ||
        !said["at"].is_number() || (said.contains("detail") && !said["detail"].is_string()) ||
        (said.contains("version") && !said["version"].is_number_unsigned()))
        return std::nullopt;
    const auto kind = kind_named(said["kind"].get<std::string>());
    if (!kind) return std::nullopt;
    DaemonEvent out{{*kind, {}, {}, said.value("detail", "")}, on_our_clock(said["at"].get<double>())};
    if (said.contains("subject") && said["subject"].is_string())
        if (const auto id = protocol::NodeId::from_text(said["subject"].get<std::string>()))
            out.event.subject = *id;
    out.event.version = protocol::SeedVersion{said.value("version", std::uint64_t{0})};
    return out;
}

}  // namespace unlearn::sim::fleet
