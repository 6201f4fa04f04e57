#include "protocol/engine.hpp"

#include <map>
#include <set>
#include <vector>

#include <fuzzer/FuzzedDataProvider.h>

#include "tests/fuzz/fuzz.hpp"

// A sequence of messages, well-formed and not, from three neighbours into a real engine; storage, checks and
// time answer as the input says. Whatever comes: no seed of an owner whose exit is stored is in use.
namespace {

using namespace unlearn::protocol;
using unlearn::fuzz::require;

constexpr std::size_t kPeers = 3;
constexpr std::size_t kMostSteps = 200;

Identity identity_of(std::uint8_t number) {
    return Identity::from_seed(digest_of(Bytes{number}).value);
}

class FuzzedEngine {
  public:
    FuzzedEngine(const std::uint8_t* data, std::size_t size) : input_(data, size) {
        for (std::uint8_t i = 0; i < kPeers; ++i)
            peers_.push_back(identity_of(static_cast<std::uint8_t>(i + 10)));
        EngineConfig config;
        config.network = network_;
        config.random_seed = 1;
        for (const auto& peer : peers_)
            config.neighbours.push_back({peer.id(), "tcp://127.0.0.1:1"});
        engine_ = std::make_unique<Engine>(self_, std::move(config), LoadedState{});
    }

    void run() {
        step(Start{});
        for (std::size_t i = 0; i < kMostSteps && input_.remaining_bytes() > 0; ++i)
            take_step();
    }

  private:
    void take_step() {
        const std::size_t who = input_.ConsumeIntegralInRange<std::size_t>(0, kPeers - 1);
        const SessionId session = input_.ConsumeIntegralInRange<SessionId>(1, 4);
        switch (input_.ConsumeIntegralInRange(0, 11)) {
            case 0:
                return step(LinkUp{session, peers_[who].id()});
            case 1:
                return step(LinkDown{session});
            case 2:
                now_ += std::chrono::milliseconds(input_.ConsumeIntegralInRange(0, 100'000'000));
                return step(Tick{});
            case 3:
                return answer_storage(true);
            case 4:
                return answer_storage(false);
            case 5:
                return answer_check();
            case 6:
                return say(session, who, Hello{1, 1, network_, peers_[who].id(), input_.ConsumeBool(), {}});
            case 7:
                return say(session, who, announcement(who));
            case 8:
                return say(session, who, exit_of(input_.ConsumeIntegralInRange<std::size_t>(0, kPeers)));
            case 9:
                return say(session, who, chunk());
            case 10:
                return step(input_.ConsumeBool() ? Input{BeginExit{}}
                                                 : Input{RemoveNeighbour{peers_[who].id()}});
            default:
                return step(Received{session, peers_[who].id().curve_key(), raw_frames()});
        }
    }

    void say(SessionId session, std::size_t who, Message message) {
        const auto lane = lane_of(kind_of(message));
        auto& sequence = sequences_[{session, lane}];
        sequence += input_.ConsumeIntegralInRange<std::uint64_t>(0, 2);
        step(Received{session, peers_[who].id().curve_key(), encode({sequence, std::move(message)})});
    }

    Have announcement(std::size_t who) {
        const Identity& owner = peers_[who];
        const SeedVersion version{input_.ConsumeIntegralInRange<std::uint64_t>(1, 3)};
        const auto record = describe_seed(owner.id(), version, "linear", payload(), WallTime{});
        require(record.has_value());
        const WallTime end{std::chrono::seconds(input_.ConsumeIntegralInRange<std::int64_t>(0, 1 << 20))};
        const Lease lease{owner.id(), version, input_.ConsumeIntegralInRange<std::uint64_t>(0, 9), end};
        return {sign_record(owner, network_, *record), sign_lease(owner, network_, lease)};
    }

    Exit exit_of(std::size_t who) {
        const Identity& owner = who < kPeers ? peers_[who] : self_;
        return {sign_notice(owner, network_, {owner.id(), WallTime{}, {}})};
    }

    Chunk chunk() {
        return {SeedVersion{input_.ConsumeIntegralInRange<std::uint64_t>(1, 3)},
                input_.ConsumeIntegralInRange<std::uint32_t>(0, 1),
                input_.ConsumeBool() ? payload() : Bytes(5, 1)};
    }

    static Bytes payload() { return Bytes(100, 7); }

    Frames raw_frames() {
        Frames frames;
        const auto count = input_.ConsumeIntegralInRange<std::size_t>(0, 4);
        for (std::size_t i = 0; i < count; ++i) {
            const auto bytes =
                input_.ConsumeBytes<std::uint8_t>(input_.ConsumeIntegralInRange<std::size_t>(0, 200));
            frames.emplace_back(bytes.begin(), bytes.end());
        }
        return frames;
    }

    void answer_storage(bool good) {
        if (waiting_.empty()) return;
        const Ticket ticket = *waiting_.begin();
        waiting_.erase(waiting_.begin());
        step(good ? Input{Stored{ticket}} : Input{StoreFailed{ticket, "disk full"}});
    }

    void answer_check() {
        if (checks_.empty()) return;
        const CheckSeed check = checks_.back();
        checks_.pop_back();
        SeedChecked answer{check.owner, check.version, {}, {}};
        if (input_.ConsumeBool()) answer.aside = "worse than guessing";
        step(answer);
    }

    void step(const Input& input) {
        for (auto& effect :
             engine_->step(input, {now_, WallTime{std::chrono::seconds(1000)} +
                                             std::chrono::floor<std::chrono::seconds>(now_)})) {
            if (const auto* persist = std::get_if<Persist>(&effect)) waiting_.insert(persist->ticket);
            if (const auto* check = std::get_if<CheckSeed>(&effect)) checks_.push_back(*check);
            if (const auto* wipe = std::get_if<WipeSeed>(&effect)) wipes_.push_back(wipe->owner);
            if (const auto* install = std::get_if<InstallSeed>(&effect)) in_use_.insert(install->owner);
            if (const auto* drop = std::get_if<DropSeed>(&effect)) in_use_.erase(drop->owner);
            if (const auto* suspend = std::get_if<SuspendSeed>(&effect)) in_use_.erase(suspend->owner);
        }
        for (const auto& owner : in_use_)
            require(!engine_->has_tombstone(owner));
        if (engine_->own_exit().begun) require(in_use_.empty());
        for (const auto& [owner, version] : engine_->seeds_in_use())
            require(in_use_.contains(owner));
        for (const auto& owner : std::exchange(wipes_, {}))
            step(SeedWiped{owner});
    }

    FuzzedDataProvider input_;
    NetworkId network_ = network_id_of({"fuzz", {1, 2, 2}, {"a", "b"}, "none", {}});
    Identity self_ = identity_of(1);
    std::vector<Identity> peers_;
    std::unique_ptr<Engine> engine_;
    SteadyTime now_{std::chrono::seconds(1)};
    std::set<Ticket> waiting_;
    std::vector<CheckSeed> checks_;
    std::vector<NodeId> wipes_;
    std::set<NodeId> in_use_;
    std::map<std::pair<SessionId, Lane>, std::uint64_t> sequences_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    FuzzedEngine(data, size).run();
    return 0;
}
