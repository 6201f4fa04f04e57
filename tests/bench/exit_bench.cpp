#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>

#include <sys/resource.h>

#include "protocol/engine.hpp"
#include "protocol/engine/comparison/exit_walk.hpp"

// What it costs to compare many exits: two sets of n ids, of which d differ in each direction. Every query
// and answer is encoded and decoded, as between two nodes.

using namespace unlearn::protocol;

namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point begin) {
    return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

ExitedId random_id(std::mt19937_64& random) {
    ExitedId id;
    for (auto& byte : id.value)
        byte = static_cast<std::uint8_t>(random());
    return id;
}

struct Cost {
    std::size_t rounds = 0;
    std::size_t bytes = 0;
    double asking = 0;
    double answering = 0;
    std::size_t found = 0;
    std::size_t most_open = 0;
};

template <typename M>
M over_the_wire(const M& message, std::size_t& bytes) {
    const Frames frames = encode({1, message});
    for (const auto& frame : frames)
        bytes += frame.size();
    return std::get<M>(decode(frames).value().message);
}

/// `here` looks for everything that only `there` knows. The notices themselves are not counted.
Cost compare(const ExitSet& here, const ExitSet& there, const DigestSalt& salt) {
    Cost cost;
    ExitQuery query{salt, 0, fingerprint_of(salt, here.digest()), {}, {}};
    std::optional<ExitWalk> walk;
    while (true) {
        ++cost.rounds;
        const auto asked = over_the_wire(query, cost.bytes);
        auto begin = Clock::now();
        ExitAnswer answer{asked.number, there.size(), fingerprint_of(salt, there.digest()), {}};
        for (const auto& range : asked.ranges)
            answer.ranges.push_back(there.answer(salt, range));
        cost.answering += milliseconds_since(begin);
        const auto heard = over_the_wire(answer, cost.bytes);
        begin = Clock::now();
        cost.found += query.wanted.size();
        if (!walk && heard.all == query.all) break;
        if (!walk) {
            walk.emplace(std::vector<ExitedId>{}, heard.count, SIZE_MAX, ExitedId{});
        } else if (!walk->take(heard, salt, here, [&](const ExitedId& id) { return here.contains(id); })) {
            std::puts("a wrong answer");
            break;
        }
        ++query.number;
        const bool more = walk->ask(query);
        cost.most_open = std::max(cost.most_open, walk->open_ranges());
        cost.asking += milliseconds_since(begin);
        if (!more) break;
    }
    return cost;
}

/// What an engine needs to start with n exits on its disk, and to compare them for the first time.
void start_with(std::size_t n) {
    LoadedState state;
    std::mt19937_64 random(2);
    while (state.tombstones.size() < n) {
        ExitedId id = random_id(random);
        id.value[31] &= 0x7f;
        PutTombstone tombstone{NodeId::from_checked_bytes(id.view()).value(), {}, {}};
        tombstone.notice.bytes.resize(45);
        state.tombstones.push_back(std::move(tombstone));
    }
    std::sort(state.tombstones.begin(), state.tombstones.end(),
              [](const PutTombstone& a, const PutTombstone& b) { return a.owner < b.owner; });
    const Identity self = Identity::from_seed({1});
    const auto begin = Clock::now();
    Engine engine(self, {}, std::move(state));
    static_cast<void>(engine.step(Start{}, {}));
    const double started = milliseconds_since(begin);
    static_cast<void>(engine.known_exits().digest());
    std::printf("engine with %zu exits: %.0f ms to start, %.0f ms with the hashes\n", n, started,
                milliseconds_since(begin));
}

}  // namespace

int main(int argc, char** argv) {
    const std::size_t n = argc > 1 ? std::stoul(argv[1]) : 1'000'000;
    std::mt19937_64 random(1);
    std::vector<ExitedId> common;
    for (std::size_t i = 0; i < n; ++i)
        common.push_back(random_id(random));
    auto begin = Clock::now();
    ExitSet here;
    for (const auto& id : common)
        here.insert(id);
    const double inserted = milliseconds_since(begin);
    begin = Clock::now();
    static_cast<void>(here.digest());
    std::printf("%zu exits: %.0f ms to insert, %.0f ms to hash\n", n, inserted, milliseconds_since(begin));
    for (const std::size_t d : {0U, 1U, 100U, 10'000U}) {
        ExitSet there;
        for (std::size_t i = d; i < n; ++i)
            there.insert(common[i]);
        for (std::size_t i = 0; i < d; ++i)
            there.insert(random_id(random));
        static_cast<void>(there.digest());
        const Cost cost = compare(here, there, DigestSalt{{1}});
        std::printf(
            "d = %5zu: %8zu bytes, %5zu rounds, %7.2f ms asking, %7.2f ms answering, %zu found, %zu ranges "
            "open\n",
            d, cost.bytes, cost.rounds, cost.asking, cost.answering, cost.found, cost.most_open);
    }
    begin = Clock::now();
    here.insert(random_id(random));
    static_cast<void>(here.digest());
    std::printf("one more: %.3f ms\n", milliseconds_since(begin));
    start_with(n);
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    std::printf("at most %ld MB\n", usage.ru_maxrss / 1024);
}
