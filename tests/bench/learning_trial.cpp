// Runs the learning part of the quickstart scenario in one process, without network or disk, and prints what
// it reaches. Hyper-parameters are chosen on a stand-in test set cut from the training images; --final scores
// the real one.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <numeric>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "node/learning/accuracy.hpp"
#include "node/learning/data/idx.hpp"
#include "node/learning/distillation.hpp"
#include "node/learning/ensemble/held_seeds.hpp"
#include "node/learning/generator.hpp"
#include "node/learning/threads.hpp"
#include "node/learning/training.hpp"
#include "sim/scenario/partition.hpp"

namespace {

using namespace unlearn::learning;

struct Settings {
    std::string data = "/usr/share/datasets/fashion-mnist";
    std::vector<std::uint64_t> scenario_seeds{1};
    std::vector<std::string> mains{"linear", "mlp:100", "cnn:16x32"};
    std::string seed_architecture = "cnn:8x16";
    std::string aggregation = "known-classes";
    std::size_t nodes = 8;
    std::size_t examples = 3000;
    std::size_t missing = 2;
    std::size_t reference = 10'000;
    double validation = 0.1;
    OptimisationSettings distil;
    bool final = false;
};

struct Scores {
    double main_own = 0.0;
    double main_full = 0.0;
    double ensemble_own = 0.0;
    double ensemble_full = 0.0;

    Scores& operator+=(const Scores& other) {
        main_own += other.main_own;
        main_full += other.main_full;
        ensemble_own += other.ensemble_own;
        ensemble_full += other.ensemble_full;
        return *this;
    }
};

void print(const std::string& what, const Scores& sum, std::size_t count) {
    const double n = static_cast<double>(count);
    std::printf("%-34s main %.4f / %.4f   ensemble %.4f / %.4f   gain %+.2f / %+.2f points\n", what.c_str(),
                sum.main_own / n, sum.main_full / n, sum.ensemble_own / n, sum.ensemble_full / n,
                100 * (sum.ensemble_own - sum.main_own) / n, 100 * (sum.ensemble_full - sum.main_full) / n);
    std::fflush(stdout);
}

template <typename T>
T must(Result<T> result) {
    if (result) return std::move(*result);
    std::fprintf(stderr, "%s\n", result.error().message.c_str());
    std::exit(2);
}

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct Node {
    std::string name;
    std::shared_ptr<const OwnPart> own;
    std::string main_architecture;
    std::vector<std::uint8_t> payload;
};

MemberId id_of(std::size_t node) {
    MemberId id{};
    id[0] = static_cast<std::uint8_t>(node);
    return id;
}

Scores score(const Ensemble& ensemble, const Dataset& test) {
    const auto& own = ensemble.own().distribution();
    const auto main = must(ensemble.predict_main(test.inputs())).probabilities;
    Scores scores;
    scores.main_own = own_accuracy(main, test, own);
    scores.main_full = full_accuracy(main, test);
    const auto under = must(ensemble.predict_under(test.inputs(), kPriors));
    scores.ensemble_own = own_accuracy(under[0].probabilities, test, own);
    scores.ensemble_full = full_accuracy(under[1].probabilities, test);
    return scores;
}

class Trial {
  public:
    Trial(const Settings& settings, std::uint64_t seed, const LabelledData& table,
          std::vector<std::size_t> pool)
        : settings_(settings), seed_(seed), table_(table), pool_(std::move(pool)) {}

    void run(const Dataset& test, Scores& before, Scores& after) {
        make_nodes();
        for (std::size_t i = 0; i < nodes_.size(); ++i)
            score_node(i, test, before, after);
    }

    // A ring in which everybody knows the two nodes on either side: a small world before rewiring.
    [[nodiscard]] std::vector<std::size_t> neighbours(std::size_t node) const {
        const std::size_t n = settings_.nodes;
        std::vector<std::size_t> near{(node + 1) % n, (node + 2) % n, (node + n - 1) % n, (node + n - 2) % n};
        std::sort(near.begin(), near.end());
        near.erase(std::unique(near.begin(), near.end()), near.end());
        return near;
    }

