#include "node/ctl/rows.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <optional>
#include <string_view>

#include "node/learning/data/gzip_file.hpp"

namespace unlearn::ctl {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 30;
constexpr std::string_view kIdxBytesMagic{"\0\0\x08", 3};

Outcome<std::string> read_text(const std::string& file, std::istream& standard_input) {
    if (file == "-") return std::string(std::istreambuf_iterator<char>(standard_input), {});
    auto input = learning::GzipFile::open(file);
    if (!input) return fail_with(ExitCode::bad_input, input.error().message);
    std::string text;
    std::vector<std::uint8_t> step(std::size_t{1} << 20);
    while (true) {
        const auto got = input->read(step);
        if (!got) return fail_with(ExitCode::bad_input, got.error().message);
        text.append(step.begin(), step.begin() + static_cast<std::ptrdiff_t>(*got));
        if (text.size() > kMaxBytes) return fail_with(ExitCode::bad_input, file + ": is larger than 1 GiB");
        if (*got < step.size()) return text;
    }
}

Outcome<Rows> idx_rows(const std::string& name, std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const std::size_t dimensions = text.size() > 3 ? byte(3) : 0;
    if (dimensions < 3 || dimensions > 4)
        return fail_with(ExitCode::bad_input, name + ": is not an IDX file of images (3 or 4 dimensions)");
    const std::size_t header = 4 + 4 * dimensions;
    if (text.size() < header) return fail_with(ExitCode::bad_input, name + ": ends inside the IDX header");
    std::size_t count = 0;
    std::size_t width = 1;
    for (std::size_t i = 0; i < dimensions; ++i) {
        const std::size_t at = 4 + 4 * i;
        const std::size_t size = std::size_t{byte(at)} << 24 | std::size_t{byte(at + 1)} << 16 |
                                 std::size_t{byte(at + 2)} << 8 | byte(at + 3);
        if (size == 0 || size > kMaxBytes / width)
            return fail_with(ExitCode::bad_input, name + ": IDX dimension " + std::to_string(i + 1) +
                                                      " cannot be " + std::to_string(size));
        if (i == 0)
            count = size;
        else
            width *= size;
    }
    text.remove_prefix(header);
    if (text.size() / width != count || text.size() % width != 0)
        return fail_with(ExitCode::bad_input, name + ": holds " + std::to_string(text.size()) +
                                                  " bytes of images, but announces " + std::to_string(count) +
                                                  " times " + std::to_string(width));
    Rows rows(count);
    for (std::size_t i = 0; i < count; ++i)
        for (const char value : text.substr(i * width, width))
            rows[i].push_back(static_cast<unsigned char>(value));
    return rows;
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlank = " \t\r";
    const auto first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) return {};
    text = text.substr(first, text.find_last_not_of(kBlank) - first + 1);
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
    return text;
}

std::vector<std::string_view> fields_of(std::string_view line) {
    std::vector<std::string_view> fields;
    while (true) {
        const auto comma = line.find(',');
        fields.push_back(trimmed(line.substr(0, comma)));
        if (comma == std::string_view::npos) return fields;
        line.remove_prefix(comma + 1);
    }
}

template <typename T>
std::optional<T> parse(std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    T value{};
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// Takes the lines of a CSV file one after the other.
class CsvRows {
  public:
    CsvRows(std::string name, const RowOptions& options) : name_(std::move(name)), options_(options) {}

    Outcome<void> take(std::string_view line) {
        ++line_;
        if (trimmed(line).empty()) return {};
        const auto fields = fields_of(line);
        if (width_ == 0) {
            width_ = fields.size();
            if (auto found = find_label(fields); !found) return found;
            if (is_header(fields)) return {};
        }
        if (fields.size() != width_)
            return error("has " + std::to_string(fields.size()) + " fields, expected " +
                         std::to_string(width_));
        std::vector<double> row;
        for (std::size_t i = 0; i < fields.size(); ++i) {
            if (i == label_) continue;
            const auto value = parse<double>(fields[i]);
            if (!value || !std::isfinite(*value))
                return error("\"" + std::string(fields[i]) + "\" is not a finite number");
            row.push_back(*value);
        }
        rows_.push_back(std::move(row));
        return {};
    }

    Outcome<Rows> finish() {
        if (rows_.empty()) return fail_with(ExitCode::bad_input, name_ + ": holds no rows");
        return std::move(rows_);
    }

  private:
    [[nodiscard]] tl::unexpected<Failure> error(const std::string& what) const {
        return fail_with(ExitCode::bad_input, name_ + ":" + std::to_string(line_) + ": " + what);
    }

    Outcome<void> find_label(const std::vector<std::string_view>& first) {
        if (options_.label.empty()) return {};
        const auto number = parse<std::size_t>(options_.label);
        const auto named = std::find(first.begin(), first.end(), options_.label);
        label_ = number ? *number : static_cast<std::size_t>(named - first.begin());
        if (*label_ >= first.size()) return error("there is no column \"" + options_.label + "\"");
        return {};
    }

    [[nodiscard]] bool is_header(const std::vector<std::string_view>& first) const {
        for (std::size_t i = 0; i < first.size(); ++i)
            if (i != label_ && !parse<double>(first[i])) return true;
        return false;
    }

    std::string name_;
    const RowOptions& options_;
    std::size_t line_ = 0;
    std::size_t width_ = 0;
    std::optional<std::size_t> label_;
    Rows rows_;
};

Outcome<Rows> csv_rows(const std::string& name, std::string_view text, const RowOptions& options) {
    CsvRows rows(name, options);
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        if (auto taken = rows.take(text.substr(0, end)); !taken) return tl::unexpected(taken.error());
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return rows.finish();
}

}  // namespace

Outcome<Rows> read_rows(const std::string& file, std::istream& standard_input, const RowOptions& options) {
    const auto text = read_text(file, standard_input);
    if (!text) return tl::unexpected(text.error());
    const std::string name = file == "-" ? "standard input" : file;
    if (text->starts_with(kIdxBytesMagic)) return idx_rows(name, *text);
    return csv_rows(name, *text, options);
}

}  // namespace unlearn::ctl
