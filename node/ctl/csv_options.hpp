#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include "node/learning/data/csv_format.hpp"

namespace unlearn::ctl {

/// Adds the options --separator and --decimal of commands that read CSV files.
inline void add_csv_options(CLI::App& command, std::string& separator, std::string& decimal) {
    const auto one_of = [](const auto& names) {
        // Without this, the list in the help would read {,,;,tab,|}.
        return CLI::IsMember(std::vector<std::string>(names.begin(), names.end())).description("");
    };
    command
        .add_option("--separator", separator,
                    "between the fields of a CSV file that can be read in two ways: , or ; or tab or |")
        ->check(one_of(learning::kSeparatorNames))
        ->type_name("SIGN");
    command.add_option("--decimal", decimal, "the decimal sign of such a file: . or ,")
        ->check(one_of(learning::kDecimalNames))
        ->type_name("SIGN");
}

/// Returns the CSV format that the two options give.
[[nodiscard]] inline learning::CsvFormat csv_format_of(const std::string& separator,
                                                       const std::string& decimal) {
    const auto sign = [](const std::string& name, const auto& names,
                         const auto& signs) -> std::optional<char> {
        const auto found = std::find(names.begin(), names.end(), name);
        if (found == names.end()) return std::nullopt;
        return signs[static_cast<std::size_t>(found - names.begin())];
    };
    return {sign(separator, learning::kSeparatorNames, learning::kSeparators),
            sign(decimal, learning::kDecimalNames, learning::kDecimals)};
}

}  // namespace unlearn::ctl
