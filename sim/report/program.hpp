#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace unlearn::sim::report {

/// Runs a program found on the PATH, without a shell: writes `input` to it and returns what it printed.
/// Nothing when it cannot be started, exits with an error, prints more than 16 MiB, or is not done in time
/// (it is then killed). What it says on standard error is dropped.
[[nodiscard]] std::optional<std::string> run_program(const std::vector<std::string>& command,
                                                     const std::string& input,
                                                     std::chrono::milliseconds timeout);

}  // namespace unlearn::sim::report
