#include "node/config/toml_reader.hpp"

#include <algorithm>
#include <cmath>

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include "node/command_line/nearest.hpp"

namespace unlearn::config {
namespace {

const toml::table& no_table() {
    static const toml::table kNone;
    return kNone;
}

/// Describes a value in a user's words.
std::string describe(const toml::node& node) {
    switch (node.type()) {
        case toml::node_type::table:
            return "is a section";
        case toml::node_type::array:
            return node.is_array_of_tables() ? "is a list of sections" : "is a list";
        case toml::node_type::string: {
            constexpr std::size_t kMaxShown = 60;
            const std::string& text = node.as_string()->get();
            return fmt::format("= {:?}", text.size() > kMaxShown ? text.substr(0, kMaxShown) + "..." : text);
        }
        case toml::node_type::integer:
            return fmt::format("= {}", node.as_integer()->get());
        case toml::node_type::floating_point:
            return fmt::format("= {}", node.as_floating_point()->get());
        case toml::node_type::boolean:
            return fmt::format("= {}", node.as_boolean()->get());
        default:
            return "is a date or a time";
    }
}

bool contains(Range range, double value) {
    // Written so that NaN is in no range.
    return value <= range.most && (range.above_least ? value > range.least : value >= range.least);
}

std::string words(Range range, std::string_view what) {
    return range.above_least ? fmt::format("{} above {:.17g}, up to {:.17g}", what, range.least, range.most)
                             : fmt::format("{} from {:.17g} to {:.17g}", what, range.least, range.most);
}

}  // namespace

void Complaints::add(std::uint32_t line, const std::string& message) {
    if (first_ && line_ <= line) return;
    line_ = line;
    first_ =
        line == 0 ? fmt::format("{}: {}", file_, message) : fmt::format("{}:{}: {}", file_, line, message);
}

void TableReader::read(std::string_view key, std::string& value) {
    const toml::node* node = find(key);
    if (!node) return;
    if (!node->is_string() || node->as_string()->get().empty()) {
        return complain(key, describe(*node) + "; allowed: text in quotes, not empty");
    }
    value = node->as_string()->get();
}

void TableReader::read(std::string_view key, std::vector<std::string>& value) {
    const toml::node* node = find(key);
    if (!node) return;
    const toml::array* array = node->as_array();
    if (!array || array->empty()) {
        return complain(key, (array ? "is an empty list" : describe(*node)) +
                                 "; allowed: a list of texts, [\"...\", \"...\"]");
    }
    std::vector<std::string> result;
    for (const auto& element : *array) {
        if (!element.is_string() || element.as_string()->get().empty()) {
            return complain(
                key, "has an element that " + describe(element) + "; allowed: texts in quotes, not empty");
        }
        result.push_back(element.as_string()->get());
    }
    value = std::move(result);
}

void TableReader::read(std::string_view key, bool& value) {
    const toml::node* node = find(key);
    if (!node) return;
    if (!node->is_boolean()) return complain(key, describe(*node) + "; allowed: true or false");
    value = node->as_boolean()->get();
}

void TableReader::read(std::string_view key, std::optional<bool>& value) {
    bool given = false;
    read(key, given);
    if (has(key)) value = given;
}

void TableReader::read(std::string_view key, double& value, Range range) {
    if (const auto found = number(key, range)) value = *found;
}

void TableReader::read(std::string_view key, std::optional<double>& value, Range range) {
    if (const auto found = number(key, range)) value = *found;
}

TableReader TableReader::section(std::string_view key) {
    const toml::node* node = find(key);
    if (!node) return {no_table(), full_name(key), complaints_};
    if (!node->is_table()) {
        complain(key, fmt::format("{}; allowed: a section, [{}]", describe(*node), full_name(key)));
        return {no_table(), full_name(key), complaints_};
    }
    return {*node->as_table(), full_name(key), complaints_};
}

std::vector<TableReader> TableReader::sections(std::string_view key) {
    const toml::node* node = find(key);
    std::vector<TableReader> result;
    if (!node) return result;
    if (!node->is_array_of_tables()) {
        complain(key,
                 fmt::format("{}; allowed: sections, each headed [[{}]]", describe(*node), full_name(key)));
        return result;
    }
    for (const auto& element : *node->as_array()) {
        result.emplace_back(*element.as_table(), full_name(key), complaints_);
    }
    return result;
}

void TableReader::complain(std::string_view key, const std::string& message) {
    const toml::node* node = table_.get(key);
    const std::uint32_t line = node ? node->source().begin.line : table_.source().begin.line;
    complaints_.add(line, full_name(key) + " " + message);
}

void TableReader::require(std::string_view key, const std::string& message) {
    if (!has(key)) missing_.emplace_back(key, message);
}

bool TableReader::is_known(std::string_view key) const {
    return std::find(known_.begin(), known_.end(), key) != known_.end();
}

void TableReader::finish() {
    for (const auto& [key, message] : missing_) {
        const bool misspelt = std::any_of(table_.begin(), table_.end(), [&, wanted = key](const auto& entry) {
            const std::string_view other = entry.first.str();
            return !is_known(other) && command_line::nearest(other, known_) == wanted;
        });
        if (!misspelt) complain(key, message);
    }
    for (const auto& [key, value] : table_) {
        if (is_known(key.str())) continue;
        const auto meant = command_line::nearest(key.str(), known_);
        std::string message =
            fmt::format("unknown {} '{}'", value.is_table() ? "section" : "key", full_name(key.str()));
        if (meant)
            message += fmt::format("; did you mean '{}'?", full_name(*meant));
        else
            message += fmt::format("; allowed: {}", fmt::join(known_, ", "));
        complaints_.add(key.source().begin.line, message);
    }
}

const toml::node* TableReader::find(std::string_view key) {
    known_.push_back(key);
    return table_.get(key);
}

std::optional<std::int64_t> TableReader::integer(std::string_view key, Range range) {
    const toml::node* node = find(key);
    if (!node) return std::nullopt;
    // Programs that write TOML may turn 300 into 300.0.
    const auto value = node->value<double>();
    if (!node->is_number() || !value || *value != std::floor(*value) || !contains(range, *value)) {
        complain(key, describe(*node) + "; allowed: " + words(range, "a whole number"));
        return std::nullopt;
    }
    return node->is_integer() ? node->as_integer()->get() : static_cast<std::int64_t>(*value);
}

std::optional<double> TableReader::number(std::string_view key, Range range) {
    const toml::node* node = find(key);
    if (!node) return std::nullopt;
    const auto value = node->value<double>();
    if (!node->is_number() || !value || !contains(range, *value)) {
        complain(key, describe(*node) + "; allowed: " + words(range, "a number"));
        return std::nullopt;
    }
    return value;
}

std::optional<std::size_t> TableReader::choice(std::string_view key,
                                               std::span<const std::string_view> names) {
    const toml::node* node = find(key);
    if (!node) return std::nullopt;
    if (node->is_string()) {
        const auto found = std::find(names.begin(), names.end(), node->as_string()->get());
        if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
    }
    std::string message = describe(*node);
    if (const auto meant =
            node->is_string() ? command_line::nearest(node->as_string()->get(), names) : std::nullopt) {
        message += fmt::format(", perhaps \"{}\"", *meant);
    }
    complain(key, message + fmt::format("; allowed: \"{}\"", fmt::join(names, "\", \"")));
    return std::nullopt;
}

std::string TableReader::full_name(std::string_view key) const {
    return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

}  // namespace unlearn::config
