#include "sim/experiments/sweep_grid.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace unlearn::sim::experiments {
namespace {

using config::Complaints;

constexpr std::string_view kSweep = "sweep";

std::string dotted(const std::vector<std::string>& path) {
    std::string text;
    for (const auto& part : path)
        text += (text.empty() ? "" : ".") + part;
    return text;
}

/// Returns the label of an element in rows, or nothing if it has none.
std::optional<report::Label> label_of_element(const toml::node& element) {
    if (const auto* text = element.as_string()) return text->get();
    if (element.is_number()) return *element.value<double>();
    if (const auto* truth = element.as_boolean()) return std::string(truth->get() ? "true" : "false");
    if (const auto* table = element.as_table()) {
        if (const auto name = table->get("label"); name != nullptr && name->is_string())
            return name->as_string()->get();
        return std::nullopt;
    }
    if (const auto* list = element.as_array()) {
        std::string joined;
        for (const auto& part : *list) {
            if (!part.is_string()) return std::nullopt;
            joined += (joined.empty() ? "" : " ") + part.as_string()->get();
        }
        return joined;
    }
    return std::nullopt;
}

/// Returns the entries of a table in the order of the file, which the table itself does not keep.
std::vector<std::pair<std::string, const toml::node*>> in_order(const toml::table& table) {
    std::vector<std::pair<std::string, const toml::node*>> entries;
    for (const auto& [key, value] : table)
        entries.emplace_back(std::string(key.str()), &value);
    std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
        return a.second->source().begin < b.second->source().begin;
    });
    return entries;
}

bool is_study_label(std::string_view name) {
    return std::find(report::kStudyLabels.begin(), report::kStudyLabels.end(), name) !=
           report::kStudyLabels.end();
}

class KeyCollector {
  public:
    explicit KeyCollector(Complaints& complaints) : complaints_(complaints) {}

    void collect(const toml::table& table, const std::vector<std::string>& prefix) {
        for (const auto& [key, value] : in_order(table)) {
            auto path = prefix;
            path.push_back(key);
            if (const auto* inner = value->as_table())
                collect(*inner, path);
            else
                add(path, *value);
        }
    }

    std::vector<SweptKey> finish() {
        for (auto& key : keys_) {
            const auto same = [&](const SweptKey& other) { return other.path.back() == key.path.back(); };
            // "seed" alone is the scenario's seed, which distinguishes repeats.
            const bool is_taken = key.path.back() == "seed" || is_study_label(key.path.back());
            const bool is_shared = std::count_if(keys_.begin(), keys_.end(), same) > 1;
            key.name = is_taken || is_shared ? dotted(key.path) : key.path.back();
        }
        return std::move(keys_);
    }

  private:
    void add(const std::vector<std::string>& path, const toml::node& value) {
        const auto complain = [&](const std::string& message) {
            complaints_.add(value.source().begin.line, "sweep." + dotted(path) + " " + message);
        };
        const auto* list = value.as_array();
        if (list == nullptr || list->empty())
            return complain("must be a list of the values to take, [..., ...]");
        SweptKey key{path, "", {}};
        for (const auto& element : *list) {
            auto label = label_of_element(element);
            if (!label)
                return complain(
                    "has an element without a name; allowed: texts, numbers, lists of texts, and tables with "
                    "a label");
            if (std::find(key.labels.begin(), key.labels.end(), *label) != key.labels.end())
                return complain("has " + report::to_text(*label) + " twice");
            key.labels.push_back(std::move(*label));
        }
        keys_.push_back(std::move(key));
    }

    Complaints& complaints_;
    std::vector<SweptKey> keys_;
};

/// Returns the table at this path and makes it if it is missing. Returns null if something else is there.
toml::table* table_at(toml::table& root, const std::vector<std::string>& path, std::size_t depth) {
    toml::table* table = &root;
    for (std::size_t i = 0; i < depth; ++i) {
        toml::node* next = table->get(path[i]);
        if (next == nullptr) {
            table->insert(path[i], toml::table{});
            next = table->get(path[i]);
        }
        table = next->as_table();
        if (table == nullptr) return nullptr;
    }
    return table;
}

void put(toml::table& target, const std::string& key, toml::node& value) {
    value.visit([&](auto& concrete) { target.insert_or_assign(key, std::move(concrete)); });
}

void lay_over(toml::table& root, const std::vector<std::string>& path, toml::table& values) {
    toml::table* target = table_at(root, path, path.size());
    if (target == nullptr) return;
    for (auto&& [key, value] : values)
        if (key.str() != "label") put(*target, std::string(key.str()), value);
}

}  // namespace

std::vector<SweptKey> read_swept_keys(const toml::table& root, Complaints& complaints) {
    KeyCollector collector(complaints);
    if (const toml::node* sweep = root.get(kSweep)) {
        if (const auto* table = sweep->as_table())
            collector.collect(*table, {});
        else
            complaints.add(sweep->source().begin.line, "sweep must be a section, [sweep]");
    }
    return collector.finish();
}

void apply_choice(toml::table& root, const std::vector<SweptKey>& keys,
                  const std::vector<std::size_t>& choice) {
    // [sweep] is removed first, so that no swept value can end up in it.
    toml::table sweep;
    if (toml::node* found = root.get(kSweep); found != nullptr && found->is_table())
        sweep = std::move(*found->as_table());
    root.erase(kSweep);
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const auto& path = keys[i].path;
        toml::table* parent = table_at(sweep, path, path.size() - 1);
        toml::node& element = *parent->get(path.back())->as_array()->get(choice[i]);
        if (auto* values = element.as_table()) {
            lay_over(root, path, *values);
            continue;
        }
        const bool is_kind = path.size() == 1 && path.front() == "topology";
        const auto target_path = is_kind ? std::vector<std::string>{"topology", "kind"} : path;
        if (toml::table* target = table_at(root, target_path, target_path.size() - 1))
            put(*target, target_path.back(), element);
    }
}

}  // namespace unlearn::sim::experiments
