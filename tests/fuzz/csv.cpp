#include "node/learning/data/csv.hpp"

#include <algorithm>
#include <cmath>

#include "node/learning/data/text_file.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

using namespace unlearn::learning;
using unlearn::fuzz::require;

std::optional<LabelledData> read(std::string_view text, const CsvOptions& options) {
    auto loaded = parse_csv("file", text, options);
    if (!loaded) {
        unlearn::fuzz::require_one_line(loaded.error().message);
        return std::nullopt;
    }
    require(loaded->features.size() == loaded->count * static_cast<std::size_t>(loaded->shape.size()));
    for (const float value : loaded->features)
        require(std::isfinite(value));
    return std::move(*loaded);
}

/// Columns that are asked for by name come in the order in which they are asked for, with the same values.
void turn_columns(std::string_view text, CsvOptions options, const LabelledData& plain) {
    options.columns.names.assign(plain.columns.rbegin(), plain.columns.rend());
    const auto turned = read(text, options);
    require(turned && turned->labels == plain.labels && turned->features.size() == plain.features.size());
    const std::size_t width = plain.columns.size();
    for (std::size_t row = 0; row < plain.count; ++row) {
        const auto* values = plain.features.data() + row * width;
        require(std::equal(values, values + width,
                           turned->features.rend() - static_cast<std::ptrdiff_t>((row + 1) * width)));
    }
}

}  // namespace

// Read as everybody reads CSV: own data, a reference set, rows to predict, files with keys.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = decode_text(std::string(unlearn::fuzz::text_of(data, size)), "file");
    if (!text) return 0;
    CsvOptions own;
    own.label = std::string("label");
    const auto plain = read(*text, own);
    if (plain && !plain->columns.empty()) turn_columns(*text, own, *plain);

    CsvOptions reference = own;
    reference.skip_label = true;
    const auto without = read(*text, reference);
    // A label that is read over changes nothing else.
    if (plain && without) require(without->columns == plain->columns && without->features == plain->features);

    CsvOptions rows;
    rows.label = NoLabel{};
    static_cast<void>(read(*text, rows));
    CsvOptions told;
    told.label = std::size_t{1};
    told.format = {';', ','};
    static_cast<void>(read(*text, told));
    return 0;
}
