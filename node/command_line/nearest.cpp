#include "node/command_line/nearest.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

namespace unlearn::command_line {
namespace {

/// Returns the edit distance, where a swap of two neighbouring letters counts as one edit
/// (Damerau-Levenshtein, restricted).
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i)
        d[i][0] = i;
    std::iota(d[0].begin(), d[0].end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        for (std::size_t j = 1; j <= b.size(); ++j) {
            d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
            }
        }
    }
    return d[a.size()][b.size()];
}

}  // namespace

std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> candidates) {
    constexpr std::size_t kLongestWord = 64;  // a file may hold a key of any length
    if (word.size() > kLongestWord || candidates.empty()) return std::nullopt;
    const auto best = *std::min_element(candidates.begin(), candidates.end(), [word](auto a, auto b) {
        return distance(word, a) < distance(word, b);
    });
    const auto edits = distance(word, best);
    if (edits > std::max<std::size_t>(1, best.size() / 3) || edits >= best.size()) return std::nullopt;
    return best;
}

}  // namespace unlearn::command_line
