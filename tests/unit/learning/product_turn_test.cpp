#include "node/learning/product_turn.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <string>
#include <thread>

#include <doctest/doctest.h>
#include <torch/torch.h>

#include "node/learning/wipe.hpp"
#include "tests/unit/learning/synthetic.hpp"

using namespace unlearn::learning;
using namespace synthetic;
using namespace std::chrono_literals;

namespace {

struct TakingTurns {
    TakingTurns() { let_products_take_turns(true); }
    TakingTurns(const TakingTurns&) = delete;
    TakingTurns& operator=(const TakingTurns&) = delete;
    ~TakingTurns() { let_products_take_turns(false); }
};

/// Whether the work ends within the limit while this thread has its turn.
bool ends_beside_another(const std::function<void()>& work, std::chrono::milliseconds limit) {
    std::future<void> done;
    const ProductTurn turn;
    done = std::async(std::launch::async, work);
    return done.wait_for(limit) == std::future_status::ready;
}

}  // namespace

TEST_CASE("whatever multiplies waits for its turn, where products take turns") {
    const Node node = make_node(1);
    const Node peer = make_node(2);
    const auto inputs = Dataset::from_table(points(3, 8)).inputs();
    const auto data = Dataset::from_table(points(3, 8));
    const auto ensemble = Ensemble::build(node.own, {member(2, peer, *node.own)}, {});
    const std::map<std::string, std::function<void()>> works{
        {"prediction", [&] { CHECK(ensemble->predict(inputs, Prior::own)); }},
        {"prediction with the main model", [&] { CHECK(ensemble->predict_main(inputs)); }},
        {"training", [&] { CHECK(train(architecture("mlp:4"), data, quick_training(), make_generator(1))); }},
        {"distillation",
         [&] {
             CHECK(distil(node.own->main(), reference(), architecture("mlp:4"), quick_distilling(),
                          make_generator(1)));
         }},
        {"a seed that comes in", [&] { CHECK(member(3, peer, *node.own)); }},
        {"overwriting", overwrite_blas_buffers}};
    for (const auto& [name, work] : works) {
        INFO(name);
        CHECK(ends_beside_another(work, 60s));
        const TakingTurns on;
        CHECK_FALSE(ends_beside_another(work, 100ms));
        work();
    }
}

TEST_CASE("who asks for a turn gets it before those who ask later") {
    const TakingTurns on;
    std::atomic<bool> enough{false};
    std::atomic<std::size_t> turns{0};
    std::thread greedy([&] {
        while (!enough) {
            const ProductTurn turn;
            ++turns;
            std::this_thread::sleep_for(1ms);
        }
    });
    while (turns == 0)
        std::this_thread::yield();
    constexpr std::size_t kRounds = 30;
    std::size_t before_me = 0;
    for (std::size_t i = 0; i < kRounds; ++i) {
        const std::size_t at_first = turns;
        const ProductTurn turn;
        before_me += turns - at_first;
    }
    enough = true;
    greedy.join();
    // Some come in between counting and asking.
    CHECK(before_me <= 3 * kRounds);
}
