#include "protocol/engine.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <fuzzer/FuzzedDataProvider.h>

#include "protocol/engine/comparison/exit_digest.hpp"
#include "protocol/engine/comparison/exit_set.hpp"
#include "tests/fuzz/engine_cast.hpp"

// A sequence of messages, well-formed and not, from three neighbours and a member that is on no list into a
// real engine, which begins empty or with what an earlier life left on its disk; storage, checks, wipes and
// time answer as the input says. Whatever comes, no seed of an owner whose exit is known is in use, and
// nothing is said that a power cut could make untrue.
namespace {

using namespace unlearn::protocol;
using namespace unlearn::fuzz;

constexpr std::size_t kMostSteps = 200;

class FuzzedEngine {
  public:
    FuzzedEngine(const std::uint8_t* data, std::size_t size) : input_(data, size) {
        EngineConfig config;
        config.network = network_;
        config.random_seed = 1;
        if (input_.ConsumeBool()) {
            config.network_key = cast_.network_key.id();
            config.membership = cast_.membership_of(self_);
            config.members.policy = MemberPolicy::exchange;
        }
        for (std::size_t i = 0; i < kNeighbours; ++i)
            config.neighbours.push_back({peers_[i].id(), "tcp://127.0.0.1:1"});
        engine_ = std::make_unique<Engine>(self_, std::move(config), earlier_life());
    }

    void run() {
        step(Start{});
        for (std::size_t i = 0; i < kMostSteps && input_.remaining_bytes() > 0 && !disk_.retired; ++i)
            take_step();
    }

  private:
    // ------------------------------------------------------------ what an earlier life left

    LoadedState earlier_life() {
        LoadedState state;
        if (!input_.ConsumeBool()) return state;
        if (input_.ConsumeBool()) {
            state.own_seed =
                PutOwnSeed{SeedVersion{2}, cast_.record_of(self_, SeedVersion{2}, kBegin), shared_payload()};
            state.own_lease = PutOwnLease{1, kBegin};
        }
        if (input_.ConsumeBool()) state.last_own_version = SeedVersion{2};
        if (input_.ConsumeBool()) state.exiting = PutExiting{cast_.notice_of(self_), input_.ConsumeBool()};
        for (const auto& peer : peers_) {
            const auto bits = input_.ConsumeIntegral<std::uint8_t>();
            if ((bits & 1U) != 0) state.tombstones.push_back({peer.id(), cast_.notice_of(peer)});
            if ((bits & 2U) != 0) state.recipients.push_back({peer.id(), SeedVersion{1}, kBegin});
            if ((bits & 4U) != 0)
                state.receipts.push_back({peer.id(), cast_.receipt_of(peer, self_, ReceiptReason::left)});
            if ((bits & 8U) != 0) {
                state.held_seeds.push_back({peer.id(), SeedVersion{1},
                                            cast_.record_of(peer, SeedVersion{1}, kBegin), shared_payload()});
                state.held_leases.push_back({peer.id(), 1, kBegin + std::chrono::hours{1}});
            }
            // It is stored in one transaction with the erasure.
            if ((bits & 24U) == 16U && state.exiting)
                state.left_receipts.push_back(
                    {peer.id(), cast_.receipt_of(self_, peer, ReceiptReason::left)});
            if ((bits & 32U) != 0) state.peers.push_back({peer.id(), std::nullopt, (bits & 64U) != 0});
        }
        state.restored = input_.ConsumeBool();
        remember(state);
        return state;
    }

    void remember(const LoadedState& state) {
        const auto apply = [this](const auto& ops) {
            for (const auto& op : ops)
                disk_.apply(op);
        };
        apply(state.tombstones);
        apply(state.recipients);
        apply(state.receipts);
        apply(state.held_seeds);
        apply(state.left_receipts);
        if (state.own_seed) disk_.apply(*state.own_seed);
        if (state.exiting) disk_.apply(*state.exiting);
    }

    // ------------------------------------------------------------ inputs

