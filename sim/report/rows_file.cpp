#include "sim/report/rows_file.hpp"

#include <cmath>
#include <cstdint>
#include <fstream>
#include <limits>
#include <set>
#include <string_view>

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include "sim/support/output_folder.hpp"

namespace unlearn::sim::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kMetric = "metric";
constexpr const char* kValue = "value";
/// Below this, a whole number is exact both as a double and as an integer.
constexpr double kMostExact = 9007199254740992.0;

/// Writes whole numbers without a decimal point: a seed is 3, not 3.0.
Json number(double value) {
    if (!std::isfinite(value)) return nullptr;
    const bool whole = std::abs(value) < kMostExact && value == std::trunc(value);
    if (whole && !(value == 0.0 && std::signbit(value))) return static_cast<std::int64_t>(value);
    return value;
}

Json label_value(const Label& label) {
    if (const auto* word = std::get_if<std::string>(&label)) return *word;
    return number(std::get<double>(label));
}

/// Quotes a field as RFC 4180 does: where it holds a comma, a quote or a line end. Quotes are doubled.
std::string csv_field(std::string_view text) {
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
    std::string quoted = "\"";
    for (const char c : text)
        quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + '"';
}

/// Stores a member of a row. Returns what is wrong with it, or an empty text.
std::string take_member(Row& row, const std::string& name, const Json& value) {
    if (name == kMetric) {
        if (!value.is_string()) return "\"metric\" must be a text";
        row.metric = value.get<std::string>();
    } else if (name == kValue) {
        if (!value.is_number() && !value.is_null()) return "\"value\" must be a number or null";
        row.value = value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
    } else if (value.is_string()) {
        row.labels[name] = value.get<std::string>();
    } else if (value.is_number()) {
        row.labels[name] = value.get<double>();
    } else {
        return fmt::format("label \"{}\" must be a text or a number", name);
    }
    return "";
}

Result<Row> parse_row(const std::string& line) {
    const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (json.is_discarded()) return failed_with(std::string("is not JSON (was it cut off?)"));
    if (!json.is_object()) return failed_with(std::string("is not an object"));
    for (const char* needed : {kMetric, kValue})
        if (!json.contains(needed)) return failed_with(fmt::format("\"{}\" is missing", needed));
    Row row;
    for (const auto& [name, value] : json.items())
        if (auto complaint = take_member(row, name, value); !complaint.empty()) return failed_with(complaint);
    return row;
}

}  // namespace

Result<void> write_rows_jsonl(const std::filesystem::path& file, const std::vector<Row>& rows) {
    std::string text;
    for (const Row& row : rows) {
        Json json = {{kMetric, row.metric}, {kValue, number(row.value)}};
        for (const auto& [name, label] : row.labels) {
            if (name == kMetric || name == kValue)
                return failed_with(fmt::format("{}: a label must not be called \"{}\"", file.string(), name));
            json[name] = label_value(label);
        }
        // Names come from users' files. A byte that is not UTF-8 is replaced, because one name must not cost
        // the results.
        text += json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    }
    return support::write_file(file, text);
}

Result<void> write_rows_csv(const std::filesystem::path& file, const std::vector<Row>& rows) {
    std::set<std::string> names;
    for (const Row& row : rows)
        for (const auto& [name, label] : row.labels)
            names.insert(name);

    std::string text = fmt::format("{},{}", kMetric, kValue);
    for (const auto& name : names)
        text += "," + csv_field(name);
    text += "\r\n";
    for (const Row& row : rows) {
        text += csv_field(row.metric) + "," + (std::isfinite(row.value) ? to_text(row.value) : "");
        for (const auto& name : names) {
            const auto label = row.labels.find(name);
            text += "," + (label == row.labels.end() ? "" : csv_field(to_text(label->second)));
        }
        text += "\r\n";
    }
    return support::write_file(file, text);
}

Result<std::vector<Row>> read_rows(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return failed_with(file.string() + ": cannot be read");
    std::vector<Row> rows;
    std::size_t number_of_line = 0;
    for (std::string line; std::getline(in, line);) {
        ++number_of_line;
        if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
        auto row = parse_row(line);
        if (!row)
            return failed_with(fmt::format("{}:{}: {}", file.string(), number_of_line, row.error().message));
        rows.push_back(std::move(*row));
    }
    if (in.bad()) return failed_with(file.string() + ": cannot be read");
    return rows;
}

}  // namespace unlearn::sim::report
