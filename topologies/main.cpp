#include <iostream>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "node/command_line/command_line.hpp"
#include "topologies/formats/formats.hpp"
#include "topologies/generators.hpp"
#include "topologies/measures.hpp"

namespace {

using namespace unlearn;
using namespace unlearn::topologies;

enum ExitCode : int { done = 0, failed = 1, bad_input = 2 };

struct Options {
    GeneratorOptions generator;
    std::string kind;
    std::string file;
    std::string output;
    std::string from;
    std::string to;
    bool json = false;
};

int complain(const std::string& line) {
    std::cerr << "unlearn-topo: " << line << '\n';
    return ExitCode::bad_input;
}

std::vector<std::string> strings(std::span<const std::string_view> names) {
    return {names.begin(), names.end()};
}

/// Returns the graph that the command line names: a file or a kind.
Result<Graph> graph_of(const Options& options) {
    if (!options.file.empty()) return load_graph(options.file, parse_format(options.from));
    return generate(options.kind, options.generator);
}

/// Returns the format of the output, before the graph is made. Returns nothing after printing an error.
std::optional<Format> output_format(const Options& options) {
    const bool to_file = !options.output.empty() && options.output != "-";
    if (const auto asked = parse_format(options.to)) return asked;
    if (!to_file) return Format::edge_list;
    const auto format = format_of(options.output);
    if (!format)
        complain(options.output + ": no format has this ending; say which with --to, or use one of " +
                 known_endings());
    return format;
}

int write(const Graph& graph, const Options& options, Format format) {
    if (options.output.empty() || options.output == "-") {
        write_graph(std::cout, graph, format);
        std::cout.flush();
        return std::cout ? ExitCode::done : ExitCode::failed;
    }
    if (const auto written = save_graph(options.output, graph, format); !written) {
        std::cerr << "unlearn-topo: " << written.error().message << '\n';
        return ExitCode::failed;
    }
    std::cerr << options.output << ": " << graph.size() << " nodes, " << graph.edges.size() << " edges\n";
    return ExitCode::done;
}

std::vector<std::size_t> by_betweenness(const Measures& measures) {
    std::vector<std::size_t> order(measures.nodes);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return measures.betweenness[a] > measures.betweenness[b];
    });
    return order;
}

nlohmann::ordered_json json_of(const Graph& graph, const Measures& measures) {
    nlohmann::ordered_json points = nlohmann::ordered_json::array();
    for (const auto point : measures.articulation_points)
        points.push_back(
            {{"name", graph.names[point.node]}, {"parts", point.parts}, {"cut_off", point.cut_off}});
    const auto adjacency = graph.adjacency();
    nlohmann::ordered_json nodes = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < graph.size(); ++i)
        nodes.push_back({{"name", graph.names[i]},
                         {"degree", adjacency[i].size()},
                         {"betweenness", measures.betweenness[i]}});
    return {
        {"nodes", measures.nodes},
        {"edges", measures.edges},
        {"degree",
         {{"least", measures.least_degree}, {"mean", measures.mean_degree}, {"most", measures.most_degree}}},
        {"diameter", measures.diameter},
        {"average_path", measures.average_path},
        {"clustering", measures.clustering},
        {"spectral_gap", measures.spectral_gap},
        {"articulation_points", std::move(points)},
        {"by_node", std::move(nodes)}};
}

void print(const Graph& graph, const Measures& measures) {
    constexpr std::size_t kMostShown = 5;
    const auto row = [](const char* name, const std::string& value, const char* meaning) {
        std::printf("%-20s %-14s %s\n", name, value.c_str(), meaning);
    };
    const auto number = [](double value) {
        char text[32];
        std::snprintf(text, sizeof text, "%.4g", value);
        return std::string(text);
    };
    row("nodes", std::to_string(measures.nodes), "");
    row("edges", std::to_string(measures.edges), "");
    row("degree", std::to_string(measures.least_degree) + " to " + std::to_string(measures.most_degree),
        ("mean " + number(measures.mean_degree)).c_str());
    row("diameter", std::to_string(measures.diameter), "the most hops that an exit needs");
    row("average path", number(measures.average_path), "hops between two nodes");
    row("clustering", number(measures.clustering), "how often two neighbours are neighbours too");
    row("spectral gap", number(measures.spectral_gap),
        "of the Metropolis-Hastings mixing matrix; larger mixes faster");
    const auto order = by_betweenness(measures);
    for (std::size_t i = 0; i < std::min(kMostShown, order.size()); ++i)
        row(i == 0 ? "betweenness" : "", number(measures.betweenness[order[i]]),
            graph.names[order[i]].c_str());
    auto points = measures.articulation_points;
    std::stable_sort(points.begin(), points.end(),
                     [](const auto& a, const auto& b) { return a.cut_off > b.cut_off; });
    row("articulation points", std::to_string(points.size()),
        points.empty() ? "the rest stays connected, whichever node leaves"
                       : "when one of these leaves, the rest falls apart; the worst:");
    for (std::size_t i = 0; i < std::min(kMostShown, points.size()); ++i)
        row("", graph.names[points[i].node],
            ("leaves " + std::to_string(points[i].parts) + " parts, " + std::to_string(points[i].cut_off) +
             " nodes cut off from the largest")
                .c_str());
}

