#include "sim/faults/in_parallel.hpp"

#include <chrono>
#include <cstdlib>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

using namespace unlearn::sim::faults;

namespace {

std::vector<std::uint64_t> shown(unsigned jobs, const std::function<nlohmann::json(std::uint64_t)>& run_one,
                                 std::vector<std::uint64_t>* died = nullptr) {
    std::vector<std::uint64_t> seeds;
    const auto dead = in_parallel(10, 6, jobs, run_one, [&](const nlohmann::json& result) {
        seeds.push_back(result.at("seed").get<std::uint64_t>());
    });
    if (died != nullptr) *died = dead;
    return seeds;
}

}  // namespace

TEST_CASE("results come in the order of the seeds, whichever is ready first") {
    const auto even_seeds_take_long = [](std::uint64_t seed) {
        if (seed % 2 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(50));
        return nlohmann::json{{"seed", seed}};
    };
    const std::vector<std::uint64_t> all{10, 11, 12, 13, 14, 15};
    for (const unsigned jobs : {1U, 2U, 3U, 6U, 40U}) {
        CAPTURE(jobs);
        CHECK(shown(jobs, even_seeds_take_long) == all);
    }
}

TEST_CASE("a seed whose process dies is told, and holds up none of the others") {
    const auto some_die = [](std::uint64_t seed) {
        if (seed == 10 || seed == 13 || seed == 15) ::_Exit(7);
        return nlohmann::json{{"seed", seed}};
    };
    for (const unsigned jobs : {1U, 2U, 3U}) {
        CAPTURE(jobs);
        std::vector<std::uint64_t> died;
        CHECK(shown(jobs, some_die, &died) == std::vector<std::uint64_t>{11, 12, 14});
        CHECK(died == std::vector<std::uint64_t>{10, 13, 15});
    }
}
