#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "protocol/records.hpp"
#include "tests/functional/attack_scene.hpp"
#include "tests/support/process_memory.hpp"

/// Attacks on a real unlearnd, while it goes on serving a real neighbour.

namespace {

using namespace unlearn;
using namespace unlearn::testing;
using namespace std::chrono_literals;
using protocol::Bytes;
using protocol::Identity;
using Clock = std::chrono::steady_clock;

void pause() {
    std::this_thread::sleep_for(100ms);
}

TEST_CASE("the measuring notices memory") {
    const auto before = private_memory(::getpid());
    const MemoryWatch watch(::getpid());
    const std::vector<char> memory(64 << 20, 'x');
    CHECK(eventually([&] { return watch.most() > before + (60 << 20); }, 5s));
    CHECK(memory.back() == 'x');
}

// Without a MemoryWatch beside it, which opens a file of its own each time.
TEST_CASE("the measuring notices descriptors") {
    const auto before = open_descriptors(::getpid());
    {
        const PlainSocket socket(free_port());
        CHECK(open_descriptors(::getpid()) == before + 1);
    }
    CHECK(open_descriptors(::getpid()) == before);
}

TEST_CASE("a wrong server key, an unknown key, and a key that was struck off: nobody gets a word through") {
    AttackScene scene;
    const auto struck_off = scene.ally();
    const auto stranger = Identity::generate();
    const auto other = Identity::generate();
    {
        // The hand-made client is a good one when it wants to be.
        const auto good = scene.session_of(struck_off);
    }
    static_cast<void>(scene.victim().ask("peers remove " + struck_off.id().text()));
    scene.settle();
    const auto ignored = scene.metric("messages_ignored_total");
    const auto dropped = scene.metric("peers_dropped_total");
    const auto refused = scene.metric("handshakes_failed_total{reason=\"not_allowed\"}");
    const auto broken = scene.metric("handshakes_failed_total{reason=\"protocol\"}");
    scene.survive("wrong keys", [&](const std::stop_token& over) {
        std::vector<std::unique_ptr<ZmqClient>> clients;
        for (int i = 0; i < 5; ++i) {
            clients.push_back(std::make_unique<ZmqClient>(scene.port(), other.id().curve_key(), struck_off));
            for (const auto* who : {&stranger, &struck_off}) {
                clients.push_back(
                    std::make_unique<ZmqClient>(scene.port(), scene.server().curve_key(), *who));
                clients.back()->say(scene.hello_of(*who));
            }
        }
        while (!over.stop_requested()) {
            for (const auto* who : {&stranger, &struck_off})
                CHECK_FALSE(CurveClient(scene.port(), scene.server(), *who).connected());
            CHECK_FALSE(CurveClient(scene.port(), other.id(), struck_off).connected());
            for (const auto& client : clients)
                CHECK_FALSE(client->hears_within(0ms));
        }
    });
    CHECK(scene.metric("messages_ignored_total") == ignored);
    CHECK(scene.metric("peers_dropped_total") == dropped);
    CHECK(scene.metric("handshakes_failed_total{reason=\"not_allowed\"}") > refused + 10);
    CHECK(scene.metric("handshakes_failed_total{reason=\"protocol\"}") > broken);
}

TEST_CASE("a right key with somebody else's signatures changes nothing and is dropped") {
    AttackScene scene;
    scene.settle();
    const auto forger = Identity::generate();
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    const auto neighbour = protocol::NodeId::from_text(scene.neighbour().id()).value();
    const Bytes payload(100);
    const auto& network = scene.network();
    const auto record = [&](const Identity& signer, const protocol::NodeId& owner, std::uint64_t version) {
        return protocol::sign_record(
            signer, network,
            protocol::describe_seed(owner, protocol::SeedVersion{version}, "mlp:8", payload, now).value());
    };
    const auto lease = [&](const Identity& signer, const protocol::NodeId& owner, std::uint64_t version) {
        return protocol::sign_lease(signer, network,
                                    {owner, protocol::SeedVersion{version}, 1, now + std::chrono::hours(1)});
    };
    using Forgery = std::function<protocol::Message(const Identity& ally)>;
    const std::vector<std::pair<const char*, Forgery>> forgeries{
        {"record",
         [&](const Identity& ally) {
             return protocol::Have{record(forger, ally.id(), 1), lease(ally, ally.id(), 1)};
         }},
        {"lease",
         [&](const Identity& ally) {
             return protocol::Have{record(ally, ally.id(), 1), lease(forger, ally.id(), 1)};
         }},
        {"seed of the neighbour",
         [&](const Identity& ally) {
             return protocol::Have{record(ally, neighbour, 99), lease(ally, neighbour, 99)};
         }},
        {"exit of the neighbour",
         [&](const Identity& ally) {
             return protocol::Exit{protocol::sign_notice(ally, network, {neighbour, now, std::nullopt})};
         }},
        {"exit of the victim",
         [&](const Identity& ally) {
             return protocol::Exit{protocol::sign_notice(ally, network, {scene.server(), now, std::nullopt})};
         }},
        {"receipt of the neighbour",
         [&](const Identity& ally) {
             return protocol::ReceiptMessage{protocol::sign_receipt(
                 ally, network,
                 {scene.server(), neighbour, protocol::ReceiptReason::exit, protocol::SeedVersion{1}, now})};
         }},
        {"hello of the neighbour",
         [&](const Identity& ally) {
             auto hello = scene.hello_of(ally);
             hello.sender = neighbour;
             return hello;
         }},
    };
    // Rightly signed, the same is taken: the victim asks for the seed.
    {
        const auto honest = scene.ally();
        const auto session = scene.session_of(honest);
        REQUIRE(session->say(protocol::Have{record(honest, honest.id(), 1), lease(honest, honest.id(), 1)}));
        bool asked = false;
        while (const auto heard = session->hear())
            if ((asked = std::holds_alternative<protocol::Get>(*heard))) break;
        CHECK(asked);
        static_cast<void>(scene.victim().ask("peers remove " + honest.id().text()));
    }
    const auto before = scene.victim().ask("status");
    std::vector<Identity> allies;
    for (std::size_t i = 0; i < forgeries.size(); ++i)
        allies.push_back(scene.ally());
    const auto dropped = scene.metric("peers_dropped_total");
    std::size_t rounds = 0;
    std::size_t closed = 0;
    scene.survive("forged signatures", [&](const std::stop_token& over) {
        for (; !over.stop_requested() || rounds == 0; ++rounds)
            for (std::size_t i = 0; i < forgeries.size(); ++i) {
                CurveClient client(scene.port(), scene.server(), allies[i]);
                static_cast<void>(client.say(scene.hello_of(allies[i])));
                static_cast<void>(client.hear());
                static_cast<void>(client.say(forgeries[i].second(allies[i])));
                if (rounds == 0) closed += client.socket().closes_within(2s) ? 1 : 0;
            }
    });
    CHECK(closed == forgeries.size());
    CHECK(scene.metric("peers_dropped_total") >= dropped + static_cast<double>(forgeries.size()));
    CHECK(scene.metric("exits_known") == 1);  // the neighbour's own
    CHECK(scene.metric("equivocations_total") == 0);
    CHECK(scene.victim().ask("status")["state"] == before["state"]);
    CHECK(scene.victim().ask("log --verify")["ok"] == true);
}

TEST_CASE("a routing id that somebody has is not taken away by who claims it, too") {
    AttackScene scene;
    scene.settle();
    const auto owner = scene.ally();
    const auto thief = scene.ally();
    const std::string wanted = "the owner's";
    CurveClient first(scene.port(), scene.server(), owner, wanted);
    REQUIRE(first.say(scene.hello_of(owner)));
    REQUIRE(first.hear().has_value());
    bool thief_heard = false;
    std::uint64_t token = 0;
    const auto answered = [&] {
        static_cast<void>(first.say(protocol::Ping{++token}));
        while (const auto heard = first.hear())
            if (const auto* pong = std::get_if<protocol::Pong>(&*heard)) return pong->token == token;
        return false;
    };
    std::size_t unanswered = 0;
    scene.survive("a stolen routing id", [&](const std::stop_token& over) {
        do {
            CurveClient second(scene.port(), scene.server(), thief, wanted);
            // What comes next on a connection without a name may be taken for one.
            static_cast<void>(second.send_frame(protocol::Bytes(wanted.begin(), wanted.end()), false));
            static_cast<void>(second.say(scene.hello_of(thief)));
            thief_heard = thief_heard || second.hear().has_value();
            unanswered += answered() ? 0 : 1;
        } while (!over.stop_requested());
    });
    CHECK_FALSE(thief_heard);
    CHECK(unanswered == 0);
    // A name of its own gets it in, also one like those that ROUTER makes.
    for (const std::string& own : {std::string("the thief's"), std::string("\0abcd", 5)}) {
        CurveClient honest(scene.port(), scene.server(), thief, own);
        CHECK(honest.say(scene.hello_of(thief)));
        CHECK(honest.hear().has_value());
    }
}

TEST_CASE("50,000 frames in one message") {
    AttackScene scene;
    scene.settle();
    // Many, as one that was dropped is ignored for a while.
    std::vector<Identity> allies;
    for (int i = 0; i < 20; ++i)
        allies.push_back(scene.ally());
    const auto dropped = scene.metric("peers_dropped_total");
    std::size_t sent = 0;
    scene.survive("50,000 frames", [&](const std::stop_token& over) {
        for (; !over.stop_requested(); ++sent) {
            const auto& ally = allies[sent % allies.size()];
            ZmqClient client(scene.port(), scene.server().curve_key(), ally);
            client.say(scene.hello_of(ally));
            const Bytes frame(sent % 2 == 0 ? 1 : 1000);
            for (int i = 1; i < 50000; ++i)
                client.send(frame, true);
            client.send(frame, false);
            std::this_thread::sleep_for(300ms);
        }
    });
    CHECK(sent > 2);
    CHECK(scene.metric("peers_dropped_total") >= dropped + 2);
}

TEST_CASE("messages that never end, on one connection and on many") {
    AttackScene scene;
    scene.settle();
    const auto ally = scene.ally();
    const auto silent_ally = scene.ally();
    const auto dropped = scene.metric("peers_dropped_total");
    std::string name;
    Attack attack;
    SUBCASE("as fast as it goes") {
        name = "endless message";
        attack = [&](const std::stop_token& over) {
            for (std::size_t size = 0; !over.stop_requested(); size = size == 0 ? 60000 : 0) {
                CurveClient client(scene.port(), scene.server(), ally);
                static_cast<void>(client.say(scene.hello_of(ally)));
                while (!over.stop_requested() &&
                       client.send_frames_without_end(size == 0 ? 2000 : 20, size)) {
                }
            }
        };
    }
    SUBCASE("each just short of what one connection may hold") {
        name = "many unfinished messages";
        attack = [&](const std::stop_token& over) {
            std::vector<std::unique_ptr<CurveClient>> clients;
            // One key that speaks once on each connection, and one that never does.
            while (!over.stop_requested() && clients.size() < 120) {
                const bool speaks = clients.size() % 2 == 0;
                clients.push_back(
                    std::make_unique<CurveClient>(scene.port(), scene.server(), speaks ? ally : silent_ally));
                // Anything but a Hello: a second Hello would end the first session.
                if (speaks) static_cast<void>(clients.back()->say(protocol::Ping{1}));
                for (int n = 0; n < 39 && clients.back()->send_frames_without_end(10, 10000); ++n) {
                }
            }
            while (!over.stop_requested())
                pause();
        };
    }
    scene.survive(name, attack);
    CHECK(scene.metric("peers_dropped_total") > dropped);
}

TEST_CASE("one frame of a gibibyte, before the handshake, in it, and after it; and what is no ZMTP at all") {
    AttackScene scene;
    scene.settle();
    const auto ally = scene.ally();
    const auto broken = scene.metric("handshakes_failed_total{reason=\"protocol\"}");
    constexpr std::uint64_t kGibi = 1 << 30;
    const Bytes filling(256 * 1024);
    const auto pour = [&](PlainSocket& socket) {
        for (int i = 0; i < 1000 && socket.send(filling); ++i) {
        }
    };
    std::size_t rounds = 0;
    std::size_t endured = 0;
    scene.survive("1 GiB frames", [&](const std::stop_token& over) {
        const auto attack_with = [&](std::initializer_list<Bytes> first) {
            PlainSocket socket(scene.port());
            for (const auto& bytes : first)
                static_cast<void>(socket.send(bytes));
            pour(socket);
            if (!socket.closes_within(6s)) ++endured;
        };
        do {
            attack_with({filling});
            attack_with({greeting("NULL")});
            attack_with({greeting("PLAIN")});
            attack_with({greeting("CURVE", 1)});
            attack_with({greeting("CURVE", 2)});
            attack_with({greeting(), frame_header(kCommandFrame, kGibi)});
            attack_with({greeting(), frame_header(0, kGibi)});
            attack_with({greeting(), frame_header(kCommandFrame, 1ULL << 63)});
            attack_with(
                {greeting(), curve_hello(scene.server().curve_key()), frame_header(kCommandFrame, kGibi)});
            for (const std::uint8_t flags : {std::uint8_t{0}, kCommandFrame}) {
                CurveClient client(scene.port(), scene.server(), ally);
                static_cast<void>(client.say(scene.hello_of(ally)));
                static_cast<void>(client.socket().send(frame_header(flags, kGibi)));
                pour(client.socket());
                if (!client.socket().closes_within(6s)) ++endured;
            }
            ZmqClient client(scene.port(), scene.server().curve_key(), ally);
            client.say(scene.hello_of(ally));
            client.send(Bytes(64 << 20), false);
            CHECK(client.hears_within(1s));
            ++rounds;
            std::this_thread::sleep_for(200ms);
        } while (!over.stop_requested());
    });
    CHECK(rounds > 0);
    CHECK(endured == 0);
    CHECK(scene.metric("handshakes_failed_total{reason=\"protocol\"}") > broken);
}

TEST_CASE("slow lorises before and after the handshake, and 200 connections at one time") {
    AttackScene scene;
    scene.settle();
    const auto ally = scene.ally();
    const auto failed = [&] {
        return scene.metric("handshakes_failed_total{reason=\"other\"}") +
               scene.metric("handshakes_failed_total{reason=\"protocol\"}");
    };
    const auto before = failed();
    scene.survive("200 connections and slow lorises", [&](const std::stop_token& over) {
        std::vector<PlainSocket> idle;
        std::vector<PlainSocket> slow;
        Bytes drops = greeting();
        const auto hello = curve_hello(scene.server().curve_key());
        drops.insert(drops.end(), hello.begin(), hello.end());
        for (std::size_t i = 0; i < 100; ++i) {
            idle.emplace_back(scene.port());
            static_cast<void>(idle.back().send(protocol::ByteView(drops).first(i)));
            slow.emplace_back(scene.port());
        }
        // Let in, and in the middle of a message that takes an hour.
        std::vector<std::unique_ptr<CurveClient>> members;
        for (int i = 0; i < 40; ++i) {
            members.push_back(std::make_unique<CurveClient>(scene.port(), scene.server(), ally));
            CHECK(members.back()->say(scene.hello_of(ally)));
            CHECK(members.back()->socket().send(frame_header(0, 3600)));
        }
        for (std::size_t at = 0; !over.stop_requested(); ++at) {
            for (auto& member : members)
                static_cast<void>(member->socket().send(protocol::ByteView(drops).first(1)));
            for (auto& socket : slow)
                static_cast<void>(socket.send(protocol::ByteView(drops).subspan(at % drops.size(), 1)));
            for (int i = 0; i < 10 && !over.stop_requested(); ++i)
                pause();
        }
        // All are given up by the other side, and not only because we go.
        std::size_t closed = 0;
        for (auto* sockets : {&idle, &slow})
            for (auto& socket : *sockets)
                closed += socket.closes_within(6s) ? 1 : 0;
        CHECK(closed == idle.size() + slow.size());
    });
    CHECK(failed() >= before + 200);
}

TEST_CASE("more connections than a node takes do not keep a member out") {
    rlimit limit{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    REQUIRE(limit.rlim_cur > 2000);
    AttackScene scene;
    scene.expect_latecomer();
    scene.settle();
    scene.survive("1,200 connections", [&](const std::stop_token& over) {
        while (!over.stop_requested()) {
            std::vector<PlainSocket> idle;
            for (int i = 0; i < 1200 && !over.stop_requested(); ++i)
                idle.emplace_back(scene.port());
            for (int i = 0; i < 20 && !over.stop_requested(); ++i)
                pause();
        }
    });
}

TEST_CASE("40 unknown keys that never say hello fill all places for strangers; a member still gets in") {
    AttackScene scene(true);
    std::vector<Identity> strangers;
    for (int i = 0; i < 40; ++i)
        strangers.push_back(Identity::generate());
    std::jthread attacker([&](const std::stop_token& over) {
        std::vector<std::unique_ptr<ZmqClient>> clients;
        for (const auto& stranger : strangers)
            clients.push_back(
                std::make_unique<ZmqClient>(scene.port(), scene.server().curve_key(), stranger));
        while (!over.stop_requested())
            pause();
    });
    const bool full =
        eventually([&] { return scene.metric("provisional_total{result=\"refused_full\"}") > 0; }, 10s);
    const auto begun = Clock::now();
    static_cast<void>(scene.neighbour().ask("peers add " + scene.victim().address()));
    const bool in = eventually([&] { return scene.state_of(scene.neighbour()) == "up"; }, 20s);
    const std::chrono::duration<double> took = Clock::now() - begun;
    attacker.request_stop();
    attacker.join();
    CHECK(full);
    CHECK(in);
    MESSAGE("the member got in after " << took.count() << " s");
    CHECK(scene.metric("provisional_total{result=\"expired\"}") > 0);
    CHECK(scene.metric("provisional_total{result=\"confirmed\"}") == 1);
    scene.settle();
    scene.survive("unknown keys that keep silent", [&](const std::stop_token& over) {
        while (!over.stop_requested()) {
            std::vector<std::unique_ptr<CurveClient>> clients;
            for (int i = 0; i < 40 && !over.stop_requested(); ++i)
                clients.push_back(
                    std::make_unique<CurveClient>(scene.port(), scene.server(), Identity::generate()));
            for (int i = 0; i < 20 && !over.stop_requested(); ++i)
                pause();
        }
    });
}

}  // namespace
