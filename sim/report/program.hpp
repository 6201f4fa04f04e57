#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace unlearn::sim::report {

/// Runs a program found on the PATH, without a shell: writes `input` to it and returns what it printed.
/// Returns nothing when the program cannot be started, exits with an error, prints more than 16 MiB, or is
/// not done in time; it is killed then. Its standard error is discarded.
[[nodiscard]] std::optional<std::string> run_program(const std::vector<std::string>& command,
                                                     const std::string& input,
                                                     std::chrono::milliseconds timeout);

}  // namespace unlearn::sim::report
