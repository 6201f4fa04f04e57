#include "node/learning/data/columns.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <unordered_set>

#include "node/learning/data/text_file.hpp"

namespace unlearn::learning {
namespace {

/// Returns the place of the first of `names` that is not among `others`.
std::optional<std::size_t> first_not_in(std::span<const std::string> names,
                                        std::span<const std::string> others) {
    const std::unordered_set<std::string_view> known(others.begin(), others.end());
    for (std::size_t i = 0; i < names.size(); ++i)
        if (!known.contains(names[i])) return i;
    return std::nullopt;
}

/// What the values of one column look like.
struct ColumnFacts {
    bool constant = true;
    bool rising = true;    ///< each value is above the one before
    bool counting = true;  ///< whole numbers, each once, without great gaps, in any order
    bool coarse = false;   ///< the values differ only in the last of the digits that a float keeps
};

ColumnFacts facts_of(const LabelledData& data, std::size_t column) {
    const auto width = static_cast<std::size_t>(data.shape.size());
    ColumnFacts facts;
    std::unordered_set<float> values;
    float least = data.features[column];
    float most = least;
    for (std::size_t row = 0; row < data.count; ++row) {
        const float value = data.features[row * width + column];
        const float before = data.features[(row == 0 ? 0 : row - 1) * width + column];
        facts.constant = facts.constant && value == data.features[column];
        facts.rising = facts.rising && (row == 0 || value > before);
        facts.counting = facts.counting && value == std::floor(value) && values.insert(value).second;
        least = std::min(least, value);
        most = std::max(most, value);
    }
    const double range = static_cast<double>(most) - static_cast<double>(least);
    facts.counting = facts.counting && range < 2.0 * static_cast<double>(data.count);
    constexpr double kFewSteps = 1e-4;  // a float can tell about a thousand values apart in such a range
    facts.coarse =
        !facts.constant && range < kFewSteps * std::max(std::abs(double{least}), std::abs(double{most}));
    return facts;
}

/// The names that software commonly writes for a missing value.
constexpr std::array<std::string_view, 8> kMissingValues = {"NA",   "N/A",  "NaN",  "nan",
                                                            "NULL", "null", "None", "?"};

bool is_nameless(const std::string& name) {
    return name.empty() || name.starts_with("Unnamed: ");
}

/// Lists columns for a message: column "a", columns "a", "b", or the first few and how many more there are.
class ColumnList {
  public:
    void add(const LabelledData& data, std::size_t place) {
        ++count_;
        if (count_ > kMostNamed) return;
        const bool named = !data.columns.empty();
        if (count_ > 1) text_ += ", ";
        text_ += named && !data.columns[place].empty() ? shown(data.columns[place])
                                                       : "number " + std::to_string(place + 1);
    }
    [[nodiscard]] bool empty() const { return count_ == 0; }
    /// `one` and `many` continue the line after one column and after several.
    [[nodiscard]] std::string line(const std::string& one, const std::string& many) const {
        const std::string more =
            count_ > kMostNamed ? " and " + std::to_string(count_ - kMostNamed) + " more" : "";
        return (count_ == 1 ? "column " : "columns ") + text_ + more + " " + (count_ == 1 ? one : many);
    }

  private:
    static constexpr std::size_t kMostNamed = 5;
    std::size_t count_ = 0;
    std::string text_;
};

}  // namespace

std::string column_text(const std::string& name, std::size_t place) {
    if (name.empty()) return "column number " + std::to_string(place + 1) + ", which has no name";
    return "column " + shown(name);
}

Result<std::vector<std::size_t>> match_columns(const WantedColumns& wanted,
                                               std::span<const std::string> found) {
    const auto missing = first_not_in(wanted.names, found);
    const auto extra = first_not_in(found, wanted.names);
    if (missing && extra && found.size() == wanted.names.size())
        return fail("has " + column_text(found[*extra], *extra) + ", where " + wanted.source + " has " +
                    column_text(wanted.names[*missing], *missing));
    if (missing)
        return fail("lacks " + column_text(wanted.names[*missing], *missing) + ", which " + wanted.source +
                    " has");
    if (extra)
        return fail("has " + column_text(found[*extra], *extra) + ", which " + wanted.source +
                    " does not have");
    std::vector<std::size_t> places;
    for (const std::string& name : wanted.names)
        places.push_back(
            static_cast<std::size_t>(std::find(found.begin(), found.end(), name) - found.begin()));
    return places;
}

std::vector<std::string> suspicious_columns(const LabelledData& data) {
    // With fewer rows than this, rising and constant values may be chance.
    constexpr std::size_t kFewestRows = 10;
    ColumnList nameless;
    ColumnList constant;
    ColumnList counting;
    ColumnList coarse;
    for (std::size_t i = 0; i < static_cast<std::size_t>(data.shape.size()); ++i) {
        if (!data.columns.empty() && is_nameless(data.columns[i])) {
            nameless.add(data, i);
            continue;
        }
        if (data.count < kFewestRows) continue;
        const ColumnFacts facts = facts_of(data, i);
        if (facts.constant)
            constant.add(data, i);
        else if (facts.rising || facts.counting)
            counting.add(data, i);
        if (facts.coarse) coarse.add(data, i);
    }
    std::vector<std::string> lines;
    if (!nameless.empty())
        lines.push_back(
            nameless.line("has no name of its own: it may be the row number that pandas writes, "
                          "and it is learnt from",
                          "have no name of their own: they may be row numbers that pandas "
                          "writes, and they are learnt from"));
    if (!counting.empty())
        lines.push_back(counting.line(
            "holds another value in every row, counting up: if it is a row number or a time, leave it out",
            "hold another value in every row, counting up: if they are row numbers or times, leave them "
            "out"));
    if (!constant.empty())
        lines.push_back(
            constant.line("holds the same value in every row, as far as the 7 digits go that are kept: "
                          "nothing can be learnt from it",
                          "hold the same value in every row, as far as the 7 digits go that are kept: "
                          "nothing can be learnt from them"));
    if (!coarse.empty())
        lines.push_back(coarse.line(
            "differs only in its last digits, and only 7 are kept: subtract from it what all rows share",
            "differ only in their last digits, and only 7 are kept: subtract from them what all rows share"));
    return lines;
}

std::vector<std::string> suspicious_classes(const LabelledData& data) {
    std::vector<std::string> lines;
    for (const std::string& name : data.class_names)
        if (std::find(kMissingValues.begin(), kMissingValues.end(), name) != kMissingValues.end())
            lines.push_back("label " + shown(name) +
                            " is a class of its own: if it stands for a missing label, leave its rows out");
    return lines;
}

}  // namespace unlearn::learning
