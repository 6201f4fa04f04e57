#include "node/learning/data/csv_format.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

namespace unlearn::learning {
namespace {

/// The separator is judged by the beginning of a file.
constexpr std::size_t kSampleRows = 50;
constexpr std::size_t kSampleBytes = std::size_t{1} << 20;

std::optional<float> parse_number(std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    double value = 0.0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    const auto narrowed = static_cast<float>(value);
    if (!std::isfinite(narrowed)) return std::nullopt;
    return narrowed;
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// Whether the text looks like 1,234: up to three digits, a comma, three digits.
bool may_separate_thousands(std::string_view text) {
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
    const auto comma = text.find(',');
    const auto after = text.substr(comma + 1);
    return comma >= 1 && comma <= 3 && text.front() != '0' && after.size() == 3 &&
           std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(comma), is_digit) &&
           std::all_of(after.begin(), after.end(), is_digit);
}

/// The first rows of a text, cut by one separator.
struct Sample {
    char separator = ',';
    std::vector<CsvRow> rows;
    bool broken = false;  ///< the quotes make no sense with this separator

    [[nodiscard]] std::size_t fields() const { return rows.empty() ? 0 : rows.front().size(); }
};

Sample sample_of(std::string_view text, char separator) {
    Sample sample{separator, {}, false};
    CsvScanner scanner("", text, separator);
    while (sample.rows.size() < kSampleRows) {
        auto row = scanner.next_row();
        sample.broken = !row.has_value();
        if (!row || row->empty()) break;
        sample.rows.push_back(std::move(*row));
    }
    return sample;
}

/// Returns the place of the label in the sample's rows. It is beyond them for a table without a label.
/// Returns nothing if the label is missing.
std::optional<std::size_t> label_in(const Sample& sample, const LabelColumn& label) {
    const std::size_t fields = sample.fields();
    if (std::holds_alternative<NoLabel>(label)) return fields;
    std::size_t at = fields;
    if (const auto* number = std::get_if<std::size_t>(&label)) {
        at = *number;
    } else if (fields > 0) {
        const CsvRow& header = sample.rows.front();
        at = static_cast<std::size_t>(
            std::find_if(header.begin(), header.end(),
                         [&](const CsvField& f) { return f.text == std::get<std::string>(label); }) -
            header.begin());
    }
    if (at >= fields) return std::nullopt;
    return at;
}

/// Whether all rows have equally many fields and all but the header and the label are numbers.
bool fits(const Sample& sample, const LabelColumn& label, std::size_t fewest_fields) {
    const std::size_t fields = sample.fields();
    const auto at = label_in(sample, label);
    if (sample.broken || fields < fewest_fields || !at) return false;
    CsvNumbers numbers;
    for (const CsvRow& row : sample.rows) {
        if (row.size() != fields) return false;
        const bool may_be_header = &row == &sample.rows.front() && sample.rows.size() > 1;
        for (std::size_t i = 0; i < fields && !may_be_header; ++i)
            if (i != *at && !numbers.read(row[i])) return false;
    }
    return true;
}

/// Returns the most plausible separator when none fits, so that errors can name the place of what is wrong.
char likeliest(const std::vector<Sample>& samples, const CsvFormat& given, const LabelColumn& label) {
    if (given.separator) return *given.separator;
    const auto rank = [&](const Sample& sample) {
        return std::pair(label_in(sample, label).has_value() && sample.fields() > 1, sample.fields());
    };
    return std::max_element(samples.begin(), samples.end(),
                            [&](const auto& a, const auto& b) { return rank(a) < rank(b); })
        ->separator;
}

/// Returns the beginning of the text, cut at the end of a line.
std::string_view beginning(std::string_view text) {
    if (text.size() <= kSampleBytes) return text;
    const auto end = text.substr(0, kSampleBytes).rfind('\n');
    return text.substr(0, end == std::string_view::npos ? kSampleBytes : end);
}

}  // namespace

std::optional<CsvLayout> stated_layout(std::string_view text) {
    constexpr std::string_view kTold = "sep=";
    if (!text.starts_with(kTold) || text.size() <= kTold.size()) return std::nullopt;
    const char separator = text[kTold.size()];
    const std::size_t end = kTold.size() + 1;
    if (std::find(kSeparators.begin(), kSeparators.end(), separator) == kSeparators.end() ||
        end >= text.size() || text[end] != '\n')
        return std::nullopt;
    return CsvLayout{separator, end + 1, 2};
}

Result<CsvLayout> find_layout(std::string_view name, std::string_view text, const CsvFormat& given,
                              const LabelColumn& label) {
    if (const auto told = stated_layout(text)) return *told;
    std::vector<Sample> samples;
    samples.reserve(kSeparators.size());
    for (const char separator : kSeparators)
        samples.push_back(sample_of(beginning(text), separator));
    const bool one_column = std::all_of(samples.begin(), samples.end(),
                                        [](const Sample& sample) { return sample.fields() <= 1; });
    // One column of numbers like 1,5 cannot be told from two columns, so it is read as two.
    const std::size_t fewest = one_column && std::holds_alternative<NoLabel>(label) ? 1 : 2;
    // A field that contains another separator is not a number, so more than one separator rarely fits.
    const auto it_fits = [&](const Sample& sample) {
        return fits(sample, label, fewest) && (!given.separator || sample.separator == *given.separator);
    };
    if (const auto chosen = std::find_if(samples.begin(), samples.end(), it_fits); chosen != samples.end())
        return CsvLayout{chosen->separator};
    const auto any = std::find_if(samples.begin(), samples.end(),
                                  [&](const Sample& sample) { return fits(sample, label, fewest); });
    if (any != samples.end()) return CsvLayout{any->separator};

    if (one_column && samples.front().fields() == 1 && !std::holds_alternative<NoLabel>(label))
        return fail(place_of(name, samples.front().rows.front().front()) +
                    "a row needs a label and at least one feature, and here nothing separates fields: "
                    "neither a comma, a semicolon, a tab nor |");
    return CsvLayout{likeliest(samples, given, label)};
}

std::optional<float> CsvNumbers::read(const CsvField& field) {
    if (field.text.find(',') != std::string::npos) return read_with_comma(field);
    const auto value = parse_number(field.text);
    if (value && !point_ && field.text.find('.') != std::string::npos) point_ = field;
    return value;
}

std::optional<float> CsvNumbers::read_with_comma(const CsvField& field) {
    std::string text = field.text;
    if (text.find('.') != std::string::npos) return std::nullopt;
    const auto comma = text.find(',');
    text[comma] = '.';
    if (text.find(',') != std::string::npos) return std::nullopt;
    const auto value = parse_number(text);
    if (!value) return std::nullopt;
    if (!comma_) comma_ = field;
    if (!decimal_comma_ && !may_separate_thousands(field.text)) decimal_comma_ = field;
    return value;
}

Result<void> CsvNumbers::check_decimal(std::string_view name, std::optional<char> given) const {
    if (!comma_) return {};
    if (point_)
        return fail(place_of(name, *comma_) + "the number " + comma_->text + " has a comma, and " +
                    point_->text + " in line " + std::to_string(point_->line) +
                    " has a point; one file has one decimal sign, and nothing between thousands");
    if (decimal_comma_ || given == ',') return {};
    return fail(place_of(name, *comma_) + "in " + comma_->text +
                " the comma may be the decimal sign or stand between thousands; for the first say decimal = "
                "\",\", else write numbers without it");
}

}  // namespace unlearn::learning
