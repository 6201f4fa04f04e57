#pragma once

#include <string>
#include <utility>
#include <vector>

#include "protocol/engine_config.hpp"
#include "protocol/engine_io.hpp"
#include "protocol/engine_status.hpp"
#include "protocol/identity.hpp"

namespace unlearn::protocol {

/// What all parts of an engine share: the identity, the settings, the time of this step, and its effects so
/// far.
struct EngineContext {
    const Identity& identity;
    EngineConfig config;
    Now now{};
    std::vector<Effect> effects;  ///< in the order in which they must be carried out
    EngineCounters counters;

    [[nodiscard]] const NodeId& id() const { return identity.id(); }
    /// Adds an effect after those of this step so far.
    void emit(Effect effect) { effects.push_back(std::move(effect)); }
    /// Adds an event.
    void note(EventKind kind, const NodeId& subject = {}, SeedVersion version = {}, std::string detail = {}) {
        effects.push_back(Event{kind, subject, version, std::move(detail)});
    }
};

}  // namespace unlearn::protocol
