#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "protocol/bytes.hpp"

/// A message as the network sees it. This layer checks only the outer shape; the engine reads the content.
namespace unlearn::network {

/// 1 to protocol::kMaxFrames parts: header, body, payload.
using Frames = std::vector<protocol::Bytes>;

/// Returns the largest allowed length of frame `index`; 0 when a message has no such frame. The header must
/// have exactly this length.
[[nodiscard]] std::size_t longest_frame(std::size_t index);

/// Returns one line that says why frames of these lengths cannot be a message; nothing when they can.
[[nodiscard]] std::optional<std::string> problem_with(std::span<const std::size_t> lengths);
/// Does the same check on the frames themselves.
[[nodiscard]] std::optional<std::string> problem_with(const Frames& frames);

/// Returns the number of the message's kind (byte 3 of the header); 0 when the header is missing or too
/// short.
[[nodiscard]] std::uint8_t kind_number(const Frames& frames);

}  // namespace unlearn::network
