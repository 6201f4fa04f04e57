// 100 real nodes of degree 8 in one process, with churn: crashes, restarts, exits, newcomers, new seeds. Real
// sockets, real disks; learning takes any seed. Descriptors and private memory must stay flat.
//
//   bench_soak [--minutes 30] [--nodes 100] [--degree 8]
//
// A line every half minute; at the end the means of the second and of the last quarter. Exit code 1: they
// grew.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include "node/learning/data/random.hpp"
#include "node/network/zmq_context.hpp"
#include "node/network/zmq_transport.hpp"
#include "node/runtime/node.hpp"
#include "protocol/digest.hpp"
#include "tests/support/process_memory.hpp"
#include "tests/support/temporary_folder.hpp"
#include "topologies/generators.hpp"

namespace {

using namespace unlearn;
using namespace std::chrono_literals;
namespace fs = std::filesystem;
using protocol::NodeId;
using protocol::SeedVersion;

/// Learning that takes any seed at once.
class TakesAll final : public runtime::SeedHolder {
  public:
    void check(const NodeId&, SeedVersion, const std::string&, protocol::SharedSeedBytes,
               std::function<void(runtime::SeedVerdict)> done) override {
        done({});
    }
    void install(const NodeId&, SeedVersion) override {}
    void suspend(const NodeId&, SeedVersion) override {}
    void drop(const NodeId&) override {}
    void wipe(const NodeId&, std::function<void()> done) override { done(); }
};

struct Place {
    std::optional<protocol::Identity> identity;
    std::string endpoint = "tcp://127.0.0.1:0";
    fs::path folder;
    TakesAll seeds;
    std::unique_ptr<runtime::Node> node;
    bool leaving = false;
};

struct Sample {
    double minute = 0.0;
    double descriptors = 0.0;
    double megabytes = 0.0;
    double allocated = 0.0;  ///< of these, what malloc has given out, in MB
};

class Soak {
  public:
    Soak(std::size_t nodes, std::uint32_t degree, const fs::path& folder)
        : graph_(topologies::random_regular(static_cast<std::uint32_t>(nodes), degree, 1).value()),
          adjacency_(graph_.adjacency()),
          zmq_(network::ZmqContext::create().value()),
          folder_(folder) {
        for (std::size_t i = 0; i < nodes; ++i)
            places_.push_back(std::make_unique<Place>());
    }

    std::vector<Sample> run(std::chrono::minutes length) {
        for (std::size_t i = 0; i < places_.size(); ++i)
            make(i);
        for (std::size_t i = 0; i < places_.size(); ++i)
            introduce(i);
        every(3s, [this] { churn(); });
        every(30s, [this] { take_sample(); });
        // glibc keeps what was freed in the midst of the heap; unlearnd gives it back after each exit.
        every(60s, [] { ::malloc_trim(0); });
        io_.run_for(length);
        for (auto& place : places_)
            place->node.reset();
        return samples_;
    }

  private:
    void every(std::chrono::seconds period, const std::function<void()>& what) {
        auto timer = std::make_shared<boost::asio::steady_timer>(io_, period);
        timer->async_wait([this, timer, period, what](const boost::system::error_code& error) {
            if (error) return;
            what();
            every(period, what);
        });
    }
    void later(std::chrono::milliseconds delay, const std::function<void()>& what) {
        auto timer = std::make_shared<boost::asio::steady_timer>(io_, delay);
        timer->async_wait([timer, what](const boost::system::error_code& error) {
            if (!error) what();
        });
    }

    /// Somebody new at this place.
    void make(std::size_t index) {
        Place& place = *places_[index];
        const std::string name = "node-" + std::to_string(made_++);
        place.identity = protocol::Identity::from_seed(
            protocol::digest_of(protocol::Bytes(name.begin(), name.end())).value);
        place.folder = folder_ / name;
        fs::create_directories(place.folder);
        place.leaving = false;
        start(index);
    }

    void start(std::size_t index) {
        Place& place = *places_[index];
        runtime::NodeOptions options{place.folder / "state", storage::kLogEntries, {}};
        options.engine.network = network_;
        for (const auto neighbour : adjacency_[index])
            if (const Place& other = *places_[neighbour]; other.identity)
                options.engine.neighbours.push_back({other.identity->id(), other.endpoint});
        auto node = runtime::Node::create(
            io_, *place.identity, std::move(options),
            std::make_unique<network::ZmqTransport>(io_, *zmq_, *place.identity, place.endpoint), place.seeds,
            [this, index](const protocol::Event& event, auto) { on_event(index, event); });
        if (!node) {
            std::fprintf(stderr, "%s\n", node.error().text().c_str());
            return later(1s, [this, index] { start(index); });
        }
        place.node = std::move(*node);
        place.endpoint = *place.node->endpoint();
        place.node->start();
        if (!place.node->engine().own_seed()) publish(place);
    }

