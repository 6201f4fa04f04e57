// How fast and how small the D-PSGD baseline is: a random 4-regular graph of 100 nodes, MLP 784-100-10, 100
// samples of Fashion-MNIST at each node, batches of 32, one local epoch a round.
//
//   bench_dpsgd [--nodes 100] [--workers 2] [--repeats 5] [--architecture mlp:100] [--data FOLDER]
//
// Most of the time goes into OpenBLAS. Version 0.3.21 takes a processor that is newer than itself for a
// Prescott of 2004 and leaves out AVX: OPENBLAS_CORETYPE=SkylakeX (or Haswell) in the environment puts that
// right.
//
// Prints node-rounds a second (the median of the repeats, by the clock on the wall), and the private memory
// that each further node takes. Exit code 1: fewer than 400 a second, or more than 1 MB a node.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <dlfcn.h>
#include <malloc.h>
#include <unistd.h>

#include "node/learning/data/idx.hpp"
#include "node/learning/data/random.hpp"
#include "node/learning/threads.hpp"
#include "sim/baselines/decentralised_sgd.hpp"
#include "tests/support/process_memory.hpp"
#include "topologies/generators.hpp"

namespace {

using namespace unlearn;
using namespace unlearn::sim::baselines;

struct Settings {
    std::string data = "/usr/share/datasets/fashion-mnist";
    std::string architecture = "mlp:100";
    std::uint32_t nodes = 100;
    std::size_t examples = 100;
    std::size_t workers = 2;
    std::size_t repeats = 5;
    std::int64_t rounds = 20;
    double learning_rate = 0.05;
    double momentum = 0.0;
};

template <typename T, typename Error>
T must(tl::expected<T, Error> result) {
    if (result) return std::move(*result);
    std::fprintf(stderr, "%s\n", result.error().message.c_str());
    std::exit(2);
}

/// Whose kernels OpenBLAS uses here.
std::string blas_core() {
    using CoreName = char* (*)();
    auto* symbol = dlsym(RTLD_DEFAULT, "openblas_get_corename");
    return symbol == nullptr ? "another BLAS"
                             : std::string("OpenBLAS for ") + reinterpret_cast<CoreName>(symbol)();
}

/// A network whose nodes share one copy of the images.
DecentralisedSgd network_of(const Settings& settings, std::uint32_t nodes, const learning::Dataset& images,
                            Team& team) {
    auto graph = must(topologies::random_regular(nodes, 4, 1));
    std::vector<std::size_t> rows(static_cast<std::size_t>(images.size()));
    std::iota(rows.begin(), rows.end(), std::size_t{0});
    learning::RandomStream(1).shuffle(std::span(rows));
    std::vector<Participant> participants;
    auto next = rows.begin();
    for (const std::string& name : graph.names) {
        const auto end = next + static_cast<std::ptrdiff_t>(settings.examples);
        participants.push_back({name, images, {next, end}});
        next = end;
    }
    DecentralisedOptions options;
    options.local.architecture = must(learning::parse_architecture(settings.architecture));
    options.local.learning_rate = settings.learning_rate;
    options.local.momentum = settings.momentum;
    return must(DecentralisedSgd::create(std::move(graph), std::move(participants), options, 1, team));
}

double node_rounds_a_second(DecentralisedSgd& network, std::int64_t rounds) {
    const auto started = std::chrono::steady_clock::now();
    if (const auto done = network.run(rounds); !done) {
        std::fprintf(stderr, "%s\n", done.error().message.c_str());
        std::exit(2);
    }
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - started;
    return static_cast<double>(network.size()) * static_cast<double>(rounds) / taken.count();
}

/// Private memory after a few rounds of a small and of a large network, divided by the nodes between them.
double bytes_a_node(const Settings& settings, const learning::Dataset& images, Team& team) {
    constexpr std::uint32_t kSmall = 10;
    const std::uint32_t large = kSmall + settings.nodes;
    std::size_t private_bytes[2]{};
    std::vector<DecentralisedSgd> alive;
    for (const std::uint32_t nodes : {kSmall, large}) {
        malloc_trim(0);  // or memory that reading the images left would be used again, and not counted
        // The first network lives on, so that the second cannot be given its memory.
        alive.push_back(network_of(settings, nodes, images, team));
        node_rounds_a_second(alive.back(), 2);
        private_bytes[alive.size() - 1] = testing::private_memory(getpid());
    }
    return static_cast<double>(private_bytes[1] - private_bytes[0]) / static_cast<double>(large);
}

}  // namespace

int main(int argc, char** argv) {
    Settings settings;
    CLI::App app("Speed and memory of D-PSGD");
    app.add_option("--data", settings.data, "folder of IDX files");
    app.add_option("--architecture", settings.architecture);
    app.add_option("--nodes", settings.nodes);
    app.add_option("--examples", settings.examples, "of each node");
    app.add_option("--workers", settings.workers);
    app.add_option("--repeats", settings.repeats);
    app.add_option("--rounds", settings.rounds, "in each repeat");
    app.add_option("--learning-rate", settings.learning_rate);
    app.add_option("--momentum", settings.momentum);
    CLI11_PARSE(app, argc, argv);
    if (!learning::fix_thread_counts(1)) return 2;

    const auto tables = must(learning::load_idx_folder(settings.data));
    const auto images = learning::Dataset::from_table(tables.train);
    const Evaluation evaluation{learning::Dataset::from_table(tables.test), {}};
    Team team(settings.workers);

    const double bytes = bytes_a_node(settings, images, team);
    auto network = network_of(settings, settings.nodes, images, team);
    node_rounds_a_second(network, 2);  // the first rounds touch new memory
    std::vector<double> rates;
    for (std::size_t i = 0; i < settings.repeats; ++i)
        rates.push_back(node_rounds_a_second(network, settings.rounds));
    std::sort(rates.begin(), rates.end());
    const double median = rates[rates.size() / 2];

    const auto& cost = network.cost();
    const auto scores = must(network.scores(evaluation));
    const double mean =
        std::accumulate(scores.begin(), scores.end(), 0.0) / static_cast<double>(scores.size());
    std::printf("%s, %u nodes, %zu workers, %s: %.0f node-rounds/s (median of %zu; %.0f to %.0f)\n",
                settings.architecture.c_str(), settings.nodes, settings.workers, blas_core().c_str(), median,
                rates.size(), rates.front(), rates.back());
    std::printf("%.3f ms of CPU a node-round, %.0f bytes sent in each\n",
                1e3 * cost.cpu_seconds / static_cast<double>(cost.node_rounds),
                static_cast<double>(cost.bytes) / static_cast<double>(cost.node_rounds));
    std::printf("%.3f MB of private memory a node\n", bytes / 1e6);
    std::printf("mean test accuracy %.4f after %lld rounds\n", mean, static_cast<long long>(cost.rounds));
    return median < 400.0 || bytes > 1e6 ? 1 : 0;
}
