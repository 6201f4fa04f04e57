// What the learning part of a daemon costs with the default models: private memory, the time to start with a
// saved main model, to swap an ensemble of 64 seeds, and of predictions while members are dropped.
//
//   bench_ensemble --prepare FOLDER    trains and distils once, in a process of its own
//   bench_ensemble FOLDER              measures

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "node/learning/accuracy.hpp"
#include "node/learning/data/idx.hpp"
#include "node/learning/distillation.hpp"
#include "node/learning/ensemble/held_seeds.hpp"
#include "node/learning/generator.hpp"
#include "node/learning/memory.hpp"
#include "node/learning/threads.hpp"
#include "node/learning/training.hpp"
#include "sim/scenario/partition.hpp"
#include "tests/support/idx_files.hpp"

namespace {

using namespace unlearn::learning;
using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

constexpr std::size_t kPeers = 8;
constexpr std::size_t kMany = 64;
constexpr std::size_t kExamples = 3000;
constexpr std::size_t kReference = 10'000;
constexpr const char* kMain = "mlp:100";

double milliseconds_since(Clock::time_point start) {
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

template <typename T>
T must(Result<T> result) {
    if (result) return std::move(*result);
    std::fprintf(stderr, "bench_ensemble: %s\n", result.error().message.c_str());
    std::exit(1);
}

void show_memory(const char* when) {
    std::ifstream file("/proc/self/smaps_rollup");
    std::string word;
    long clean = 0;
    long dirty = 0;
    while (file >> word) {
        if (word == "Private_Clean:") file >> clean;
        if (word == "Private_Dirty:") file >> dirty;
    }
    std::printf("%-52s %6.1f MB private\n", when, static_cast<double>(clean + dirty) / 1024.0);
    std::fflush(stdout);
}

void write_bytes(const fs::path& path, const std::vector<std::uint8_t>& bytes) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

std::vector<std::uint8_t> read_bytes(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void prepare(const fs::path& folder, const std::string& seed_architecture) {
    fs::create_directories(folder);
    const auto data = must(load_idx_folder("/usr/share/datasets/fashion-mnist"));
    unlearn::sim::scenario::PartitionRequest request;
    request.labels = data.train.labels;
    request.class_count = 10;
    for (std::size_t i = 0; i <= kPeers; ++i)
        request.node_names.push_back("node-" + std::to_string(i));
    request.examples_per_node = kExamples;
    request.reference_examples = kReference;
    request.kind = unlearn::sim::scenario::MissingClassesPartition{2};
    const auto partition = must(unlearn::sim::scenario::draw_partition(request, 1));
    unlearn::testing::write_idx_part(folder, "reference", data.train, partition.reference);
    const auto reference = ReferenceSet::from_table(data.train, partition.reference);
    for (std::size_t i = 0; i <= kPeers; ++i) {
        const auto name = request.node_names[i];
        const auto& rows = partition.node_share[i];
        const auto own = Dataset::from_table(data.train, rows);
        const auto split = split_validation(own, 0.1, stream_seed(1, name, "validation"));
        const auto architecture = must(parse_architecture(kMain));
        const auto main = must(train(architecture, split.train, default_training(architecture),
                                     make_generator(stream_seed(1, name, "train"))));
        if (i == 0) {
            unlearn::testing::write_idx_part(folder, "own", data.train, rows);
            write_bytes(folder / "main", main.save());
            continue;
        }
        const auto seed_kind = must(parse_architecture(seed_architecture));
        const auto seed = must(distil(main, reference, seed_kind, default_distillation(seed_kind),
                                      make_generator(stream_seed(1, name, "distil"))));
        write_bytes(folder / ("seed-" + std::to_string(i)), seed.payload());
        std::printf("%s ready\n", name.c_str());
        std::fflush(stdout);
    }
}

MemberId id_of(std::size_t number) {
    MemberId id{};
    id[0] = static_cast<std::uint8_t>(number);
    return id;
}

/// Those of Fashion-MNIST.
const std::vector<std::string> kClasses{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};

struct Daemon {
    std::shared_ptr<const OwnPart> own;
    std::unique_ptr<EnsembleHolder> seeds;
};

Daemon start(const fs::path& folder) {
    const auto own_table = must(load_idx(folder / "own-images", folder / "own-labels", kClasses));
    const auto own = Dataset::from_table(own_table);
    auto split = split_validation(own, 0.1, stream_seed(1, "node-0", "validation"));
    auto main = must(
        MainModel::restore(must(parse_architecture(kMain)), own.shape(), 10, read_bytes(folder / "main")));
    const auto table = must(load_idx(folder / "reference-images", folder / "reference-labels", kClasses));
    Daemon daemon;
    daemon.own = OwnPart::make(std::move(main), own, std::move(split.validation),
                               ReferenceSet::from_table(table).head(kMassRows));
    daemon.seeds = std::make_unique<EnsembleHolder>(daemon.own, EnsembleOptions{});
    return daemon;
}

void install(const Daemon& daemon, const fs::path& folder, const std::string& architecture,
             std::size_t count) {
    for (std::size_t i = 1; i <= count; ++i) {
        const auto payload = read_bytes(folder / ("seed-" + std::to_string((i - 1) % kPeers + 1)));
        auto member = must(Member::from_payload(id_of(i), 1, architecture, payload, *daemon.own));
        if (member->aside()) std::printf("seed %zu held aside: %s\n", i, member->aside()->c_str());
        daemon.seeds->install(std::move(member));
    }
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

double time_prediction(const Daemon& daemon, const Inputs& inputs) {
    const auto begun = Clock::now();
    static_cast<void>(must(daemon.seeds->predict(inputs, Prior::own)));
    return milliseconds_since(begun);
}

void show_predictions(const Daemon& daemon, const char* what) {
    for (const std::int64_t rows : {1, 64, 256}) {
        const auto inputs = daemon.own->validation().inputs().narrow(0, rows);
        std::vector<double> times;
        for (int i = 0; i < 21; ++i)
            times.push_back(time_prediction(daemon, inputs));
        std::printf("predict %4lld rows, %s: median %.2f ms\n", static_cast<long long>(rows), what,
                    median(times));
    }
}

// Drops members one after the other while another thread predicts without pause.
void show_drops(const Daemon& daemon, std::int64_t rows, std::size_t members, std::size_t drops) {
    const auto inputs = daemon.own->validation().inputs().narrow(0, rows);
    std::vector<double> calm;
    for (int i = 0; i < 11; ++i)
        calm.push_back(time_prediction(daemon, inputs));
    std::atomic<bool> stop = false;
    std::vector<double> times;
    std::thread reader([&] {
        while (!stop)
            times.push_back(time_prediction(daemon, inputs));
    });
    std::vector<double> dropping;
    std::vector<double> swapping;
    std::vector<double> wiping;
    for (std::size_t i = 0; i < drops; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        const auto id = id_of(members - i);
        const auto begun = Clock::now();
        static_cast<void>(daemon.seeds->drop(id));
        dropping.push_back(milliseconds_since(begun));
        static_cast<void>(daemon.seeds->snapshot());
        swapping.push_back(milliseconds_since(begun));
        static_cast<void>(daemon.seeds->wipe_dropped(id));
        wiping.push_back(milliseconds_since(begun));
    }
    stop = true;
    reader.join();
    std::printf(
        "%3zu seeds, predicting %lld rows meanwhile: dropped after %.3f ms (worst %.3f), next snapshot after "
        "%.2f ms (worst %.2f), wiped after %.1f ms; prediction %.1f ms before, worst meanwhile %.1f\n",
        members, static_cast<long long>(rows), median(dropping),
        *std::max_element(dropping.begin(), dropping.end()), median(swapping),
        *std::max_element(swapping.begin(), swapping.end()), median(wiping), median(calm),
        *std::max_element(times.begin(), times.end()));
}

// How many freshly drawn seeds are held aside, which know nothing.
void show_judgement(const Daemon& daemon, const std::string& architecture) {
    int aside = 0;
    constexpr int kTries = 40;
    for (int i = 0; i < kTries; ++i) {
        const auto model = must(make_model(must(parse_architecture(architecture)), daemon.own->shape(), 10,
                                           make_generator(static_cast<std::uint64_t>(i))));
        auto tensors = model.export_tensors();
        const auto member =
            must(Member::from_payload(id_of(200), 1, architecture, write_safetensors(tensors), *daemon.own));
        if (member->aside()) ++aside;
        if (i < 3) std::printf("  %s\n", member->aside().value_or("used").c_str());
    }
    std::printf("%s with random weights: %d of %d held aside\n", architecture.c_str(), aside, kTries);
}

void measure(const fs::path& folder, const std::string& architecture, bool judgement) {
    show_memory("bare process");
    const auto begun = Clock::now();
    const Daemon daemon = start(folder);
    std::printf("start with a saved main model: %.0f ms\n", milliseconds_since(begun));
    show_memory("own data, reference set and main model loaded");
    release_memory();
    show_memory("after release_memory()");
    const auto judged = Clock::now();
    install(daemon, folder, architecture, kPeers);
    std::printf("one seed checked and judged: %.0f ms\n",
                milliseconds_since(judged) / static_cast<double>(kPeers));
    show_memory("8 seeds checked");
    show_predictions(daemon, "8 seeds");
    show_memory("after predictions");
    release_memory();
    show_memory("after release_memory()");
    if (judgement) {
        for (const char* kind : {"cnn:8x16", "cnn:8x16+32", "mlp:32", "linear"})
            show_judgement(daemon, kind);
    }
    install(daemon, folder, architecture, kMany);
    static_cast<void>(daemon.seeds->snapshot());
    std::vector<double> builds;
    for (std::size_t i = 0; i < 5; ++i) {
        static_cast<void>(daemon.seeds->drop(id_of(kMany - i)));
        const auto build = Clock::now();
        static_cast<void>(daemon.seeds->snapshot());
        builds.push_back(milliseconds_since(build));
    }
    std::printf("build of a snapshot with about %zu seeds, nothing else running: median %.2f ms\n", kMany,
                median(builds));
    for (const std::int64_t rows : {1, 256}) {
        install(daemon, folder, architecture, kMany);
        static_cast<void>(daemon.seeds->snapshot());
        show_drops(daemon, rows, kMany, 8);
    }
    show_predictions(daemon, "56 seeds");
    show_memory("with 56 seeds, at the end");
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"What the learning part of a daemon costs with the default models."};
    fs::path folder;
    std::string architecture = "cnn:8x16+32";
    bool only_prepare = false;
    bool judgement = false;
    app.add_option("folder", folder, "where the prepared data lie")->required();
    app.add_option("--seed", architecture, "architecture of the seeds");
    app.add_flag("--prepare", only_prepare, "make the data");
    app.add_flag("--judgement", judgement, "judge random seeds, too");
    CLI11_PARSE(app, argc, argv);
    keep_memory_low();
    static_cast<void>(fix_thread_counts(1));
    if (only_prepare)
        prepare(folder, architecture);
    else
        measure(folder, architecture, judgement);
}
