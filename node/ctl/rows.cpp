#include "node/ctl/rows.hpp"

#include <charconv>
#include <iterator>
#include <optional>
#include <string_view>

#include "node/learning/data/csv.hpp"
#include "node/learning/data/gzip_file.hpp"
#include "node/learning/data/idx.hpp"
#include "node/learning/data/text_file.hpp"

namespace unlearn::ctl {
namespace {

Outcome<std::string> read_bytes(const std::string& file, std::istream& standard_input) {
    if (file == "-") return std::string(std::istreambuf_iterator<char>(standard_input), {});
    auto bytes = learning::read_whole(file);
    if (!bytes) return fail_with(ExitCode::bad_input, bytes.error().message);
    return std::move(*bytes);
}

Outcome<Rows> idx_rows(const std::string& name, std::string_view bytes) {
    const auto images =
        learning::parse_idx_images(name, {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
    if (!images) return fail_with(ExitCode::bad_input, images.error().message);
    const auto width = static_cast<std::size_t>(images->shape.size());
    Rows rows;
    for (std::size_t i = 0; i < images->count; ++i) {
        const auto begin = images->pixels.begin() + static_cast<std::ptrdiff_t>(i * width);
        rows.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(width));
    }
    return rows;
}

learning::LabelColumn column_to_leave_out(const std::string& label) {
    if (label.empty()) return learning::NoLabel{};
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(label.data(), label.data() + label.size(), number);
    if (error == std::errc{} && end == label.data() + label.size()) return number;
    return label;
}

/// Returns what may help when the class is still among the columns.
std::string hint(std::string_view text, const RowOptions& options) {
    if (!options.label.empty()) return "";
    if (!options.label_of_node.empty() && learning::header_names(text, options.label_of_node))
        return "; column \"" + options.label_of_node + "\" is the class: leave it out with --label " +
               options.label_of_node;
    learning::CsvOptions as_they_stand;
    as_they_stand.label = learning::NoLabel{};
    const auto rows = learning::parse_csv("", text, as_they_stand);
    if (rows && rows->columns.empty() &&
        static_cast<std::size_t>(rows->shape.size()) == options.columns.size() + 1)
        return "; if one of them is the class, leave it out with --label and its number, from 0";
    return "";
}

Outcome<Rows> csv_rows(const std::string& name, std::string_view text, const RowOptions& options) {
    learning::CsvOptions csv;
    csv.label = column_to_leave_out(options.label);
    csv.skip_label = true;
    csv.format = options.format;
    csv.columns = {options.columns, "the network"};
    if (const auto* column = std::get_if<std::string>(&csv.label);
        column != nullptr && !learning::header_names(text, *column))
        return fail_with(ExitCode::bad_input, name + ": there is no column \"" + *column + "\"");
    const auto table = learning::parse_csv(name, text, csv);
    if (!table) return fail_with(ExitCode::bad_input, table.error().message + hint(text, options));
    const auto width = static_cast<std::size_t>(table->shape.size());
    Rows rows;
    for (std::size_t i = 0; i < table->count; ++i) {
        const auto begin = table->features.begin() + static_cast<std::ptrdiff_t>(i * width);
        rows.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(width));
    }
    return rows;
}

}  // namespace

Outcome<Rows> read_rows(const std::string& file, std::istream& standard_input, const RowOptions& options) {
    auto bytes = read_bytes(file, standard_input);
    if (!bytes) return tl::unexpected(bytes.error());
    const std::string name = file == "-" ? "standard input" : file;
    if (bytes->starts_with(learning::kIdxBytesMagic)) return idx_rows(name, *bytes);
    const auto text = learning::decode_text(std::move(*bytes), name);
    if (!text) return fail_with(ExitCode::bad_input, text.error().message);
    return csv_rows(name, *text, options);
}

}  // namespace unlearn::ctl