  private:
    void make_nodes() {
        unlearn::sim::scenario::PartitionRequest request;
        std::vector<std::int64_t> labels;
        for (const std::size_t row : pool_)
            labels.push_back(table_.labels[row]);
        request.labels = labels;
        request.class_count = static_cast<std::int64_t>(table_.class_names.size());
        for (std::size_t i = 0; i < settings_.nodes; ++i)
            request.node_names.push_back("node-" + std::to_string(i + 1));
        request.examples_per_node = settings_.examples;
        request.reference_examples = settings_.reference;
        request.kind = unlearn::sim::scenario::MissingClassesPartition{settings_.missing};
        auto partition = must(unlearn::sim::scenario::draw_partition(request, seed_));
        const auto rows = [&](std::vector<std::size_t> indices) {
            for (std::size_t& index : indices)
                index = pool_[index];
            return indices;
        };
        const auto reference = ReferenceSet::from_table(table_, rows(partition.reference));
        const auto seed_architecture = must(parse_architecture(settings_.seed_architecture));
        double train_seconds = 0.0;
        double distil_seconds = 0.0;
        for (std::size_t i = 0; i < settings_.nodes; ++i) {
            Node node;
            node.name = request.node_names[i];
            node.main_architecture = settings_.mains[i % settings_.mains.size()];
            const auto own = Dataset::from_table(table_, rows(partition.node_share[i]));
            const auto split = split_validation(own, settings_.validation, stream(node.name, "validation"));
            const auto architecture = must(parse_architecture(node.main_architecture));
            auto start = std::chrono::steady_clock::now();
            auto main = must(train(architecture, split.train, default_training(architecture),
                                   make_generator(stream(node.name, "main-model"))));
            train_seconds += seconds_since(start);
            start = std::chrono::steady_clock::now();
            const auto seed = must(distil(main, reference, seed_architecture,
                                          distil_options(settings_.distil, seed_architecture),
                                          make_generator(stream(node.name, "seed-model"))));
            distil_seconds += seconds_since(start);
            node.payload = seed.payload();
            node.own = OwnPart::make(std::move(main), own, split.validation, reference);
            nodes_.push_back(std::move(node));
        }
        std::printf("scenario seed %llu: %.1f s training, %.1f s distilling, seeds of %zu bytes\n",
                    static_cast<unsigned long long>(seed_), train_seconds, distil_seconds,
                    nodes_[0].payload.size());
    }

    void score_node(std::size_t i, const Dataset& test, Scores& before, Scores& after) {
        EnsembleOptions options;
        options.aggregation = must(parse_aggregation(settings_.aggregation));
        EnsembleHolder holder(nodes_[i].own, options);
        for (const std::size_t near : neighbours(i))
            install(holder, i, near);
        const Scores all = score(*holder.snapshot(), test);
        before += all;
        char title[80];
        std::snprintf(title, sizeof title, "  %-8s %-10s rho %.3f", nodes_[i].name.c_str(),
                      nodes_[i].main_architecture.c_str(), holder.snapshot()->rho());
        print(title, all, 1);
        const auto near = neighbours(i);
        holder.forget(id_of(near[i % near.size()]));
        after += score(*holder.snapshot(), test);
    }

    void install(EnsembleHolder& holder, std::size_t node, std::size_t near) {
        holder.install(must(Member::from_payload(id_of(near), 1, settings_.seed_architecture,
                                                 nodes_[near].payload, *nodes_[node].own)));
    }

    [[nodiscard]] std::uint64_t stream(const std::string& name, const std::string& purpose) const {
        return stream_seed(seed_, name, purpose);
    }

    const Settings& settings_;
    std::uint64_t seed_;
    const LabelledData& table_;
    std::vector<std::size_t> pool_;
    std::vector<Node> nodes_;
};

}  // namespace

int main(int argc, char** argv) {
    Settings settings;
    CLI::App app(
        "The learning part of the quickstart scenario: own / full accuracy of main models and ensembles");
    app.add_option("--data", settings.data, "folder of IDX files");
    app.add_option("--scenario-seeds", settings.scenario_seeds);
    app.add_option("--mains", settings.mains, "main architectures, dealt out in turn");
    app.add_option("--seed-architecture", settings.seed_architecture);
    app.add_option("--aggregation", settings.aggregation);
    app.add_option("--nodes", settings.nodes);
    app.add_option("--examples", settings.examples, "of each node");
    app.add_option("--missing", settings.missing, "classes missing at each node");
    app.add_option("--reference", settings.reference);
    app.add_option("--validation", settings.validation, "share of a node's examples");
    app.add_option("--temperature", settings.distil.temperature);
    app.add_option("--distil-epochs", settings.distil.epochs);
    app.add_option("--distil-batch", settings.distil.batch);
    app.add_option("--distil-rate", settings.distil.learning_rate);
    app.add_flag("--final", settings.final, "score the real test set instead of the stand-in");
    CLI11_PARSE(app, argc, argv);
    if (!fix_thread_counts(1)) return 2;

    const auto tables = must(load_idx_folder(settings.data));
    std::vector<std::size_t> rows(tables.train.count);
    std::iota(rows.begin(), rows.end(), std::size_t{0});
    RandomStream(777).shuffle(std::span(rows));
    const auto cut = rows.begin() + static_cast<std::ptrdiff_t>(rows.size() / 6);
    const std::vector<std::size_t> stand_in(rows.begin(), cut);
    if (!settings.final) rows.erase(rows.begin(), cut);
    const Dataset test =
        settings.final ? Dataset::from_table(tables.test) : Dataset::from_table(tables.train, stand_in);

    Scores before;
    Scores after;
    for (const std::uint64_t seed : settings.scenario_seeds) {
        Scores seed_before;
        Scores seed_after;
        Trial(settings, seed, tables.train, rows).run(test, seed_before, seed_after);
        print("  all nodes", seed_before, settings.nodes);
        print("  after one neighbour has left", seed_after, settings.nodes);
        before += seed_before;
        after += seed_after;
    }
    print("all scenario seeds", before, settings.nodes * settings.scenario_seeds.size());
    print("after one neighbour has left", after, settings.nodes * settings.scenario_seeds.size());
    return 0;
}
