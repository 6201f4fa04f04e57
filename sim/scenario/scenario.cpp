#include "sim/scenario/scenario.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>

#include "node/command_line/nearest.hpp"
#include "node/config/csv_format_reader.hpp"
#include "node/config/ensemble_reader.hpp"
#include "node/learning/features/recipe.hpp"
#include "sim/scenario/scenario_table.hpp"
#include "topologies/formats/formats.hpp"
#include "topologies/generators.hpp"

namespace unlearn::sim::scenario {
namespace {

using command_line::nearest;
using config::Complaints;
using config::TableReader;

// In the order of the enumerators.
constexpr std::array<std::string_view, 2> kDataKinds = {"idx", "csv"};
constexpr std::array<std::string_view, 4> kPartitions = {"missing-classes", "iid", "dirichlet", "shards"};
constexpr std::array<std::string_view, 2> kTransports = {"zmq", "virtual"};

/// The kind of topology that means a file instead of a generator.
constexpr std::string_view kGraphFile = "file";
constexpr std::string_view kDefaultGraph = "small-world";

constexpr double kMaxNodes = 10'000;
constexpr double kMaxImages = 10'000'000;
constexpr double kMaxSeconds = 86'400;
constexpr std::uintmax_t kMaxFileBytes = 1 << 20;

/// Reads the sections of one file into one scenario.
class ScenarioBuilder {
  public:
    ScenarioBuilder(const toml::table& table, const std::filesystem::path& file,
                    const ScenarioOptions& options, Complaints& complaints)
        : root_(table, "", complaints), file_(file), options_(options), complaints_(complaints) {}

    Scenario build() {
        read_head();
        read_data();
        read_topology();
        read_models();
        read_learning();
        read_network();
        read_exits();
        TableReader run = root_.section("run");
        run.read("threads", scenario_.run.threads, {1, 256});
        run.finish();
        root_.finish();
        return std::move(scenario_);
    }

  private:
    void read_head() {
        scenario_.file = file_;
        scenario_.name = file_.stem().string();
        root_.read("name", scenario_.name);
        if (!topologies::is_valid_node_name(scenario_.name)) {
            root_.complain("name",
                           "cannot name a folder; allowed: " + std::string(topologies::kNodeNameRule));
        }
        root_.read("seed", scenario_.seed, {0, static_cast<double>(kMaxSeed)});
        if (options_.seed) scenario_.seed = *options_.seed;
    }