    void take_step() {
        const std::size_t who = input_.ConsumeIntegralInRange<std::size_t>(0, kPeers - 1);
        const SessionId session = input_.ConsumeIntegralInRange<SessionId>(1, 4);
        const NodeId& peer = peers_[who].id();
        switch (input_.ConsumeIntegralInRange(0, 29)) {
            case 0:
                return step(LinkUp{session, peer});
            case 1:
                return step(LinkDown{session});
            case 2:
                return wait(input_.ConsumeIntegralInRange(0, 100'000'000));
            case 3:
                return answer_storage(true);
            case 4:
                return answer_storage(false);
            case 5:
                return answer_check();
            case 6:
                return answer_wipe();
            case 7:
                return say(session, who, hello(who));
            case 8:
                return say(session, who, offer(who, some_version()));
            case 9:
                return say(session, who, Exit{cast_.notice_of(anybody())});
            case 10:
                return say(session, who, chunk());
            case 11:
                return say(session, who,
                           Get{some_version(), input_.ConsumeIntegralInRange<std::uint32_t>(0, 2),
                               input_.ConsumeIntegralInRange<std::uint32_t>(0, 2)});
            case 12:
                return say(session, who, receipt(who));
            case 13:
                return say(session, who, digest());
            case 14:
                return say(session, who, delta());
            case 15:
                return say(session, who, Ping{1});
            case 16:
                return say(session, who, Pong{1});
            case 17:
                return say(session, who,
                           Nack{static_cast<NackReason>(input_.ConsumeIntegralInRange(1, 5)),
                                input_.ConsumeIntegralInRange<std::uint64_t>(0, 3)});
            case 18:
                return say(session, who, Bye{});
            case 19:
                return step(Received{session, peers_[who].id().curve_key(), raw_frames()});
            case 20:
                return command(peer);
            case 21:
                return step(PublishSeed{"linear", shared_payload()});
            case 22:
                return step(SubmitNotice{cast_.notice_of(anybody())});
            case 23:
                return step(Malformed{session, peers_[who].id().curve_key(), "not a message"});
            case 24:
                return step(SeedJudged{peer, some_version(), aside()});
            case 25:
                return meet(session, who);
            case 26:
                return bring(session, who);
            case 27:
                return say(session, who, exit_query());
            case 28:
                return say(session, who, exit_answer());
            default:
                return settle();
        }
    }

    /// What a user asks for.
    void command(const NodeId& peer) {
        switch (input_.ConsumeIntegralInRange(0, 6)) {
            case 5:
                return step(
                    SubmitNetworkStatement{NetworkStatementKind::revocation, cast_.revocation_of(peer)});
            case 6:
                return step(
                    SubmitNetworkStatement{NetworkStatementKind::succession, cast_.succession_to(anybody())});
            case 0:
                return step(BeginExit{});
            case 1:
                return step(GiveUpExit{});
            case 2:
                return step(RemoveNeighbour{peer});
            case 3:
                return step(AddNeighbour{{peer, std::nullopt}, input_.ConsumeBool()});
            default:
                return step(SayBye{});
        }
    }

    // Several steps at once, so that few bytes lead far.

    void meet(SessionId session, std::size_t who) {
        if (who < kNeighbours) step(LinkUp{session, peers_[who].id()});
        for (const auto lane : {Lane::urgent, Lane::normal, Lane::bulk})
            sequences_.erase({session, lane});
        say(session, who, hello(who));
    }
    void bring(SessionId session, std::size_t who) {
        const SeedVersion version = some_version();
        say(session, who, offer(who, version));
        say(session, who, Chunk{version, 0, payload()});
        answer_check();
        settle();
    }
    void settle() {
        for (std::size_t i = 0; i < 20 && !(waiting_.empty() && wipes_.empty()); ++i) {
            answer_wipe();
            answer_storage(true);
        }
    }

    void wait(int milliseconds) {
        now_ += std::chrono::milliseconds(milliseconds);
        step(Tick{});
    }

    void answer_storage(bool good) {
        if (waiting_.empty()) return;
        const auto [ticket, ops] = *waiting_.begin();
        waiting_.erase(waiting_.begin());
        if (!good) return step(StoreFailed{ticket, "disk full"});
        for (const auto& op : ops)
            disk_.apply(op);
        step(Stored{ticket});
    }

    void answer_check() {
        if (checks_.empty()) return;
        const CheckSeed check = checks_.back();
        checks_.pop_back();
        SeedChecked answer{check.owner, check.version, {}, aside()};
        if (input_.ConsumeIntegralInRange(0, 7) == 0) answer.problem = "not a model";
        step(answer);
    }

    void answer_wipe() {
        if (wipes_.empty()) return;
        const NodeId owner = wipes_.back();
        wipes_.pop_back();
        step(SeedWiped{owner});
    }

    std::optional<std::string> aside() {
        if (input_.ConsumeIntegralInRange(0, 3) > 0) return std::nullopt;
        return "worse than guessing";
    }

    // ------------------------------------------------------------ what is said to it

    void say(SessionId session, std::size_t who, Message message) {
        const auto lane = lane_of(kind_of(message));
        auto& sequence = sequences_[{session, lane}];
        sequence += input_.ConsumeIntegralInRange(0, 15) == 0 ? 0 : 1;
        step(Received{session, peers_[who].id().curve_key(), encode({sequence, std::move(message)})});
    }

