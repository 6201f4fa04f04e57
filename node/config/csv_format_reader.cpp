#include "node/config/csv_format_reader.hpp"

namespace unlearn::config {
namespace {

template <std::size_t N>
std::optional<char> read_sign(TableReader& reader, std::string_view key,
                              const std::array<std::string_view, N>& names,
                              const std::array<char, N>& signs) {
    std::size_t place = N;
    reader.read_choice(key, place, names);
    if (place == N) return std::nullopt;
    return signs[place];
}

}  // namespace

learning::CsvFormat read_csv_format(TableReader& reader) {
    return {read_sign(reader, "separator", learning::kSeparatorNames, learning::kSeparators),
            read_sign(reader, "decimal", learning::kDecimalNames, learning::kDecimals)};
}

}  // namespace unlearn::config
