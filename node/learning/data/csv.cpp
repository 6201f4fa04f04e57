#include "node/learning/data/csv.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <string_view>
#include <unordered_map>

#include "node/learning/data/gzip_file.hpp"

namespace unlearn::learning {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{1} << 30;
constexpr std::size_t kMaxFields = 1'000'000;
constexpr std::size_t kMaxClasses = 1'000;

struct Field {
    std::string text;
    std::size_t line = 0;
    std::size_t column = 0;
};
using Row = std::vector<Field>;

// Cuts the text into rows of fields, one row at a time.
class CsvScanner {
  public:
    CsvScanner(std::string name, std::string text) : name_(std::move(name)), text_(std::move(text)) {}

    // The next row that is not blank; an empty row at the end of the text.
    Result<Row> next_row() {
        while (!at_end() && (peek() == '\n' || peek() == '\r'))
            advance();
        Row row;
        while (!at_end()) {
            auto field = next_field();
            if (!field) return tl::unexpected(field.error());
            row.push_back(std::move(*field));
            if (row.size() > kMaxFields) return error_here("too many fields");
            if (at_end()) break;
            const bool more = peek() == ',';
            advance();
            if (!more) break;
            if (at_end()) row.push_back({"", line_, column_});  // a comma was the last character of the file
        }
        return row;
    }

  private:
    [[nodiscard]] bool at_end() const { return position_ >= text_.size(); }
    [[nodiscard]] char peek() const { return text_[position_]; }

    void advance() {
        if (peek() == '\n') {
            ++line_;
            column_ = 1;
        } else {
            ++column_;
        }
        ++position_;
    }

    tl::unexpected<Error> error_here(const std::string& what) const {
        return fail(name_ + ":" + std::to_string(line_) + ":" + std::to_string(column_) + ": " + what);
    }

    // Stops on the comma or line feed that ends the field.
    Result<Field> next_field() {
        Field field{"", line_, column_};
        if (peek() == '"') return quoted_field(std::move(field));
        while (!at_end() && peek() != ',' && peek() != '\n') {
            if (peek() == '"') return error_here("a quote inside a field that is not quoted");
            field.text.push_back(peek());
            advance();
        }
        trim(field.text);
        return field;
    }

    Result<Field> quoted_field(Field field) {
        const auto unterminated = fail(name_ + ":" + std::to_string(field.line) + ":" +
                                       std::to_string(field.column) + ": a quoted field never ends");
        advance();
        for (;;) {
            if (at_end()) return unterminated;
            const char character = peek();
            advance();
            if (character != '"') {
                field.text.push_back(character);
            } else if (!at_end() && peek() == '"') {
                field.text.push_back('"');
                advance();
            } else {
                break;
            }
        }
        while (!at_end() && (peek() == ' ' || peek() == '\t' || peek() == '\r'))
            advance();
        if (!at_end() && peek() != ',' && peek() != '\n') return error_here("text after a quoted field");
        return field;
    }

    static void trim(std::string& text) {
        constexpr std::string_view kBlank = " \t\r";
        text.erase(text.find_last_not_of(kBlank) + 1);
        text.erase(0, text.find_first_not_of(kBlank));
    }

