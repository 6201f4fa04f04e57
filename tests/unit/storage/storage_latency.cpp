// Latency of durable batches with several stores committing at once, as in a simulation of as many nodes.
// Usage: storage_latency [STORES [ROUNDS [SEED_BYTES]]] (8, 100, 102400), in the current folder's file
// system.

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "node/storage/storage_thread.hpp"
#include "tests/unit/storage/support.hpp"

using namespace unlearn;
using namespace unlearn::storage;

namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;

std::mutex results_mutex;
std::map<std::string, std::vector<double>> results;

void timed(StorageThread& thread, const std::string& what, std::vector<protocol::StoreOp> ops) {
    std::promise<void> durable;
    const auto begin = std::chrono::steady_clock::now();
    const auto submitted = thread.submit(std::move(ops), [&](protocol::Result<void> result) {
        if (!result) std::fprintf(stderr, "%s\n", result.error().text().c_str());
        durable.set_value();
    });
    if (!submitted) std::abort();
    durable.get_future().wait();
    const Milliseconds took = std::chrono::steady_clock::now() - begin;
    const std::lock_guard lock(results_mutex);
    results[what].push_back(took.count());
}

}  // namespace

int main(int argc, char** argv) {
    const int stores = argc > 1 ? std::atoi(argv[1]) : 8;
    const int rounds = argc > 2 ? std::atoi(argv[2]) : 100;
    const std::size_t size = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 102400;
    const storage::testing::TemporaryFolder folder(std::filesystem::current_path());
    // Made ahead: nodes' keys take longer than a commit, and their cache is not for several threads.
    std::vector<protocol::NodeId> nodes;
    for (int i = 0; i < 3 * rounds + 8; ++i)
        nodes.push_back(storage::testing::node(static_cast<std::uint32_t>(i)));
    const auto binding = storage::testing::binding();

    std::barrier together(stores);
    std::vector<std::jthread> threads;
    for (int s = 0; s < stores; ++s) {
        threads.emplace_back([&, s] {
            auto store = Store::open(folder.path() / std::to_string(s), binding);
            if (!store) {
                std::fprintf(stderr, "%s\n", store.error().text().c_str());
                std::abort();
            }
            StorageThread thread(std::move(*store));
            const auto seed = [&](int i) {
                return protocol::PutHeldSeed{
                    nodes[static_cast<std::size_t>(i)], protocol::SeedVersion{1},
                    storage::testing::statement("record"),
                    storage::testing::payload(static_cast<std::uint64_t>(i + 1), size)};
            };
            const auto burial = [&](int i) {
                return protocol::PutTombstone{nodes[static_cast<std::size_t>(i)],
                                              storage::testing::statement("gone")};
            };
            for (int i = 0; i < 8; ++i)  // others' seeds, which stay
                timed(thread, "install", {seed(3 * rounds + i)});
            for (int r = 0; r < rounds; ++r) {
                timed(thread, "install", {seed(3 * r)});
                timed(thread, "install", {seed(3 * r + 1)});
                together.arrive_and_wait();
                timed(thread, "tombstone", {burial(3 * r + 2)});
                together.arrive_and_wait();
                timed(thread, "erase, log not settled",
                      {protocol::EraseHeldSeed{nodes[static_cast<std::size_t>(3 * r)]}});
                std::this_thread::sleep_for(3 * kSettleAfter);
                together.arrive_and_wait();
                timed(
                    thread, "tombstone + erase",
                    {burial(3 * r + 1), protocol::EraseHeldSeed{nodes[static_cast<std::size_t>(3 * r + 1)]}});
            }
        });
    }
    threads.clear();
    std::printf("%d stores at once, seeds of %zu bytes\n%-24s %8s %8s %8s %8s\n", stores, size, "batch",
                "count", "p50 ms", "p99 ms", "max ms");
    for (auto& [what, all] : results) {
        std::sort(all.begin(), all.end());
        std::printf("%-24s %8zu %8.2f %8.2f %8.2f\n", what.c_str(), all.size(), all[all.size() / 2],
                    all[all.size() * 99 / 100], all.back());
    }
}