    /// Tells the neighbours of somebody new.
    void introduce(std::size_t index) {
        for (const auto neighbour : adjacency_[index]) {
            const Place& other = *places_[neighbour];
            if (other.node && !other.leaving)
                other.node->add_neighbour({places_[index]->identity->id(), places_[index]->endpoint});
            if (places_[index]->node)
                places_[index]->node->add_neighbour({other.identity->id(), other.endpoint});
        }
    }

    void publish(Place& place) {
        protocol::Bytes bytes(20'000 + random_.below(100'000));
        for (auto& byte : bytes)
            byte = static_cast<std::uint8_t>(random_.next());
        place.node->publish("mlp:8", std::make_shared<const protocol::SeedBytes>(std::move(bytes)));
    }

    void churn() {
        const std::size_t index = random_.below(places_.size());
        Place& place = *places_[index];
        if (!place.node || place.leaving) return;
        switch (random_.below(3)) {
            case 0:
                publish(place);
                return;
            case 1:  // without a word, and back after a while
                ++crashes_;
                place.node.reset();
                return later(std::chrono::milliseconds(500 + random_.below(9'000)),
                             [this, index] { start(index); });
            default:
                place.leaving = true;
                place.node->begin_exit();
        }
    }

    void on_event(std::size_t index, const protocol::Event& event) {
        if (event.kind != protocol::EventKind::retired) return;
        ++exits_;
        later(100ms, [this, index] {
            Place& place = *places_[index];
            place.node.reset();
            fs::remove_all(place.folder);
            place.endpoint = "tcp://127.0.0.1:0";
            make(index);
            introduce(index);
        });
    }

    void take_sample() {
        const double minute =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count() / 60.0;
        std::size_t seeds = 0;
        for (const auto& place : places_)
            if (place->node) seeds += place->node->engine().seeds_in_use().size();
        samples_.push_back({minute, static_cast<double>(testing::open_descriptors(::getpid())),
                            static_cast<double>(testing::private_memory(::getpid())) / 1e6,
                            static_cast<double>(::mallinfo2().uordblks) / 1e6});
        const Sample& sample = samples_.back();
        std::printf(
            "%5.1f min  %5.0f descriptors  %6.1f MB  %6.1f MB allocated  %4zu seeds in use  %zu exits  %zu "
            "crashes\n",
            minute, sample.descriptors, sample.megabytes, sample.allocated, seeds, exits_, crashes_);
        std::fflush(stdout);
    }

    topologies::Graph graph_;
    std::vector<std::vector<topologies::NodeIndex>> adjacency_;
    boost::asio::io_context io_;
    std::unique_ptr<network::ZmqContext> zmq_;
    fs::path folder_;
    protocol::NetworkId network_ = protocol::network_id_of({"soak", {1}, {"a", "b"}, "none", {}});
    learning::RandomStream random_{1};
    std::vector<std::unique_ptr<Place>> places_;
    std::vector<Sample> samples_;
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
    std::size_t made_ = 0;
    std::size_t exits_ = 0;
    std::size_t crashes_ = 0;
};

double mean_of(const std::vector<Sample>& samples, std::size_t from, std::size_t to, double Sample::*value) {
    double sum = 0.0;
    for (std::size_t i = from; i < to; ++i)
        sum += samples[i].*value;
    return sum / static_cast<double>(std::max<std::size_t>(to - from, 1));
}

}  // namespace

int main(int argc, char** argv) {
    std::size_t nodes = 100;
    std::uint32_t degree = 8;
    unsigned minutes = 30;
    CLI::App app{"Many real nodes in one process, with churn"};
    app.add_option("--nodes", nodes)->capture_default_str();
    app.add_option("--degree", degree)->capture_default_str();
    app.add_option("--minutes", minutes)->capture_default_str();
    CLI11_PARSE(app, argc, argv);

    ::mallopt(M_ARENA_MAX, 2);  // as unlearnd
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    const unlearn::testing::TemporaryFolder folder;
    const auto samples = Soak(nodes, degree, folder.path()).run(std::chrono::minutes(minutes));

    const std::size_t n = samples.size();
    bool flat = true;
    const auto compare = [&](const char* what, double Sample::*value, double most) {
        const double early = mean_of(samples, n / 4, n / 2, value);
        const double late = mean_of(samples, n - n / 4, n, value);
        flat = flat && late <= most * early;
        std::printf("%s: %.1f in the second quarter, %.1f in the last: %+.1f %%\n", what, early, late,
                    100.0 * (late / early - 1.0));
    };
    compare("descriptors", &Sample::descriptors, 1.05);
    compare("private MB", &Sample::megabytes, 1.10);
    compare("allocated MB", &Sample::allocated, 1.10);
    return flat ? 0 : 1;
}
