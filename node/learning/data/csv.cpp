#include "node/learning/data/csv.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <set>
#include <unordered_map>

#include "node/learning/data/text_file.hpp"

namespace unlearn::learning {
namespace {

constexpr std::size_t kMaxClasses = 1'000;

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

/// Turns the rows of one file into a table.
class CsvLoader {
  public:
    CsvLoader(std::string_view name, const CsvOptions& options) : name_(name), options_(options) {}

    Result<LabelledData> load(CsvScanner& scanner) {
        auto first = scanner.next_row();
        if (!first) return tl::unexpected(first.error());
        if (first->empty()) return fail(name_ + ": holds no rows");
        if (auto ready = begin(*first); !ready) return tl::unexpected(ready.error());
        if (!has_header_) {
            if (auto added = add_row(*first); !added) return tl::unexpected(added.error());
        }
        for (;;) {
            const auto row = scanner.next_row();
            if (!row) return tl::unexpected(row.error());
            if (row->empty()) break;
            if (auto added = add_row(*row); !added) return tl::unexpected(added.error());
        }
        if (rows_ == 0) return fail(name_ + ": holds a header but no rows");
        if (auto clear = numbers_.check_decimal(name_, options_.format.decimal); !clear)
            return tl::unexpected(clear.error());
        return finish();
    }

  private:
    /// Whether labels are read.
    [[nodiscard]] bool has_label() const {
        return !options_.skip_label && !std::holds_alternative<NoLabel>(options_.label);
    }

    /// Determines from the first row which column is which.
    Result<void> begin(const CsvRow& first) {
        fields_ = first.size();
        if (has_label() && fields_ < 2)
            return fail(place_of(name_, first[0]) + "a row needs a label and at least one feature");
        if (auto found = find_label(first); !found) return found;
        has_header_ = is_header(first);
        if (!has_header_ && is_numbering(first))
            return fail(place_of(name_, first[0]) +
                        "0, 1, 2 ... is not an example: pandas writes it above unnamed columns; leave "
                        "the line out, or name the columns");
        for (std::size_t i = 0; i < fields_; ++i)
            if (i != label_column_) feature_columns_.push_back(i);
        return has_header_ ? order_by_header(first) : check_width(first);
    }

    Result<void> find_label(const CsvRow& first) {
        label_column_ = fields_;
        if (std::holds_alternative<NoLabel>(options_.label)) return {};
        if (const auto* index = std::get_if<std::size_t>(&options_.label)) {
            if (*index >= fields_) {
                return fail(name_ + ": label column " + std::to_string(*index) +
                            " does not exist; rows have " + std::to_string(fields_) + " fields");
            }
            label_column_ = *index;
            return {};
        }
        const auto& wanted = std::get<std::string>(options_.label);
        const auto is_wanted = [&](const CsvField& field) { return field.text == wanted; };
        const auto found = std::find_if(first.begin(), first.end(), is_wanted);
        if (found == first.end() && options_.skip_label) return {};
        if (found == first.end()) return no_such_label(first, wanted);
        if (std::count_if(first.begin(), first.end(), is_wanted) > 1)
            return fail(place_of(name_, *found) + "the header names column " + shown(wanted) + " twice");
        label_column_ = static_cast<std::size_t>(found - first.begin());
        return {};
    }

    [[nodiscard]] tl::unexpected<Error> no_such_label(const CsvRow& first, const std::string& wanted) const {
        CsvNumbers numbers;
        const bool numeric = std::all_of(first.begin(), first.end(), [&](const CsvField& field) {
            return numbers.read(field).has_value();
        });
        const std::string place = name_ + ":" + std::to_string(first[0].line) + ": ";
        if (numeric)
            return fail(place + "is not a header, which must name the columns, " + shown(wanted) +
                        " among them");
        return fail(place + "the header names no column " + shown(wanted));
    }

    [[nodiscard]] bool is_header(const CsvRow& first) const {
        if (std::holds_alternative<std::string>(options_.label)) return true;
        std::multiset<std::string> names;
        bool numeric = true;
        CsvNumbers numbers;
        for (std::size_t i = 0; i < fields_; ++i) {
            if (i == label_column_) continue;
            names.insert(first[i].text);
            numeric = numeric && numbers.read(first[i]).has_value();
        }
        // pandas uses numbers as the names of unnamed columns.
        const auto& wanted = options_.columns.names;
        return !numeric ||
               (!wanted.empty() && names == std::multiset<std::string>(wanted.begin(), wanted.end()));
    }

    /// Whether each field holds its own place. A few fields may do so by chance.
    [[nodiscard]] bool is_numbering(const CsvRow& first) const {
        constexpr std::size_t kByChance = 3;
        for (std::size_t i = 0; i < fields_; ++i)
            if (first[i].text != std::to_string(i)) return false;
        return fields_ > kByChance;
    }

