#include "sim/experiments/figure_reader.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>

namespace unlearn::sim::experiments {
namespace {

using config::TableReader;

constexpr std::array<std::string_view, 3> kPlotKinds = {"lines", "points", "bars"};
constexpr double kLargestScale = 1e12;

std::optional<report::Label> label_of(const toml::node& node) {
    if (const auto* text = node.as_string()) return text->get();
    if (node.is_number()) return *node.value<double>();
    return std::nullopt;
}

std::map<std::string, std::vector<report::Label>> read_where(const toml::table& figure, TableReader& reader) {
    std::map<std::string, std::vector<report::Label>> where;
    static_cast<void>(reader.section("where"));
    const auto* table = figure.get("where") != nullptr ? figure.get("where")->as_table() : nullptr;
    if (table == nullptr) return where;
    for (const auto& [key, value] : *table) {
        std::vector<report::Label> allowed;
        bool is_fine = true;
        const auto add = [&](const toml::node& node) {
            auto label = label_of(node);
            is_fine = is_fine && label.has_value();
            if (label) allowed.push_back(std::move(*label));
        };
        if (const auto* list = value.as_array())
            std::for_each(list->begin(), list->end(), add);
        else
            add(value);
        if (!is_fine || allowed.empty())
            reader.complain("where",
                            "." + std::string(key.str()) + " must be a text, a number, or a list of these");
        where[std::string(key.str())] = std::move(allowed);
    }
    return where;
}

void read_required(TableReader& reader, std::string_view key, std::string& value) {
    reader.read(key, value);
    if (!reader.has(key)) reader.complain(key, "is missing");
}

void read_common(TableReader& reader, const toml::table& table, std::string& title, std::string& note,
                 report::Selection& rows, double& scale) {
    read_required(reader, "title", title);
    reader.read("note", note);
    read_required(reader, "metric", rows.metric);
    reader.read("scale", scale, {0, kLargestScale, true});
    rows.where = read_where(table, reader);
}

report::PlotSpec read_plot(TableReader& reader, const toml::table& table) {
    report::PlotSpec plot;
    read_common(reader, table, plot.title, plot.note, plot.rows, plot.scale);
    reader.read_choice("kind", plot.kind, kPlotKinds);
    read_required(reader, "x", plot.x);
    std::string series;
    reader.read("series", series);
    if (!series.empty()) plot.series = series;
    plot.x_title = plot.x;
    plot.y_title = plot.rows.metric;
    reader.read("x_title", plot.x_title);
    reader.read("y_title", plot.y_title);
    reader.read("log_x", plot.log_x);
    reader.read("log_y", plot.log_y);
    reader.finish();
    return plot;
}

report::TableSpec read_table(TableReader& reader, const toml::table& table) {
    report::TableSpec spec;
    read_common(reader, table, spec.title, spec.note, spec.rows, spec.scale);
    reader.read("down", spec.down);
    if (!reader.has("down")) reader.complain("down", "is missing; allowed: a list of labels");
    read_required(reader, "across", spec.across);
    auto decimals = static_cast<std::uint32_t>(spec.decimals);
    reader.read("decimals", decimals, {0, 9});
    spec.decimals = static_cast<int>(decimals);
    reader.finish();
    return spec;
}

}  // namespace

std::vector<Figure> read_figures(const toml::table& root, TableReader& reader) {
    std::vector<std::pair<std::uint32_t, Figure>> found;
    for (const auto& [key, is_plot] : {std::pair{"plot", true}, std::pair{"table", false}}) {
        // The reader adds a complaint if the value is not a list of tables.
        auto readers = reader.sections(key);
        for (std::size_t i = 0; i < readers.size(); ++i) {
            const toml::table& table = *root.get(key)->as_array()->get(i)->as_table();
            const auto line = table.source().begin.line;
            if (is_plot)
                found.emplace_back(line, read_plot(readers[i], table));
            else
                found.emplace_back(line, read_table(readers[i], table));
        }
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<Figure> figures;
    for (auto& [line, figure] : found)
        figures.push_back(std::move(figure));
    return figures;
}

}  // namespace unlearn::sim::experiments