int describe(const Options& options) {
    const auto graph = graph_of(options);
    if (!graph) return complain(graph.error().message);
    if (graph->size() < 2) return complain("a graph of one node has nothing to describe");
    const auto measures = measure(*graph);
    if (!measures) {
        std::cerr << "unlearn-topo: " << measures.error().message << '\n';
        return ExitCode::failed;
    }
    if (options.json)
        std::cout << json_of(*graph, *measures).dump(1) << '\n';
    else
        print(*graph, *measures);
    return ExitCode::done;
}

int list() {
    for (const Kind& kind : kinds())
        std::printf("%-18s%s\n", std::string(kind.name).c_str(), std::string(kind.help).c_str());
    return ExitCode::done;
}

void add_generator(CLI::App& command, Options& options) {
    auto& generator = options.generator;
    command.add_option("--nodes,-n", generator.nodes, "number of nodes")->capture_default_str();
    command.add_option("--degree,-d", generator.degree, "neighbours of a node, or their mean")
        ->capture_default_str();
    command.add_option("--rewire", generator.rewire, "small-world: share of the edges that are rewired")
        ->capture_default_str();
    command.add_option("--probability,-p", generator.probability,
                       "erdos-renyi, stochastic-block: probability of a link");
    command.add_option("--across", generator.across,
                       "stochastic-block: probability of a link between two blocks");
    command.add_option("--blocks", generator.blocks, "stochastic-block: number of blocks")
        ->capture_default_str();
    command.add_option("--branching", generator.branching, "tree: children of a node")->capture_default_str();
    command.add_option("--radius", generator.radius, "random-geometric: how far apart neighbours may be");
    command.add_option("--seed,-s", generator.seed, "seed of the random graphs")->capture_default_str();
}

/// The whole program. Exceptions come only from libraries.
int unlearn_topo(int argc, char** argv) {
    CLI::App app{"unlearn-topo: generate, describe and convert network topologies", "unlearn-topo"};
    app.require_subcommand(1);
    app.footer(
        "Files: edge list, adjacency JSON, GraphML, DOT, adjacency list, as networkx writes them, gzipped or "
        "not; told apart by their ending.\n"
        "Exit codes: 0 done, 1 failed, 2 bad input.");
    Options options;
    std::vector<std::string> kind_names;
    for (const Kind& kind : kinds())
        kind_names.emplace_back(kind.name);
    const auto formats = strings(format_names());

    auto* generate_command =
        app.add_subcommand("generate", "Write a graph; always connected, the same for the same seed");
    generate_command->add_option("--kind,-k", options.kind, "see list")
        ->required()
        ->check(CLI::IsMember(kind_names));
    add_generator(*generate_command, options);

    auto* describe_command = app.add_subcommand(
        "describe", "Size, degrees, diameter, spectral gap, and what breaks when a node leaves");
    auto* described_file = describe_command->add_option("FILE", options.file, "a graph file; or give --kind");
    auto* described_kind = describe_command->add_option("--kind,-k", options.kind, "a generated graph")
                               ->check(CLI::IsMember(kind_names));
    described_file->excludes(described_kind);
    add_generator(*describe_command, options);
    describe_command->add_flag("--json", options.json, "everything, for programs");

    auto* convert_command = app.add_subcommand("convert", "Read one format, write another");
    convert_command->add_option("FILE", options.file, "a graph file")->required();

    for (auto* command : {generate_command, convert_command}) {
        command->add_option("--out,-o", options.output, "file; default: standard output");
        command->add_option("--to", options.to, "format to write; default: by the file's ending")
            ->check(CLI::IsMember(formats));
    }
    for (auto* command : {describe_command, convert_command})
        command->add_option("--from", options.from, "format to read; default: by the file's ending")
            ->check(CLI::IsMember(formats));
    auto* list_command = app.add_subcommand("list", "The kinds of graph and what each takes");

    if (const auto code = command_line::parse(app, {argv + 1, argv + argc}, std::cout, std::cerr))
        return *code;
    if (*list_command) return list();
    if (*describe_command) {
        if (options.file.empty() && options.kind.empty()) return complain("describe: give a FILE or --kind");
        return describe(options);
    }
    const auto format = output_format(options);
    if (!format) return ExitCode::bad_input;
    const auto graph = graph_of(options);
    if (!graph) return complain(graph.error().message);
    return write(*graph, options, *format);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return unlearn_topo(argc, argv);
    } catch (const std::exception& error) {
        std::cerr << "unlearn-topo: " << error.what() << '\n';
        return ExitCode::failed;
    }
}