    Result<void> order_by_header(const CsvRow& header) {
        std::unordered_map<std::string, std::size_t> seen;
        for (const std::size_t i : feature_columns_) {
            const auto& name = header[i].text;
            if (!seen.emplace(name, i).second)
                return fail(
                    place_of(name_, header[i]) +
                    (name.empty() ? "two columns have no name" : "two columns are called " + shown(name)) +
                    "; names tell columns apart");
            columns_.push_back(name);
        }
        if (options_.columns.names.empty()) return {};
        const auto places = match_columns(options_.columns, columns_);
        if (!places)
            return fail(name_ + ":" + std::to_string(header[0].line) + ": " + places.error().message);
        std::vector<std::size_t> ordered;
        for (const std::size_t place : *places)
            ordered.push_back(feature_columns_[place]);
        feature_columns_ = std::move(ordered);
        columns_ = options_.columns.names;
        return {};
    }

    Result<void> check_width(const CsvRow& first) const {
        const auto& wanted = options_.columns;
        if (wanted.names.empty() || wanted.names.size() == feature_columns_.size()) return {};
        return fail(name_ + ":" + std::to_string(first[0].line) + ": has " +
                    std::to_string(feature_columns_.size()) + " columns, and " + wanted.source + " has " +
                    std::to_string(wanted.names.size()));
    }

    Result<void> add_row(const CsvRow& row) {
        if (row.size() != fields_) {
            return fail(place_of(name_, row[0]) + "has " + std::to_string(row.size()) + " fields, expected " +
                        std::to_string(fields_));
        }
        for (const std::size_t i : feature_columns_) {
            const auto value = numbers_.read(row[i]);
            if (!value) return fail(place_of(name_, row[i]) + shown(row[i].text) + " is not a finite number");
            if (std::abs(*value) > kLargestFeature)
                return fail(place_of(name_, row[i]) + shown(row[i].text) +
                            " is too large to learn from: does it stand for a missing value?");
            features_.push_back(*value);
        }
        ++rows_;
        return has_label() ? add_label(row[label_column_]) : Result<void>{};
    }

    Result<void> add_label(const CsvField& label) {
        if (label.text.empty()) return fail(place_of(name_, label) + "the label is empty");
        const auto& known = options_.class_names;
        if (!known.empty() && std::find(known.begin(), known.end(), label.text) == known.end())
            return fail(place_of(name_, label) + shown(label.text) + " is not one of the known classes, " +
                        first_of(known));
        labels_.push_back(label.text);
        return {};
    }

    /// Returns the first few classes, quoted.
    [[nodiscard]] static std::string first_of(const std::vector<std::string>& classes) {
        constexpr std::size_t kMostNamed = 5;
        std::string out;
        for (std::size_t i = 0; i < std::min(kMostNamed, classes.size()); ++i)
            out += (i > 0 ? ", " : "") + shown(classes[i]);
        return classes.size() > kMostNamed ? out + " ..." : out;
    }

    Result<LabelledData> finish() {
        LabelledData data;
        data.count = rows_;
        const auto columns = static_cast<std::int64_t>(feature_columns_.size());
        data.shape = options_.shape.value_or(InputShape{1, 1, columns});
        if (data.shape.size() != columns) {
            return fail(name_ + ": has " + std::to_string(columns) +
                        " feature columns, but the input shape asks for " +
                        std::to_string(data.shape.size()));
        }
        if (has_label())
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
        data.columns = std::move(columns_);
        return data;
    }

    std::string name_;
    const CsvOptions& options_;
    std::size_t fields_ = 0;
    std::size_t label_column_ = 0;  ///< beyond the last field when there is none
    bool has_header_ = false;
    std::vector<std::size_t> feature_columns_;  ///< fields in the order of the features
    std::vector<std::string> columns_;          ///< their names
    CsvNumbers numbers_;
    std::size_t rows_ = 0;
    std::vector<float> features_;
    std::vector<std::string> labels_;
};

}  // namespace

Result<LabelledData> parse_csv(std::string_view name, std::string_view text, const CsvOptions& options) {
    LabelColumn label = options.label;
    if (const auto* column = std::get_if<std::string>(&label);
        column != nullptr && options.skip_label && !header_names(text, *column))
        label = NoLabel{};
    const auto layout = find_layout(name, text, options.format, label);
    if (!layout) return tl::unexpected(layout.error());
    CsvScanner scanner(name, text.substr(layout->begin), layout->separator, layout->first_line);
    return CsvLoader(name, options).load(scanner);
}

bool header_names(std::string_view text, std::string_view column) {
    if (const auto told = stated_layout(text)) text.remove_prefix(told->begin);
    return std::any_of(kSeparators.begin(), kSeparators.end(), [&](char separator) {
        const auto header = CsvScanner("", text, separator).next_row();
        return header && std::any_of(header->begin(), header->end(),
                                     [&](const CsvField& field) { return field.text == column; });
    });
}

Result<LabelledData> load_csv(const std::filesystem::path& path, const CsvOptions& options) {
    const auto text = read_text_file(path);
    if (!text) return tl::unexpected(text.error());
    return parse_csv(path.string(), *text, options);
}

}  // namespace unlearn::learning
