#pragma once

#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "protocol/engine/comparison/exit_comparison.hpp"
#include "protocol/engine/expulsions.hpp"
#include "protocol/engine/network_gossip.hpp"
#include "tests/support/engine_network.hpp"

namespace unlearn::testing {

/// The parts of one engine without the engine, so that each can be tested against its own contract. The test
/// decides what the gate is told of other parts, and which writes succeed.
struct Parts {
    Identity self = stranger(1);
    Identity peer = stranger(2);
    Identity other = stranger(3);
    EngineContext context{self, {}, {}, {}, {}};
    AdmissionFacts facts;  ///< what the gate hears of every owner
    Writes::Wanted is_wanted = [](const AfterWrite&) { return true; };
    Writes writes{context, [this](const AfterWrite& then) { return is_wanted(then); }};
    Peers peers{context};
    Sessions sessions{context, peers};
    NetworkKey network_key{context, writes};
    OwnSeed::MayHave may_have = [](const NodeId&) { return true; };
    OwnSeed own_seed{context, writes, sessions, [this](const NodeId& who) { return may_have(who); }};
    OwnState own_state{context, writes, sessions};
    Erasures erasures{context};
    HeldSeeds held{context, writes, sessions, erasures, [this](const NodeId&) { return facts; }};
    PeerExits exits{context, writes, peers, sessions, erasures, held, own_state};
    Expulsions expulsions{context, writes, network_key, erasures, held, exits};
    NetworkGossip gossip{context, sessions, network_key, expulsions};
    OwnExit own_exit{context, writes, peers, sessions, erasures, own_seed, held, exits, own_state};
    ExitComparison comparison{context, peers, sessions, erasures, own_seed, held, exits, own_exit, own_state};

    Parts() {
        context.now.steady = std::chrono::hours(1);
        context.now.wall = WallTime{std::chrono::seconds(1'000'000)};
    }

    [[nodiscard]] const NetworkId& network() const { return context.config.network; }

    /// A neighbour with an established session.
    Session& connect(const Identity& neighbour, SessionId id) {
        peers.add(neighbour.id(), "tcp://10.0.0.1:1", PeerSource::config);
        Hello hello;
        hello.sender = neighbour.id();
        Session* session = sessions.meet(id, neighbour.id().curve_key(), 1, hello);
        REQUIRE(session != nullptr);
        session->state_heard = true;
        sessions.establish(id, *session);
        return *session;
    }
    void pass(std::chrono::milliseconds time) {
        context.now.steady += time;
        context.now.wall += std::chrono::duration_cast<std::chrono::seconds>(time);
    }
    /// The effects of one kind since the last call of any of these; all others are forgotten.
    template <typename T>
    [[nodiscard]] std::vector<T> take() {
        std::vector<T> out;
        for (auto& effect : std::exchange(context.effects, {}))
            if (auto* wanted = std::get_if<T>(&effect)) out.push_back(std::move(*wanted));
        return out;
    }
    [[nodiscard]] std::vector<EventKind> take_events() {
        std::vector<EventKind> kinds;
        for (const auto& event : take<Event>())
            kinds.push_back(event.kind);
        return kinds;
    }
    /// The messages of one kind that were sent.
    template <typename T>
    [[nodiscard]] std::vector<T> take_sent() {
        std::vector<T> out;
        for (auto& send : take<Send>()) {
            auto envelope = decode(std::move(send.frames));
            REQUIRE(envelope);
            if (auto* wanted = std::get_if<T>(&envelope->message)) out.push_back(std::move(*wanted));
        }
        return out;
    }
    /// The one write that was asked for becomes durable. @return what follows
    template <typename T>
    [[nodiscard]] T store() {
        const auto asked = take<Persist>();
        REQUIRE(asked.size() == 1);
        const auto then = writes.take(Stored{asked.front().ticket});
        REQUIRE(then);
        REQUIRE(std::holds_alternative<T>(*then));
        return std::get<T>(*then);
    }
    [[nodiscard]] static SharedSeedBytes bytes(std::size_t count, std::uint8_t fill = 7) {
        return std::make_shared<const SeedBytes>(SeedBytes::copy_of(Bytes(count, fill)));
    }
    [[nodiscard]] SignedBytes notice_of(const Identity& owner) const {
        return sign_notice(owner, network(), ExitNotice{owner.id(), context.now.wall, std::nullopt});
    }
    void learn_exit_of(const Identity& owner) {
        const auto notice = notice_of(owner);
        exits.learn(*verify_notice(network(), notice), notice, std::nullopt);
    }
    [[nodiscard]] Have have_of(const Identity& owner, std::uint64_t version, std::uint64_t lease_number,
                               std::uint8_t fill = 7) const {
        const Bytes payload(1000, fill);
        const auto record =
            describe_seed(owner.id(), SeedVersion{version}, "linear", ByteView(payload), WallTime{});
        REQUIRE(record);
        const Lease lease{owner.id(), SeedVersion{version}, lease_number,
                          context.now.wall + context.config.lease_time};
        return {sign_record(owner, network(), *record), sign_lease(owner, network(), lease)};
    }
    /// A new version is announced, and asked for once that is on record.
    void announce(SessionId id, Session& session, const Have& have) {
        context.effects.clear();
        REQUIRE(held.take_have(id, session, have));
        held.on(store<after_write::AskedStored>());
    }
    /// A seed of `owner` in place and in use.
    void hold_seed_of(const Identity& owner, SessionId id, std::uint64_t version = 1) {
        Session& session = connect(owner, id);
        announce(id, session, have_of(owner, version, version));
        REQUIRE(held.take_chunk(id, session, Chunk{SeedVersion{version}, 0, Bytes(1000, 7)}));
        held.on(SeedChecked{owner.id(), SeedVersion{version}, std::nullopt, std::nullopt});
        held.on(store<after_write::SeedStored>());
        REQUIRE(held.may_use(owner.id(), SeedVersion{version}));
        context.effects.clear();
    }
};

}  // namespace unlearn::testing
