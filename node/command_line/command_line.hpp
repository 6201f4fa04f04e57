#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace unlearn::command_line {

/// The exit code of the programs when they do not understand their command line.
inline constexpr int kBadUsage = 2;

/// Parses the arguments after the program's name, which `app` must have. A mistake is one line on `err` that
/// names the word and, for a typing error, the one that was probably meant.
/// @return the exit code when the program should end: 0 after --help and --version, `kBadUsage` after a
/// mistake.
[[nodiscard]] std::optional<int> parse(CLI::App& app, std::vector<std::string> arguments, std::ostream& out,
                                       std::ostream& err);

}  // namespace unlearn::command_line
