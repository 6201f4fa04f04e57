#pragma once

#include <optional>
#include <string_view>

#include "sim/run/event_log.hpp"

namespace unlearn::sim::fleet {

/// An event of a daemon, and its time on our steady clock.
struct DaemonEvent {
    protocol::Event event;
    run::EventLog::Clock::time_point at;
};

/// Reads one line of a daemon's event stream (GET /v1/events). Returns nothing when the line is not an event.
[[nodiscard]] std::optional<DaemonEvent> read_daemon_event(std::string_view line);

}  // namespace unlearn::sim::fleet
