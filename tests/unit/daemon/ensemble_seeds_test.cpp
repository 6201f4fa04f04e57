#include "node/daemon/ensemble_seeds.hpp"

#include <chrono>
#include <csignal>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/learning/data/architecture.hpp"
#include "node/learning/data/random.hpp"
#include "node/learning/data/safetensors.hpp"
#include "node/learning/generator.hpp"
#include "node/learning/product_turn.hpp"
#include "node/learning/wipe.hpp"
#include "tests/support/memory_search.hpp"

namespace {

using namespace unlearn;
using namespace std::chrono_literals;
using protocol::SeedVersion;

constexpr std::int64_t kClasses = 10;
const learning::InputShape kShape{1, 28, 28};
const std::string kArchitecture = "mlp:16";
constexpr SeedVersion kFirst{1};

learning::LabelledData noise(std::size_t rows) {
    learning::LabelledData data;
    data.shape = kShape;
    learning::RandomStream random(rows);
    for (std::size_t row = 0; row < rows; ++row) {
        data.labels.push_back(static_cast<std::int64_t>(row % kClasses));
        for (std::int64_t pixel = 0; pixel < kShape.size(); ++pixel)
            data.features.push_back(static_cast<float>(random.uniform()));
    }
    for (std::int64_t label = 0; label < kClasses; ++label)
        data.class_names.push_back(std::to_string(label));
    data.count = rows;
    return data;
}

/// A node with data enough for BLAS to pack a seed's weights.
std::shared_ptr<const learning::OwnPart> own_part() {
    const auto own = learning::Dataset::from_table(noise(400));
    const auto split = learning::split_validation(own, 0.5, 1);
    learning::TrainOptions options;
    options.optimisation.epochs = 1;
    auto main = learning::train(*learning::parse_architecture("linear"), split.train, options,
                                learning::make_generator(1));
    REQUIRE(main);
    return learning::OwnPart::make(*main, own, split.validation,
                                   learning::ReferenceSet::from_table(noise(800)));
}

/// A seed of which no other copy is left in this process, and what finds it.
struct Planted {
    std::vector<learning::NamedTensor> tensors = random_tensors();
    std::vector<std::uint8_t> bytes = learning::write_safetensors(tensors);
    std::string text{bytes.begin(), bytes.end()};
    testing::SeedSearch search{text};
    protocol::SharedSeedBytes payload =
        std::make_shared<const protocol::SeedBytes>(protocol::SeedBytes::copy_of(bytes));

    Planted() {
        learning::wipe(tensors);
        protocol::wipe_memory(bytes.data(), bytes.size());
        protocol::wipe_memory(text.data(), text.size());
    }

  private:
    static std::vector<learning::NamedTensor> random_tensors() {
        learning::RandomStream random(7);
        std::vector<learning::NamedTensor> out;
        const auto shapes =
            learning::expected_tensors(*learning::parse_architecture(kArchitecture), kShape, kClasses);
        REQUIRE(shapes);
        for (const auto& [name, shape] : *shapes) {
            std::int64_t size = 1;
            for (const auto dimension : shape)
                size *= dimension;
            learning::NamedTensor tensor{name, shape, {}};
            tensor.values.reserve(static_cast<std::size_t>(size));
            for (std::int64_t i = 0; i < size; ++i)
                tensor.values.push_back(static_cast<float>(0.1 * random.normal()));
            out.push_back(std::move(tensor));
        }
        return out;
    }
};

/// Places of the seed in this process as it is now: a copy of it is looked into.
std::size_t places_here(const testing::SeedSearch& search) {
    const pid_t copy = ::fork();
    if (copy == 0) {
        ::pause();
        ::_exit(0);
    }
    const std::size_t places = search.places_in_process(copy).elsewhere;
    ::kill(copy, SIGKILL);
    ::waitpid(copy, nullptr, 0);
    return places;
}

}  // namespace

TEST_CASE("a seed whose owner leaves while it is judged is not in memory when its wiping is told") {
    learning::let_products_take_turns(true);
    const auto own = own_part();
    boost::asio::thread_pool workers(1);
    learning::EnsembleHolder ensemble(own, {});
    Planted seed;
    CHECK(places_here(seed.search) > 10000);
    {
        daemon::EnsembleSeeds seeds(ensemble, workers);
        const auto owner = protocol::Identity::from_seed({1}).id();
        std::promise<runtime::SeedVerdict> verdict;
        std::promise<void> wiped;
        std::optional<learning::ProductTurn> turn(std::in_place);
        seeds.check(owner, kFirst, kArchitecture, std::exchange(seed.payload, nullptr),
                    [&](runtime::SeedVerdict told) { verdict.set_value(std::move(told)); });
        // It is with the worker, who waits for a turn, by then.
        std::this_thread::sleep_for(300ms);
        seeds.drop(owner);
        seeds.wipe(owner, [&] { wiped.set_value(); });
        turn.reset();
        CHECK(verdict.get_future().get().problem.has_value());
        wiped.get_future().get();
        // Where functions are bound late, the dynamic linker leaves some registers on stacks.
        CHECK(places_here(seed.search) < 200);
    }
    workers.join();
    learning::let_products_take_turns(false);
}