    void read_data() {
        DataSettings& data = scenario_.data;
        TableReader reader = root_.section("data");
        reader.read_choice("kind", data.kind, kDataKinds);
        read_path(reader, "path", data.path);
        read_path(reader, "test_path", data.test_path);
        reader.read("label", data.label);
        data.format = config::read_csv_format(reader);
        reader.read("reference", data.reference, {1, kMaxImages});
        reader.read("images_per_node", data.images_per_node, {1, kMaxImages});
        reader.read_choice("partition", data.partition, kPartitions);
        reader.read("missing", data.missing, {0, 65'535});
        reader.read("alpha", data.alpha, {0, 1e6, true});
        reader.read("shards", data.shards, {1, 65'535});
        reader.read("validation", data.validation, {0, 0.5, true});
        reader.read("test_limit", data.test_limit, {0, kMaxImages});
        reader.read("test_from_train", data.test_from_train, {0, kMaxImages});
        if (data.kind == DataSettings::Kind::csv) {
            for (const char* key : {"path", "test_path"})
                reader.require(key, "is missing; allowed: the CSV file, needed for kind = \"csv\"");
        } else {
            if (reader.has("test_path"))
                reader.complain("test_path", "is for kind = \"csv\"; an IDX folder holds its own test set");
            for (const char* key : {"separator", "decimal"})
                if (reader.has(key)) reader.complain(key, "is for kind = \"csv\"");
        }
        reader.finish();
    }

    void read_topology() {
        TableReader reader = root_.section("topology");
        topologies::GeneratorOptions generator;
        std::vector<std::string_view> kinds;
        for (const topologies::Kind& kind : topologies::kinds())
            kinds.push_back(kind.name);
        kinds.push_back(kGraphFile);

        const std::string_view default_kind = reader.has("file") ? kGraphFile : kDefaultGraph;
        auto kind = static_cast<std::size_t>(std::ranges::find(kinds, default_kind) - kinds.begin());
        reader.read_choice("kind", kind, kinds);
        reader.read("nodes", generator.nodes, {2, kMaxNodes});
        reader.read("degree", generator.degree, {1, kMaxNodes});
        reader.read("rewire", generator.rewire, {0, 1});
        reader.read("probability", generator.probability, {0, 1, true});
        reader.read("across", generator.across, {0, 1, true});
        reader.read("radius", generator.radius, {0, 1.5, true});
        reader.read("branching", generator.branching, {1, kMaxNodes});
        reader.read("blocks", generator.blocks, {1, kMaxNodes});
        // The graph has a seed of its own, so that everything else can be varied on the same graph.
        generator.seed = scenario_.seed;
        reader.read("seed", generator.seed, {0, static_cast<double>(kMaxSeed)});
        std::filesystem::path graph_file;
        read_path(reader, "file", graph_file);
        std::size_t format = topologies::format_names().size();
        reader.read_choice("format", format, topologies::format_names());

        if (kinds[kind] == kGraphFile) {
            const bool is_known = format < topologies::format_names().size();
            if (is_known || !reader.has("format"))
                load_graph(reader, graph_file,
                           is_known ? std::optional(static_cast<topologies::Format>(format)) : std::nullopt);
        } else if (reader.has("format")) {
            reader.complain("format", "is for kind = \"file\": how the graph stands in the file");
        } else if (reader.has("file")) {
            reader.complain("file",
                            "is for kind = \"file\", and the kind is \"" + std::string(kinds[kind]) + "\"");
        } else if (!complaints_.any()) {
            auto graph = topologies::generate(kinds[kind], generator);
            if (graph)
                scenario_.graph = std::move(*graph);
            else
                root_.complain("topology", "is impossible: " + graph.error().message);
        }
        reader.finish();
    }

    void load_graph(TableReader& reader, const std::filesystem::path& graph_file,
                    std::optional<topologies::Format> format) {
        if (graph_file.empty())
            return reader.complain(
                "file", "is missing; allowed: the path of an edge list, or of a JSON, GraphML or DOT file");
        std::error_code error;
        if (!std::filesystem::is_regular_file(graph_file, error)) {
            return reader.complain("file", "names no file: " + graph_file.string());
        }
        auto graph = topologies::load_graph(graph_file, format);
        if (!graph) return reader.complain("file", "cannot be used: " + graph.error().message);
        if (graph->size() < 2 || graph->size() > static_cast<std::size_t>(kMaxNodes)) {
            return reader.complain("file", "has " + std::to_string(graph->size()) + " nodes; allowed: 2 to " +
                                               std::to_string(static_cast<int>(kMaxNodes)));
        }
        scenario_.graph = std::move(*graph);
        for (const char* key : {"nodes", "degree", "rewire", "probability", "across", "radius", "branching",
                                "blocks", "seed"}) {
            if (reader.has(key))
                reader.complain(key, "has no effect beside a graph file, which names every node and edge");
        }
    }

    void read_models() {
        TableReader reader = root_.section("models");
        read_architectures(reader, "main", scenario_.models.main);
        read_architectures(reader, "seed", scenario_.models.seed);
        reader.read("features", scenario_.models.features);
        if (reader.has("features")) {
            if (const auto recipe = learning::parse_feature_recipe(scenario_.models.features); !recipe)
                reader.complain("features", "is an " + recipe.error().message);
        }
        reader.finish();
    }

    void read_architectures(TableReader& reader, std::string_view key, std::vector<std::string>& value) {
        reader.read(key, value);
        if (!options_.check_architecture || !reader.has(key)) return;
        for (const auto& architecture : value) {
            if (const auto complaint = options_.check_architecture(architecture)) {
                reader.complain(key, "has \"" + architecture + "\": " + *complaint);
            }
        }
    }

    void read_learning() {
        TableReader training = root_.section("training");
        training.read("epochs", scenario_.training.epochs, {1, 1'000'000});
        training.read("batch", scenario_.training.batch, {1, 65'536});
        training.read("learning_rate", scenario_.training.learning_rate, {0, 100, true});
        training.read("weight_decay", scenario_.training.weight_decay, {0, 10});
        training.finish();

        TableReader distillation = root_.section("distillation");
        distillation.read("epochs", scenario_.distillation.epochs, {1, 1'000'000});
        distillation.read("batch", scenario_.distillation.batch, {1, 65'536});
        distillation.read("learning_rate", scenario_.distillation.learning_rate, {0, 100, true});
        distillation.read("temperature", scenario_.distillation.temperature, {0, 1'000, true});
        distillation.finish();

        scenario_.ensemble = config::read_ensemble(root_);
    }

    void read_network() {
        NetworkSettings& network = scenario_.network;
        TableReader reader = root_.section("network");
        reader.read_choice("transport", network.transport, kTransports);
        reader.read("base_port", network.base_port, {0, 65'535});
        read_seconds(reader, "exchange_timeout_s", network.exchange_timeout);
        read_seconds(reader, "exit_timeout_s", network.exit_timeout);
        const std::size_t last_port = network.base_port + scenario_.graph.size();
        if (network.base_port != 0 && (network.base_port < 1024 || last_port > 65'536)) {
            reader.complain("base_port",
                            "= " + std::to_string(network.base_port) +
                                "; allowed: 0, or from 1024 so that base_port + nodes stays under 65536");
        }
        reader.finish();
    }

    void read_exits() {
        std::vector<TableReader> readers = root_.sections("exit");
        for (TableReader& reader : readers) {
            ExitSettings exit;
            reader.read("node", exit.node);
            check_exit(reader, exit.node);
            reader.finish();
            scenario_.exits.push_back(std::move(exit));
        }
        // Without a graph there is already a complaint, and its number of nodes means nothing.
        if (!readers.empty() && scenario_.graph.size() > 0 &&
            scenario_.exits.size() >= scenario_.graph.size()) {
            readers.back().complain("node", "leaves no node behind; allowed: fewer exits than nodes");
        }
    }

    void check_exit(TableReader& reader, const std::string& node) {
        if (!reader.has("node")) return reader.complain("node", "is missing; allowed: the name of a node");
        if (node.empty() || scenario_.graph.size() == 0) return;  // complained about already
        if (!scenario_.graph.index_of(node)) {
            const std::vector<std::string_view> names(scenario_.graph.names.begin(),
                                                      scenario_.graph.names.end());
            const auto meant = nearest(node, names);
            return reader.complain("node", "= \"" + node + "\" is not a node of the graph; " +
                                               (meant ? "did you mean \"" + std::string(*meant) + "\"?"
                                                      : "allowed: \"" + std::string(names.front()) +
                                                            "\" to \"" + std::string(names.back()) + "\""));
        }
        const auto same = [&](const ExitSettings& other) { return other.node == node; };
        if (std::any_of(scenario_.exits.begin(), scenario_.exits.end(), same)) {
            reader.complain(
                "node", "= \"" + node + "\" exits twice; allowed: one exit for each node, for it is final");
        }
    }

    void read_path(TableReader& reader, std::string_view key, std::filesystem::path& value) {
        std::string text;
        reader.read(key, text);
        if (!text.empty()) value = (file_.parent_path() / text).lexically_normal();
    }

    static void read_seconds(TableReader& reader, std::string_view key, std::chrono::seconds& value) {
        auto count = static_cast<std::uint32_t>(value.count());
        reader.read(key, count, {1, kMaxSeconds});
        value = std::chrono::seconds(count);
    }

    TableReader root_;
    const std::filesystem::path& file_;
    const ScenarioOptions& options_;
    Complaints& complaints_;
    Scenario scenario_;
};

tl::unexpected<Error> fail(std::string message) {
    // Messages of libraries may have several lines; ours have one.
    message.resize(std::min(message.size(), message.find('\n')));
    return bad_input({std::move(message)});
}

}  // namespace

std::string_view to_text(TransportKind kind) {
    return kTransports[static_cast<std::size_t>(kind)];
}

std::optional<TransportKind> parse_transport(std::string_view text) {
    const auto found = std::find(kTransports.begin(), kTransports.end(), text);
    if (found == kTransports.end()) return std::nullopt;
    return static_cast<TransportKind>(found - kTransports.begin());
}

const std::string& Scenario::main_architecture(topologies::NodeIndex node) const {
    return models.main[node % models.main.size()];
}

const std::string& Scenario::seed_architecture(topologies::NodeIndex node) const {
    return models.seed[node % models.seed.size()];
}

Scenario read_scenario(const toml::table& table, const std::filesystem::path& file,
                       const ScenarioOptions& options, Complaints& complaints) {
    return ScenarioBuilder(table, file, options, complaints).build();
}

Result<Scenario> parse_scenario(std::string_view text, const std::filesystem::path& file,
                                const ScenarioOptions& options) {
    Complaints complaints(file.string());
    try {
        const toml::table table = toml::parse(text, file.string());
        Scenario scenario = read_scenario(table, file, options, complaints);
        if (!complaints.any()) return scenario;
    } catch (const toml::parse_error& error) {
        complaints.add(error.source().begin.line, "not TOML: " + std::string(error.description()));
    }
    return fail(complaints.first());
}

Result<std::string> read_scenario_file(const std::filesystem::path& file) {
    std::error_code error;
    if (!std::filesystem::exists(file, error)) return fail(file.string() + ": no such file");
    if (!std::filesystem::is_regular_file(file, error)) return fail(file.string() + ": is not a file");
    if (std::filesystem::file_size(file, error) > kMaxFileBytes) {
        return fail(file.string() + ": is larger than 1 MiB; is this a scenario?");
    }
    std::ifstream input(file, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(input), {}};
    if (!input) return fail(file.string() + ": cannot be read");
    return text;
}

Result<Scenario> load_scenario(const std::filesystem::path& file, const ScenarioOptions& options) {
    const auto text = read_scenario_file(file);
    if (!text) return failed_with(text.error());
    return parse_scenario(*text, file, options);
}

}  // namespace unlearn::sim::scenario
