#pragma once

#include <string>
#include <utility>
#include <vector>

#include "protocol/engine_config.hpp"
#include "protocol/engine_io.hpp"
#include "protocol/engine_status.hpp"
#include "protocol/identity.hpp"

namespace unlearn::protocol {

/// What all parts of an engine share: who the node is, the time of this step, and the effects so far.
struct EngineContext {
    const Identity& identity;
    EngineConfig config;
    Now now{};
    std::vector<Effect> effects;  ///< in the order in which they must be carried out
    EngineCounters counters;

    [[nodiscard]] const NodeId& id() const { return identity.id(); }
    void emit(Effect effect) { effects.push_back(std::move(effect)); }
    void note(EventKind kind, const NodeId& subject = {}, SeedVersion version = {}, std::string detail = {}) {
        effects.push_back(Event{kind, subject, version, std::move(detail)});
    }
};

}  // namespace unlearn::protocol
