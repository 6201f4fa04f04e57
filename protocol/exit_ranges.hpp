#pragma once

#include <vector>

#include "protocol/messages.hpp"

/// The bytes of the lists in ExitQuery and ExitAnswer. wire.md specifies them.
namespace unlearn::protocol {

[[nodiscard]] Bytes range_bytes(const std::vector<IdRange>& ranges);
/// @return malformed unless the ranges are well formed, disjoint and in rising order
[[nodiscard]] Result<std::vector<IdRange>> ranges_in(ByteView bytes);

[[nodiscard]] Bytes answer_bytes(const std::vector<RangeAnswer>& answers);
/// @return malformed when an answer is not whole, or its ids are out of order
[[nodiscard]] Result<std::vector<RangeAnswer>> answers_in(ByteView bytes);

}  // namespace unlearn::protocol
