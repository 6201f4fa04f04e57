#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "protocol/durable.hpp"

/// Signed statements as they stand in JSON files: bytes and signature in hexadecimal.
namespace unlearn::runtime {

/// Reads a value of a fixed length. Throws nlohmann::json::exception when `text` is no text. @return
/// malformed for other digits or another length
template <typename T>
[[nodiscard]] protocol::Result<T> value_in_hex(const nlohmann::json& text) {
    const auto bytes = protocol::from_hex(text.get<std::string>());
    if (!bytes) return tl::unexpected(bytes.error());
    return T::from(*bytes);
}

/// Returns `{"bytes": HEX, "signature": HEX}`.
[[nodiscard]] nlohmann::json signed_json(const protocol::SignedBytes& statement);
/// Reads what signed_json returns; other members are ignored. Throws nlohmann::json::exception when a member
/// is missing or no text. @return malformed for other digits or another length
[[nodiscard]] protocol::Result<protocol::SignedBytes> signed_in(const nlohmann::json& value);

}  // namespace unlearn::runtime
