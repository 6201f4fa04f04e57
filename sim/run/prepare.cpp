#include "sim/run/prepare.hpp"

#include <algorithm>
#include <tuple>

#include "node/config/node_data.hpp"
#include "node/learning/data/csv.hpp"
#include "node/learning/data/idx.hpp"
#include "sim/scenario/partition.hpp"

namespace unlearn::sim::run {
namespace {

using learning::LabelledData;
using learning::TrainAndTest;

Result<TrainAndTest> load(const scenario::DataSettings& settings) {
    if (settings.kind == scenario::DataSettings::Kind::idx) {
        auto both = learning::load_idx_folder(settings.path);
        if (!both) return failed_with(both.error().message);
        return std::move(*both);
    }
    learning::CsvOptions options;
    options.label = settings.label;
    options.format = settings.format;
    auto train = learning::load_csv(settings.path, options);
    if (!train) return failed_with(train.error().message);
    options.class_names = train->class_names;
    options.columns = {train->columns, settings.path.string()};
    auto test = learning::load_csv(settings.test_path, options);
    if (!test) return failed_with(test.error().message);
    return TrainAndTest{std::move(*train), std::move(*test)};
}

void keep_first(LabelledData& data, std::size_t count) {
    if (count == 0 || count >= data.count) return;
    data.count = count;
    data.features.resize(count * static_cast<std::size_t>(data.shape.size()));
    data.labels.resize(count);
}

/// Moves the last examples out of a table. @return the examples moved.
LabelledData split_off_last(LabelledData& data, std::size_t count) {
    const auto width = static_cast<std::size_t>(data.shape.size());
    const std::size_t left = data.count - count;
    LabelledData last = data;
    last.count = count;
    last.features.erase(last.features.begin(),
                        last.features.begin() + static_cast<std::ptrdiff_t>(left * width));
    last.labels.erase(last.labels.begin(), last.labels.begin() + static_cast<std::ptrdiff_t>(left));
    keep_first(data, left);
    return last;
}

scenario::PartitionKind partition_kind(const scenario::DataSettings& settings) {
    switch (settings.partition) {
        case scenario::DataSettings::Partition::missing_classes:
            return scenario::MissingClassesPartition{settings.missing};
        case scenario::DataSettings::Partition::iid:
            return scenario::IidPartition{};
        case scenario::DataSettings::Partition::dirichlet:
            return scenario::DirichletPartition{settings.alpha};
        case scenario::DataSettings::Partition::shards:
            return scenario::ShardPartition{settings.shards};
    }
    return scenario::IidPartition{};
}

config::DataKind kind_of(const scenario::DataSettings& settings) {
    return settings.kind == scenario::DataSettings::Kind::idx ? config::DataKind::idx : config::DataKind::csv;
}

LabelledData only_rows(const LabelledData& data, const std::vector<std::size_t>& rows) {
    const auto width = static_cast<std::size_t>(data.shape.size());
    LabelledData out;
    out.count = rows.size();
    out.shape = data.shape;
    out.features.reserve(rows.size() * width);
    for (const std::size_t row : rows) {
        const auto first = data.features.begin() + static_cast<std::ptrdiff_t>(row * width);
        out.features.insert(out.features.end(), first, first + static_cast<std::ptrdiff_t>(width));
    }
    return out;
}

/// Learns the scenario's feature map from these rows of the training data; null when the scenario has none.
Result<std::shared_ptr<const learning::FeatureMap>> learn_features(const scenario::Scenario& scenario,
                                                                   const LabelledData& train,
                                                                   const std::vector<std::size_t>& rows) {
    if (scenario.models.features.empty()) return nullptr;
    const auto recipe = learning::parse_feature_recipe(scenario.models.features);
    auto learned = recipe ? learning::FeatureMap::learn(*recipe, only_rows(train, rows))
                          : tl::unexpected(recipe.error());
    if (!learned)
        return failed_with(scenario.file.string() + ": models.features: " + learned.error().message);
    return std::make_shared<const learning::FeatureMap>(std::move(*learned));
}

/// The rows that the feature map is learned from: the reference set, and nothing else unless the exactness
/// rule is broken on purpose.
std::vector<std::size_t> rows_for_features(const scenario::Scenario& scenario,
                                           const scenario::Partition& partition,
                                           const std::vector<std::string>& without, Violation violation) {
    auto rows = partition.reference;
    if (violation != Violation::features_from_private_data) return rows;
    for (std::size_t i = 0; i < scenario.graph.size(); ++i) {
        const auto& share = partition.node_share[i];
        if (std::find(without.begin(), without.end(), scenario.graph.names[i]) == without.end())
            rows.insert(rows.begin(), share.begin(), share.end());
    }
    return rows;
}

std::vector<std::string> warnings_about(const scenario::DataSettings& settings, const LabelledData& train) {
    std::vector<std::string> lines;
    if (settings.kind != scenario::DataSettings::Kind::csv) return lines;
    for (const auto& suspicions : {learning::suspicious_columns(train), learning::suspicious_classes(train)})
        for (const auto& line : suspicions)
            lines.push_back(settings.path.string() + ": " + line);
    return lines;
}

std::vector<std::string> missing_classes(const learning::Dataset& data,
                                         const std::vector<std::string>& names) {
    const auto share = data.class_distribution();
    std::vector<std::string> out;
    for (std::size_t i = 0; i < share.size(); ++i)
        if (share[i] == 0.0) out.push_back(names[i]);
    return out;
}

}  // namespace

protocol::Identity identity_of(std::uint64_t scenario_seed, const std::string& name) {
    const std::string text = "unlearn-sim identity " + std::to_string(scenario_seed) + " " + name;
    return protocol::Identity::from_seed(
        protocol::digest_of({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}).value);
}

Result<Setup> prepare(const scenario::Scenario& scenario, const std::vector<std::string>& without,
                      Violation violation, Numbers numbers) {
    auto data = load(scenario.data);
    if (!data) return failed_with(data.error());
    LabelledData& train = data->train;
    if (const std::size_t wanted = scenario.data.test_from_train; wanted > 0) {
        if (wanted >= train.count)
            return failed_with(scenario.file.string() + ": data.test_from_train = " + std::to_string(wanted) +
                               "; allowed: less than the " + std::to_string(train.count) +
                               " training examples");
        data->test = split_off_last(train, wanted);
    }
    keep_first(data->test, scenario.data.test_limit);
    const auto classes = static_cast<std::int64_t>(train.class_names.size());
    if (classes < 2)
        return failed_with(scenario.data.path.string() + ": all examples have the same label" +
                           (train.class_names.empty() ? "" : " \"" + train.class_names.front() + "\"") +
                           ": there is nothing to tell apart");

    scenario::PartitionRequest request;
    request.labels = train.labels;
    request.class_count = classes;
    request.node_names = scenario.graph.names;
    request.examples_per_node = scenario.data.images_per_node;
    request.reference_examples = scenario.data.reference;
    request.kind = partition_kind(scenario.data);
    auto partition = scenario::draw_partition(request, scenario.seed);
    if (!partition) return failed_with(scenario.file.string() + ": data: " + partition.error().message);

    protocol::NetworkDescription description;
    description.name = scenario.name;
    for (const auto size : {train.shape.channels, train.shape.height, train.shape.width})
        description.input_shape.push_back(static_cast<std::uint32_t>(size));
    description.classes = train.class_names;
    description.preprocessing = config::preprocessing_of(kind_of(scenario.data));
    const LabelledData reference = only_rows(train, partition->reference);
    description.reference_set = config::digest_of_examples(reference);
    description.columns = train.columns;
    auto warnings = warnings_about(scenario.data, train);
    if (numbers == Numbers::standardised) {
        const auto scaling = config::Scaling::of(kind_of(scenario.data), reference);
        scaling.apply_to_loaded(train.features);
        scaling.apply_to_loaded(data->test.features);
    }

    if (violation == Violation::features_from_private_data && scenario.models.features.empty())
        return failed_with(
            scenario.file.string() +
            ": models.features is missing; without a feature map, features-from-private-data breaks nothing");
    auto features =
        learn_features(scenario, train, rows_for_features(scenario, *partition, without, violation));
    if (!features) return tl::unexpected(features.error());
    const learning::FeatureMap* map = features->get();
    if (map != nullptr) {
        description.feature_recipe = map->recipe().text();
        description.feature_map = protocol::digest_of(map->to_bytes());
    }

    Setup setup{train.class_names,
                train.columns,
                std::move(warnings),
                learning::Dataset::from_table(data->test, map),
                learning::ReferenceSet::from_table(train, partition->reference, map),
                *features,
                protocol::network_id_of(description),
                stream_source(violation, scenario.seed),
                {}};

    const auto left_out = [&](const std::string& name) {
        return std::find(without.begin(), without.end(), name) != without.end();
    };
    std::vector<std::size_t> position(scenario.graph.size(), SIZE_MAX);
    std::size_t next = 0;
    for (std::size_t i = 0; i < scenario.graph.size(); ++i)
        if (!left_out(scenario.graph.names[i])) position[i] = next++;

    const auto adjacency = scenario.graph.adjacency();
    for (topologies::NodeIndex i = 0; i < scenario.graph.size(); ++i) {
        const std::string& name = scenario.graph.names[i];
        if (position[i] == SIZE_MAX) continue;
        std::vector<std::size_t> neighbours;
        for (const auto j : adjacency[i])
            if (position[j] != SIZE_MAX) neighbours.push_back(position[j]);
        auto main = learning::parse_architecture(scenario.main_architecture(i));
        auto seed = learning::parse_architecture(scenario.seed_architecture(i), learning::kSeedArchitectures);
        if (!main) return failed_with(scenario.file.string() + ": models.main: " + main.error().message);
        if (!seed) return failed_with(scenario.file.string() + ": models.seed: " + seed.error().message);
        for (const auto& [key, architecture, limits] : {std::tuple("main", &*main, learning::kMainLimits),
                                                        std::tuple("seed", &*seed, learning::kSeedLimits)})
            if (const auto fits =
                    learning::expected_tensors(*architecture, setup.test.shape(), classes, limits);
                !fits)
                return failed_with(scenario.file.string() + ": models." + key + ": " + fits.error().message);
        auto own = learning::Dataset::from_table(train, partition->node_share[i], map);
        auto split = learning::split_validation(own, scenario.data.validation,
                                                setup.streams->seed(name, "validation"));
        auto missing = missing_classes(own, train.class_names);
        setup.nodes.push_back(NodeSetup{name, identity_of(scenario.seed, name), std::move(neighbours),
                                        std::move(*main), std::move(*seed), std::move(own), std::move(split),
                                        std::move(missing)});
    }
    return setup;
}

}  // namespace unlearn::sim::run
