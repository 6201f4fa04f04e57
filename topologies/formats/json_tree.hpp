#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "topologies/formats/graph_builder.hpp"

namespace unlearn::topologies {

/// JSON that remembers the lines and the order in which its values stand in a text, and keys that come twice.
struct JsonValue {
    enum class Kind { null, boolean, number, text, array, object };

    Kind kind = Kind::null;
    std::size_t line = 0;
    /// A text as it is; a number as it is written; "true" or "false".
    std::string text;
    std::string key;                 ///< in its object; empty in an array
    std::vector<JsonValue> members;  ///< of an object or an array

    [[nodiscard]] bool is(Kind other) const { return kind == other; }
    /// The first member of this name; null when there is none.
    [[nodiscard]] const JsonValue* find(std::string_view name) const;
};

/// Parses a text. Fails with the line of what is wrong, also for what is nested too deeply.
[[nodiscard]] Result<JsonValue> parse_json(std::string_view text, const GraphBuilder& builder);

}  // namespace unlearn::topologies
