#pragma once

#include <exception>
#include <string>

namespace unlearn::learning {

/// Returns the cause of an exception in one line: the error line at the end of a TorchScript traceback, or
/// the first line of any other message. LibTorch's stack trace is left out.
[[nodiscard]] std::string cause_of(const std::exception& error);

}  // namespace unlearn::learning
