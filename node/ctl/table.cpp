#include "node/ctl/table.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdio>
#include <ctime>

namespace unlearn::ctl {
namespace {

constexpr std::string_view kGap = "  ";

/// Counts the code points of UTF-8 text. A terminal shows each one column wide, near enough for names and
/// numbers.
std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

void print_line(std::ostream& out, const std::vector<std::string>& cells,
                const std::vector<std::size_t>& widths, const std::vector<Table::Column>& columns) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const std::string padding(widths[i] - width_of(cells[i]), ' ');
        if (i > 0) line += kGap;
        line += columns[i].align == Align::right ? padding + cells[i] : cells[i] + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << '\n';
}

}  // namespace

void Table::add(std::vector<std::string> cells) {
    assert(cells.size() == columns_.size());
    rows_.push_back(std::move(cells));
}

void Table::print(std::ostream& out) const {
    std::vector<std::string> titles;
    std::vector<std::size_t> widths;
    for (const auto& column : columns_) {
        titles.push_back(column.title);
        widths.push_back(width_of(column.title));
    }
    for (const auto& row : rows_)
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], width_of(row[i]));
    print_line(out, titles, widths, columns_);
    for (const auto& row : rows_)
        print_line(out, row, widths, columns_);
}

void Facts::print(std::ostream& out) const {
    std::size_t width = 0;
    for (const auto& [name, value] : lines_)
        width = std::max(width, width_of(name));
    for (const auto& [name, value] : lines_)
        out << name << std::string(width - width_of(name), ' ') << kGap << value << '\n';
}

std::string printable(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
    return out;
}

std::string field(const nlohmann::json& object, const char* name) {
    if (!object.is_object()) return "-";
    const auto found = object.find(name);
    if (found == object.end() || found->is_null()) return "-";
    if (found->is_string()) {
        const auto text = printable(found->get_ref<const std::string&>());
        return text.empty() ? "-" : text;
    }
    if (found->is_boolean()) return found->get<bool>() ? "yes" : "no";
    if (found->is_number_float()) {
        std::array<char, 32> text{};
        std::snprintf(text.data(), text.size(), "%.4g", found->get<double>());
        return text.data();
    }
    return found->dump();
}

std::string format_time(std::int64_t unix_seconds) {
    const auto time = static_cast<std::time_t>(unix_seconds);
    std::tm parts{};
    if (gmtime_r(&time, &parts) == nullptr) return std::to_string(unix_seconds);
    std::array<char, 64> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%SZ", &parts);
    return text.data();
}

std::string time_field(const nlohmann::json& object, const char* name) {
    if (!object.is_object()) return "-";
    const auto found = object.find(name);
    if (found != object.end() && found->is_number()) {
        const auto seconds = found->get<double>();
        return seconds <= 0 ? "-" : format_time(static_cast<std::int64_t>(seconds));
    }
    return field(object, name);
}

std::string format_duration(std::int64_t seconds) {
    constexpr std::int64_t kMinute = 60;
    constexpr std::int64_t kHour = 60 * kMinute;
    constexpr std::int64_t kDay = 24 * kHour;
    const auto pair = [](std::int64_t large, const char* a, std::int64_t small, const char* b) {
        return std::to_string(large) + " " + a + " " + std::to_string(small) + " " + b;
    };
    if (seconds >= kDay) return pair(seconds / kDay, "d", seconds % kDay / kHour, "h");
    if (seconds >= kHour) return pair(seconds / kHour, "h", seconds % kHour / kMinute, "min");
    if (seconds >= kMinute) return pair(seconds / kMinute, "min", seconds % kMinute, "s");
    return std::to_string(seconds) + " s";
}

std::string format_bytes(std::uint64_t bytes) {
    constexpr std::array<const char*, 4> kUnits{"B", "KiB", "MiB", "GiB"};
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (value >= 1024 && unit + 1 < kUnits.size()) {
        value /= 1024;
        ++unit;
    }
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
    return text.data();
}

std::string short_id(std::string_view id) {
    return printable(id.substr(0, 10));
}

}  // namespace unlearn::ctl
