#pragma once

#include "protocol/durable.hpp"
#include "protocol/result.hpp"

namespace unlearn::storage {

/// Checks that the values of an operation fit their columns: sizes of statements and seeds, and numbers of
/// 63 bits. @return ErrorCode::not_storable with one line that names what does not fit
[[nodiscard]] protocol::Result<void> check_storable(const protocol::StoreOp& op);

}  // namespace unlearn::storage
