#pragma once

#include <exception>
#include <string>

namespace unlearn::learning {

/// What an exception says about its cause, in one line: the last line of a TorchScript traceback, and the
/// first of LibTorch's own messages, whose stack trace is left out.
[[nodiscard]] std::string cause_of(const std::exception& error);

}  // namespace unlearn::learning