    Hello hello(std::size_t who) {
        Hello hello{1,
                    static_cast<std::uint8_t>(input_.ConsumeBool() ? 2 : 1),
                    network_,
                    peers_[who].id(),
                    input_.ConsumeBool(),
                    {}};
        if (input_.ConsumeBool()) hello.membership = cast_.membership_of(peers_[who]);
        return hello;
    }

    Have offer(std::size_t who, SeedVersion version) {
        const Identity& owner = peers_[who];
        const auto record = cast_.record_of(owner, version, some_time());
        const auto number = input_.ConsumeIntegralInRange<std::uint64_t>(0, 9);
        return {record, cast_.lease_of(owner, version, number, some_time())};
    }

    Chunk chunk() {
        return {some_version(), input_.ConsumeIntegralInRange<std::uint32_t>(0, 1),
                input_.ConsumeBool() ? payload() : Bytes(5, 1)};
    }

    ReceiptMessage receipt(std::size_t who) {
        return {cast_.receipt_of(peers_[who], input_.ConsumeBool() ? self_ : anybody(),
                                 input_.ConsumeBool() ? ReceiptReason::exit : ReceiptReason::left)};
    }

    DigestMessage digest() {
        const DigestSalt salt{{input_.ConsumeIntegral<std::uint8_t>()}};
        return {salt, exit_digest(salt, some_ids())};
    }

    Delta delta() {
        const DigestSalt salt =
            salt_ && input_.ConsumeBool() ? *salt_ : DigestSalt{{input_.ConsumeIntegral<std::uint8_t>()}};
        return {salt, input_.ConsumeBool() ? DeltaPart::known : DeltaPart::wanted, input_.ConsumeBool(),
                input_.ConsumeBool() ? ~std::uint64_t{0} : input_.ConsumeIntegral<std::uint64_t>(),
                some_ids()};
    }

    ExitQuery exit_query() {
        ExitQuery query{{{input_.ConsumeIntegral<std::uint8_t>()}}, 1, {}, {}, some_ids()};
        // The ids are in rising order, and different ones that begin alike would give overlapping ranges.
        const auto digits = input_.ConsumeIntegralInRange<std::uint8_t>(0, kIdDigits);
        for (const auto& id : some_ids()) {
            const IdRange range = IdRange::around(id, digits);
            if (query.ranges.empty() || query.ranges.back() != range) query.ranges.push_back(range);
        }
        return query;
    }

    /// An answer to its last query, true or not, to one range after the other.
    ExitAnswer exit_answer() {
        ExitAnswer answer;
        ExitSet known;
        for (const auto& id : some_ids())
            known.insert(id);
        if (!query_) return answer;
        answer.number = query_->number + (input_.ConsumeIntegralInRange(0, 7) == 0 ? 1 : 0);
        answer.count = input_.ConsumeBool() ? known.size() : 1'000'000;
        answer.all = fingerprint_of(query_->salt, known.digest());
        for (const auto& range : query_->ranges) {
            if (input_.ConsumeIntegralInRange(0, 15) == 0) continue;
            answer.ranges.push_back(known.answer(query_->salt, range));
            if (input_.ConsumeIntegralInRange(0, 3) == 0)
                answer.ranges.back() = {{}, 0xffff, std::vector<RangeFingerprint>(kRangeParts, {{1}})};
        }
        return answer;
    }

    std::vector<ExitedId> some_ids() {
        std::vector<ExitedId> ids;
        const auto bits = input_.ConsumeIntegral<std::uint8_t>();
        for (std::size_t i = 0; i < kPeers; ++i)
            if ((bits >> i & 1U) != 0) ids.push_back(ExitedId{peers_[i].id().bytes()});
        if ((bits & 64U) != 0) ids.push_back(ExitedId{self_.id().bytes()});
        if ((bits & 128U) != 0) ids.push_back(ExitedId{{bits}});
        std::sort(ids.begin(), ids.end());
        return ids;
    }

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

    SeedVersion some_version() { return SeedVersion{input_.ConsumeIntegralInRange<std::uint64_t>(1, 3)}; }
    /// From the beginning on, up to twelve days.
    WallTime some_time() {
        return kBegin + std::chrono::seconds((std::int64_t{1} << input_.ConsumeIntegralInRange(0, 20)) - 1);
    }
    const Identity& anybody() {
        const auto who = input_.ConsumeIntegralInRange<std::size_t>(0, kPeers + 1);
        return who < kPeers ? peers_[who] : who == kPeers ? self_ : cast_.stranger;
    }

    static SharedSeedBytes shared_payload() { return std::make_shared<const SeedBytes>(payload()); }

