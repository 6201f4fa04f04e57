#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <toml++/toml.h>

namespace unlearn::config {

/// Keeps the complaint that is nearest to the beginning of a file, because people correct files from the top.
class Complaints {
  public:
    explicit Complaints(std::string file) : file_(std::move(file)) {}

    /// Records "FILE:LINE: message". Line 0 means the whole file.
    void add(std::uint32_t line, const std::string& message);

    [[nodiscard]] bool any() const { return first_.has_value(); }
    [[nodiscard]] const std::string& first() const { return *first_; }

  private:
    std::string file_;
    std::uint32_t line_ = 0;
    std::optional<std::string> first_;
};

/// The numbers that a key may have.
struct Range {
    double least = 0;
    double most = 0;
    bool above_least = false;  ///< `least` itself is not allowed
};

/// Reads one table of a TOML file. Each `read` leaves the value unchanged when the key is absent, and
/// complains when the value is not allowed. `finish` complains about the keys that nothing has read. The
/// table and the complaints must outlive the reader.
class TableReader {
  public:
    /// `path` is the name of the table in errors, for example "data"; empty for the whole file.
    TableReader(const toml::table& table, std::string path, Complaints& complaints)
        : table_(table), path_(std::move(path)), complaints_(complaints) {}

    /// Reads a string that is not empty.
    void read(std::string_view key, std::string& value);

    /// Reads a list of at least one string, none of them empty.
    void read(std::string_view key, std::vector<std::string>& value);

    template <std::unsigned_integral T>
    void read(std::string_view key, T& value, Range range) {
        if (const auto number = integer(key, range)) value = static_cast<T>(*number);
    }

    template <std::unsigned_integral T>
    void read(std::string_view key, std::optional<T>& value, Range range) {
        if (const auto number = integer(key, range)) value = static_cast<T>(*number);
    }

    void read(std::string_view key, bool& value);
    void read(std::string_view key, std::optional<bool>& value);
    void read(std::string_view key, double& value, Range range);
    void read(std::string_view key, std::optional<double>& value, Range range);

    /// Reads one of `names`; the enumerators of E are in the same order.
    /// @return false after a complaint.
    template <typename E>
    bool read_choice(std::string_view key, E& value, std::span<const std::string_view> names) {
        const auto index = choice(key, names);
        if (index) value = static_cast<E>(*index);
        return index.has_value() || !has(key);
    }

    /// Returns the table under `key`, or an empty one when there is none.
    [[nodiscard]] TableReader section(std::string_view key);

    /// Returns the tables of `[[key]]`, in order.
    [[nodiscard]] std::vector<TableReader> sections(std::string_view key);

    [[nodiscard]] bool has(std::string_view key) const { return table_.contains(key); }
    [[nodiscard]] bool is_boolean(std::string_view key) const { return table_[key].is_boolean(); }

    /// Complains when `key` is missing, unless an unknown key looks like a misspelling of it. `finish` then
    /// complains about that one only.
    void require(std::string_view key, const std::string& message = "is missing");

    /// Complains about the value of `key`, or about the table when the key is absent: "PATH.key MESSAGE".
    void complain(std::string_view key, const std::string& message);

    /// Complains about every key that was not read.
    void finish();

  private:
    const toml::node* find(std::string_view key);
    std::optional<std::int64_t> integer(std::string_view key, Range range);
    std::optional<double> number(std::string_view key, Range range);
    std::optional<std::size_t> choice(std::string_view key, std::span<const std::string_view> names);
    [[nodiscard]] std::string full_name(std::string_view key) const;
    [[nodiscard]] bool is_known(std::string_view key) const;

    const toml::table& table_;
    std::string path_;
    Complaints& complaints_;
    std::vector<std::string_view> known_;
    std::vector<std::pair<std::string_view, std::string>>
        missing_;  ///< required keys, and the message for a missing one
};

}  // namespace unlearn::config
