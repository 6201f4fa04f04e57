#pragma once

#include <optional>
#include <string_view>

#include "sim/run/event_log.hpp"

namespace unlearn::sim::fleet {

struct DaemonEvent {
    protocol::Event event;
    run::EventLog::Clock::time_point at;
};

/// One line of a daemon's event stream (GET /v1/events); nothing when the line is not an event.
[[nodiscard]] std::optional<DaemonEvent> read_daemon_event(std::string_view line);

}  // namespace unlearn::sim::fleet
