#pragma once

#include <cstdint>
#include <initializer_list>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace unlearn::ctl {

/// The alignment of a column.
enum class Align { left, right };

/// Prints text in columns as wide as their widest cell, under a header. It draws no lines, so that `awk` and
/// `sort` can read the output too.
class Table {
  public:
    struct Column {
        std::string title;
        Align align = Align::left;
    };

    explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

    /// Adds a row. There must be as many cells as columns.
    void add(std::vector<std::string> cells);
    [[nodiscard]] bool empty() const { return rows_.empty(); }
    void print(std::ostream& out) const;

  private:
    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

/// Prints lines of "name   value", with the names padded to one width.
class Facts {
  public:
    void add(std::string name, std::string value) { lines_.emplace_back(std::move(name), std::move(value)); }
    void print(std::ostream& out) const;

  private:
    std::vector<std::pair<std::string, std::string>> lines_;
};

/// Replaces control characters by '?', because what the daemon sent is shown on a terminal.
[[nodiscard]] std::string printable(std::string_view text);

/// Returns member `name` of an object as text: "-" when it is absent or null.
[[nodiscard]] std::string field(const nlohmann::json& object, const char* name);

/// Returns a time as text: "2026-11-23 08:00:00Z", or "-". The member is in seconds since 1970, or a text
/// that the daemon formatted.
[[nodiscard]] std::string time_field(const nlohmann::json& object, const char* name);
/// Returns the time in UTC, for example "2026-11-23 08:00:00Z".
[[nodiscard]] std::string format_time(std::int64_t unix_seconds);

/// Returns for example "3 d 4 h", "4 h 5 min", "5 min 6 s" or "6 s".
[[nodiscard]] std::string format_duration(std::int64_t seconds);

/// Returns for example "12.3 MiB".
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);

/// Returns the first ten characters of a node id, as in the daemon's logs.
[[nodiscard]] std::string short_id(std::string_view id);

}  // namespace unlearn::ctl