    // ------------------------------------------------------------ what it does

    void step(const Input& input) {
        const WallTime wall = kBegin + std::chrono::floor<std::chrono::seconds>(now_);
        for (auto& effect : engine_->step(input, {now_, wall}))
            carry_out(effect);
        check();
    }

    void carry_out(const Effect& effect) {
        if (const auto* persist = std::get_if<Persist>(&effect)) waiting_[persist->ticket] = persist->ops;
        if (const auto* check = std::get_if<CheckSeed>(&effect)) checks_.push_back(*check);
        if (const auto* wipe = std::get_if<WipeSeed>(&effect)) wipes_.push_back(wipe->owner);
        if (const auto* install = std::get_if<InstallSeed>(&effect)) {
            require(engine_->may_use(install->owner, install->version) ||
                    !engine_->seeds_in_use().contains(install->owner));
            in_use_.insert(install->owner);
        }
        if (const auto* drop = std::get_if<DropSeed>(&effect)) in_use_.erase(drop->owner);
        if (const auto* suspend = std::get_if<SuspendSeed>(&effect)) in_use_.erase(suspend->owner);
        if (const auto* send = std::get_if<Send>(&effect)) check_said(send->frames);
        if (const auto* event = std::get_if<Event>(&effect); event && event->kind == EventKind::exit_complete)
            for (const auto& [peer, version] : disk_.recipients)
                require(disk_.receipts.contains(peer));
    }

    void check() const {
        for (const auto& owner : in_use_) {
            require(!engine_->has_tombstone(owner));
            require(!engine_->is_expelled(owner));
            require(disk_.held.contains(owner));
        }
        for (const auto& owner : disk_.tombstones)
            require(engine_->has_tombstone(owner));
        const auto exit = engine_->own_exit();
        if (exit.durable || exit.met) require(in_use_.empty());
        require(!disk_.exiting || exit.begun);
        for (const auto& [owner, version] : engine_->seeds_in_use())
            require(in_use_.contains(owner));
        const auto sizes = engine_->sizes();
        require(sizes.downloads <= kPeers && sizes.candidates <= kPeers);
        require(sizes.waiting_gets <= kMaxWaitingGets);
        require(sizes.equivocations <= kPeers * kMaxEquivocationsKept);
    }

    /// What leaves it is well formed, and backed by what is durable.
    void check_said(const Frames& frames) {
        const auto envelope = decode(frames);
        require(envelope.has_value());
        const Message& message = envelope->message;
        if (const auto* digest = std::get_if<DigestMessage>(&message)) salt_ = digest->salt;
        if (const auto* query = std::get_if<ExitQuery>(&message)) query_ = *query;
        if (const auto* exit = std::get_if<Exit>(&message)) {
            const auto notice = verify_notice(network_, exit->notice);
            require(notice.has_value());
            require(notice->owner == self_.id() ? disk_.exiting : disk_.tombstones.contains(notice->owner));
        }
        if (const auto* signed_receipt = std::get_if<ReceiptMessage>(&message)) {
            const auto receipt = verify_receipt(self_.id(), network_, signed_receipt->receipt);
            require(receipt.has_value());
            require(!disk_.held.contains(receipt->owner) && !in_use_.contains(receipt->owner));
            require(receipt->reason == ReceiptReason::exit
                        ? disk_.tombstones.contains(receipt->owner)
                        : disk_.exiting && disk_.left_receipts.contains(receipt->owner));
        }
        if (const auto* chunk = std::get_if<Chunk>(&message))
            require(std::any_of(disk_.recipients.begin(), disk_.recipients.end(),
                                [&](const auto& recipient) { return recipient.second >= chunk->version; }));
        if (std::holds_alternative<Have>(message))
            require(disk_.own_version != SeedVersion{0} && !disk_.exiting);
    }

    FuzzedDataProvider input_;
    Cast& cast_ = cast();
    const NetworkId& network_ = cast_.network;
    const Identity& self_ = cast_.self;
    const std::vector<Identity>& peers_ = cast_.peers;
    Disk disk_;
    std::unique_ptr<Engine> engine_;
    SteadyTime now_{std::chrono::seconds(1)};
    std::map<Ticket, std::vector<StoreOp>> waiting_;
    std::vector<CheckSeed> checks_;
    std::vector<NodeId> wipes_;
    std::set<NodeId> in_use_;
    std::optional<DigestSalt> salt_;  ///< of the last comparison that it began
    std::optional<ExitQuery> query_;  ///< the last one that it sent
    std::map<std::pair<SessionId, Lane>, std::uint64_t> sequences_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    FuzzedEngine(data, size).run();
    return 0;
}
