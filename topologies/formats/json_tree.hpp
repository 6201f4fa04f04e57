#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "topologies/formats/graph_builder.hpp"

namespace unlearn::topologies {

/// A JSON value that keeps line numbers, the order of its members, and duplicate keys.
struct JsonValue {
    enum class Kind { null, boolean, number, text, array, object };

    Kind kind = Kind::null;
    std::size_t line = 0;
    /// The text itself, a number as it is written, or "true" or "false".
    std::string text;
    std::string key;                 ///< in its object; empty in an array
    std::vector<JsonValue> members;  ///< of an object or an array

    [[nodiscard]] bool is(Kind other) const { return kind == other; }
    /// Returns the first member of this name, or null.
    [[nodiscard]] const JsonValue* find(std::string_view name) const;
};

/// Parses a text. Fails with the line of the error, also if values are nested too deeply.
[[nodiscard]] Result<JsonValue> parse_json(std::string_view text, const GraphBuilder& builder);

}  // namespace unlearn::topologies