    std::string name_;
    std::string text_;
    std::size_t position_ = 0;
    std::size_t line_ = 1;
    std::size_t column_ = 1;
};

std::optional<float> parse_number(std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    double value = 0.0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    const auto narrowed = static_cast<float>(value);
    if (!std::isfinite(narrowed)) return std::nullopt;
    return narrowed;
}

std::optional<long long> parse_integer(const std::string& text) {
    long long value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::vector<std::string> ordered_classes(const std::vector<std::string>& labels) {
    const std::set<std::string> distinct(labels.begin(), labels.end());
    std::vector<std::string> classes(distinct.begin(), distinct.end());
    if (std::all_of(classes.begin(), classes.end(),
                    [](const auto& name) { return parse_integer(name).has_value(); })) {
        std::stable_sort(classes.begin(), classes.end(),
                         [](const auto& a, const auto& b) { return *parse_integer(a) < *parse_integer(b); });
    }
    return classes;
}

Result<std::string> read_all(const std::filesystem::path& path) {
    auto file = GzipFile::open(path);
    if (!file) return tl::unexpected(file.error());
    std::string text;
    std::vector<std::uint8_t> step(std::size_t{1} << 20);
    for (;;) {
        const auto got = file->read(step);
        if (!got) return tl::unexpected(got.error());
        text.append(step.begin(), step.begin() + static_cast<std::ptrdiff_t>(*got));
        if (*got < step.size()) return text;
        if (text.size() > kMaxFileBytes) return fail(path.string() + ": is larger than 1 GiB");
    }
}

class CsvLoader {
  public:
    CsvLoader(const std::filesystem::path& path, const CsvOptions& options)
        : name_(path.string()), options_(options) {}

    Result<LabelledData> load(CsvScanner& scanner) {
        auto first = scanner.next_row();
        if (!first) return tl::unexpected(first.error());
        if (first->empty()) return fail(name_ + ": holds no rows");
        if (auto ready = find_columns(*first); !ready) return tl::unexpected(ready.error());
        if (!is_header(*first)) {
            if (auto added = add_row(*first); !added) return tl::unexpected(added.error());
        }
        for (;;) {
            const auto row = scanner.next_row();
            if (!row) return tl::unexpected(row.error());
            if (row->empty()) break;
            if (auto added = add_row(*row); !added) return tl::unexpected(added.error());
        }
        if (labels_.empty()) return fail(name_ + ": holds a header but no rows");
        return finish();
    }

  private:
    static std::string place(const std::string& name, const Field& field) {
        return name + ":" + std::to_string(field.line) + ":" + std::to_string(field.column) + ": ";
    }

    /// A field may hold anything, and an error is one line.
    static std::string shown(std::string_view text) {
        constexpr std::size_t kMost = 40;
        std::string out = "\"";
        for (const char c : text.substr(0, kMost))
            out += static_cast<unsigned char>(c) < ' ' || c == '\x7F' ? '?' : c;
        return out + (text.size() > kMost ? "...\"" : "\"");
    }

    Result<void> find_columns(const Row& first) {
        fields_ = first.size();
        if (fields_ < 2) return fail(place(name_, first[0]) + "a row needs a label and at least one feature");
        if (const auto* index = std::get_if<std::size_t>(&options_.label)) {
            if (*index >= fields_) {
                return fail(name_ + ": label column " + std::to_string(*index) +
                            " does not exist; rows have " + std::to_string(fields_) + " fields");
            }
            label_column_ = *index;
            return {};
        }
        const auto& wanted = std::get<std::string>(options_.label);
        const auto found =
            std::find_if(first.begin(), first.end(), [&](const auto& f) { return f.text == wanted; });
        if (found == first.end()) return fail(name_ + ":1: the header names no column \"" + wanted + "\"");
        if (std::count_if(first.begin(), first.end(), [&](const auto& f) { return f.text == wanted; }) > 1) {
            return fail(name_ + ":1: the header names column \"" + wanted + "\" twice");
        }
        label_column_ = static_cast<std::size_t>(found - first.begin());
        return {};
    }

    [[nodiscard]] bool is_header(const Row& first) const {
        if (std::holds_alternative<std::string>(options_.label)) return true;
        for (std::size_t i = 0; i < first.size(); ++i) {
            if (i != label_column_ && !parse_number(first[i].text)) return true;
        }
        return false;
    }

    Result<void> add_row(const Row& row) {
        if (row.size() != fields_) {
            return fail(place(name_, row[0]) + "has " + std::to_string(row.size()) + " fields, expected " +
                        std::to_string(fields_));
        }
        for (std::size_t i = 0; i < row.size(); ++i) {
            if (i == label_column_) continue;
            const auto value = parse_number(row[i].text);
            if (!value) return fail(place(name_, row[i]) + shown(row[i].text) + " is not a finite number");
            features_.push_back(*value);
        }
        const Field& label = row[label_column_];
        if (label.text.empty()) return fail(place(name_, label) + "the label is empty");
        if (!options_.class_names.empty() &&
            std::find(options_.class_names.begin(), options_.class_names.end(), label.text) ==
                options_.class_names.end()) {
            return fail(place(name_, label) + shown(label.text) + " is not one of the known classes");
        }
        labels_.push_back(label.text);
        return {};
    }

    Result<LabelledData> finish() {
        LabelledData data;
        data.count = labels_.size();
        const auto columns = static_cast<std::int64_t>(fields_ - 1);
        data.shape = options_.shape.value_or(InputShape{1, 1, columns});
        if (data.shape.size() != columns) {
            return fail(name_ + ": has " + std::to_string(columns) +
                        " feature columns, but the input shape asks for " +
                        std::to_string(data.shape.size()));
        }
        data.class_names = options_.class_names.empty() ? ordered_classes(labels_) : options_.class_names;
        if (data.class_names.size() > kMaxClasses) {
            return fail(name_ + ": has " + std::to_string(data.class_names.size()) +
                        " different labels; is the label column right?");
        }
        std::unordered_map<std::string, std::int64_t> number;
        for (const auto& name : data.class_names)
            number.emplace(name, static_cast<std::int64_t>(number.size()));
        for (const auto& label : labels_)
            data.labels.push_back(number.at(label));
        data.features = std::move(features_);
        return data;
    }

    std::string name_;
    const CsvOptions& options_;
    std::size_t fields_ = 0;
    std::size_t label_column_ = 0;
    std::vector<float> features_;
    std::vector<std::string> labels_;
};

}  // namespace

Result<LabelledData> load_csv(const std::filesystem::path& path, const CsvOptions& options) {
    auto text = read_all(path);
    if (!text) return tl::unexpected(text.error());
    CsvScanner scanner(path.string(), std::move(*text));
    return CsvLoader(path, options).load(scanner);
}

}  // namespace unlearn::learning
