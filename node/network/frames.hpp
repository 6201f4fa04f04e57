#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "protocol/bytes.hpp"

/// A message as the network sees it. Only its outer shape is judged here; what it says is the engine's
/// affair.
namespace unlearn::network {

/// 1 to protocol::kMaxFrames parts: header, body, payload.
using Frames = std::vector<protocol::Bytes>;

/// The longest that frame `index` may be; 0 for one too many. The header has exactly this length.
[[nodiscard]] std::size_t longest_frame(std::size_t index);

/// Why frames of these lengths cannot be a message, on one line; nothing when they can.
[[nodiscard]] std::optional<std::string> problem_with(std::span<const std::size_t> lengths);
[[nodiscard]] std::optional<std::string> problem_with(const Frames& frames);

/// The number of the message's kind (byte 3 of the header); 0 when there is none.
[[nodiscard]] std::uint8_t kind_number(const Frames& frames);

}  // namespace unlearn::network
