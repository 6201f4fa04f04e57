#include <algorithm>

#include <doctest/doctest.h>

#include "protocol/engine/fetch.hpp"
#include "tcp_proxy.hpp"
#include "world.hpp"

using namespace unlearn::network;
using namespace unlearn::network::test;
namespace protocol = unlearn::protocol;

namespace {

/// Two nodes with a counting proxy between them.
struct Proxied {
    ZmqWorld world;
    std::unique_ptr<Node> listener = world.listening();
    std::unique_ptr<Node> dialler = world.dialling();
    TcpProxy proxy;
    SessionId session = 0;

    Proxied() : proxy(port_of(listener->address().endpoint)) {
        listener->allow(*dialler);
        dialler->transport->dial({listener->identity.id(), proxy.endpoint()});
        REQUIRE(world.until([&] { return !dialler->seen.ups.empty(); }));
        session = dialler->seen.ups[0].session;
    }
    static int port_of(const std::string& endpoint) {
        return std::stoi(endpoint.substr(endpoint.rfind(':') + 1));
    }
    /// A first message, as a hello is: before it is here, a slow link that carries a long one is cut off.
    void introduce() {
        dialler->transport->send(session, message(1, 1), Priority::urgent);
        REQUIRE(world.until([&] { return !listener->seen.messages.empty(); }));
    }
    /// Until so many bytes have come from the dialler.
    void passes(std::uint64_t bytes) {
        REQUIRE(world.until([&] { return proxy.from_dialler >= bytes; }));
    }

    struct Urgent {
        std::uint64_t bytes_before = 0;     ///< that were on their way when it was sent, and itself
        std::uint64_t messages_before = 0;  ///< since the link is up
        /// What a link takes for that; on a busy machine, time itself says little.
        [[nodiscard]] double seconds(std::uint64_t rate) const {
            return static_cast<double>(bytes_before) / static_cast<double>(rate);
        }
    };
    /// The dialler sends one, and it arrives.
    Urgent sends_urgent(std::uint64_t number) {
        const std::uint64_t gone = proxy.from_dialler;
        dialler->transport->send(session, message(kUrgentKind, number), Priority::urgent);
        std::size_t seen = 0;
        std::uint64_t bytes = kHandshakeFromDialler;
        const auto& messages = listener->seen.messages;
        REQUIRE(world.until([&] {
            for (; seen < messages.size(); ++seen) {
                bytes += wire_size(messages[seen].frames);
                if (kind_number(messages[seen].frames) == kUrgentKind &&
                    number_of(messages[seen].frames) == number)
                    return true;
            }
            return false;
        }));
        return {bytes > gone ? bytes - gone : 0, seen};
    }
    static constexpr std::uint8_t kUrgentKind = 9;
};

}  // namespace

TEST_CASE("the counters are the bytes on the wire, by kind, with the handshake apart") {
    Proxied pair;
    CHECK(pair.proxy.from_dialler == kHandshakeFromDialler);
    CHECK(pair.proxy.from_listener == kHandshakeFromListener);
    pair.listener->seen.answer = [&](const Recorder::Message& got) {
        pair.listener->transport->send(got.session, message(4, 1, 300), Priority::normal);
    };
    constexpr std::uint64_t kChunks = 20;
    constexpr std::uint64_t kPings = 100;
    for (std::uint64_t i = 0; i < kChunks; ++i)
        pair.dialler->transport->send(pair.session, message(7, i, 40, 60000 + i), Priority::bulk);
    for (std::uint64_t i = 0; i < kPings; ++i)
        pair.dialler->transport->send(pair.session, message(3, i, 200 + i), Priority::normal);
    REQUIRE(pair.world.until([&] { return pair.dialler->seen.messages.size() == kChunks + kPings; }));

    const TrafficCounters there = pair.dialler->transport->traffic();
    const TrafficCounters here = pair.listener->transport->traffic();
    CHECK(there.sent[7].messages == kChunks);
    CHECK(there.sent[3].messages == kPings);
    CHECK(there.sent == here.received);
    CHECK(there.received == here.sent);
    CHECK(there.handshake_bytes_sent == here.handshake_bytes_received);
    // Not only within 1 %: to the byte.
    CHECK(there.handshake_bytes_sent + there.total_sent().bytes == pair.proxy.from_dialler);
    CHECK(there.handshake_bytes_received + there.total_received().bytes == pair.proxy.from_listener);
}

TEST_CASE("the in-memory network counts what real sockets count") {
    MemoryWorld world;
    const auto listener = world.listening();
    const auto dialler = world.dialling();
    listener->allow(*dialler);
    dialler->transport->dial(listener->address());
    REQUIRE(world.until([&] { return !dialler->seen.ups.empty(); }));
    dialler->transport->send(dialler->seen.ups[0].session, message(7, 1, 40, 60000), Priority::bulk);
    REQUIRE(world.until([&] { return !listener->seen.messages.empty(); }));
    CHECK(dialler->transport->traffic().sent[7].bytes == wire_size(message(7, 1, 40, 60000)));
    CHECK(listener->transport->traffic().received == dialler->transport->traffic().sent);
    CHECK(dialler->transport->traffic().handshake_bytes_sent == kHandshakeFromDialler);
}

TEST_CASE("on a slow link an urgent message waits for little of the queued bulk") {
    Proxied pair;
    pair.introduce();
    constexpr std::uint64_t kRate = 1000 * 1000;  // bytes a second
    pair.proxy.rate = kRate;
    for (std::uint64_t i = 0; i < 40; ++i)
        pair.dialler->transport->send(pair.session, message(7, i, 8, 64 * 1024), Priority::bulk);
    pair.passes(kRate / 2);
    const auto urgent = pair.sends_urgent(1000);
    MESSAGE("behind " << urgent.bytes_before / 1024 << " KiB");
    CHECK(urgent.bytes_before < 300 * 1024);
    CHECK(urgent.messages_before < 20);
}

TEST_CASE("5 MiB pending on a link of 1 Mbit/s delay an urgent message by a second at most") {
    constexpr std::uint64_t kRate = 1000 * 1000 / 8;  // bytes a second
    Proxied pair;
    pair.proxy.rate = kRate;
    // The listener fetches a seed as the engine does, with its window; the dialler serves it.
    const protocol::Bytes chunk(protocol::kMinChunk, 0xCC);
    protocol::SeedRecord record;
    record.chunk_bytes = protocol::kMinChunk;
    record.payload_bytes = 5 * 1024 * 1024;
    record.chunk_digests.assign(record.payload_bytes / protocol::kMinChunk, protocol::digest_of(chunk));
    protocol::Fetch fetch(record, {});
    const auto now = [] {
        return std::chrono::duration_cast<protocol::SteadyTime>(
            std::chrono::steady_clock::now().time_since_epoch());
    };
    SessionId back = 0;
    const auto ask = [&] {
        while (const auto get = fetch.next_get(now()))
            pair.listener->transport->send(back, message(6, std::uint64_t{get->first} << 32 | get->count),
                                           Priority::normal);
    };
    pair.dialler->seen.answer = [&](const Recorder::Message& got) {
        const std::uint64_t asked = number_of(got.frames);
        for (std::uint64_t i = 0; i < (asked & 0xFFFFFFFF); ++i) {
            Frames frames = message(7, (asked >> 32) + i);
            frames.push_back(chunk);
            pair.dialler->transport->send(pair.session, std::move(frames), Priority::bulk);
        }
    };
    std::uint64_t chunks = 0;
    pair.listener->seen.answer = [&](const Recorder::Message& got) {
        if (got.frames.size() < 3) {
            back = got.session;
            return;
        }
        ++chunks;
        REQUIRE(fetch.accept({{}, static_cast<std::uint32_t>(number_of(got.frames)), chunk}, now()));
        ask();
    };
    pair.dialler->transport->send(pair.session, message(1, 1), Priority::urgent);
    REQUIRE(pair.world.until([&] { return back != 0; }));
    ask();
    double longest = 0;
    for (std::uint64_t number = 2; number < 14; ++number) {
        pair.passes(pair.proxy.from_dialler + kRate * (350 + 37 * number) / 1000);
        longest = std::max(longest, pair.sends_urgent(number).seconds(kRate));
    }
    MESSAGE("longest wait " << longest * 1000 << " ms, with " << chunks << " chunks meanwhile");
    CHECK(longest < 1);
    CHECK(chunks > 20);  // so the link was busy all the time
    CHECK(chunks < record.chunk_digests.size());
}

TEST_CASE(
    "without the window, what the kernel and libzmq hold delays an urgent message by a second at most") {
    constexpr std::uint64_t kRate = 1000 * 1000 / 8;
    Proxied pair;
    pair.introduce();
    pair.proxy.rate = kRate;
    for (std::uint64_t i = 0; i < 200; ++i)
        pair.dialler->transport->send(pair.session, message(7, i, 8, protocol::kMinChunk), Priority::bulk);
    pair.passes(2 * kRate);
    const auto urgent = pair.sends_urgent(1000);
    MESSAGE("waits for " << urgent.seconds(kRate) * 1000 << " ms");
    CHECK(urgent.seconds(kRate) < 1);
    CHECK(urgent.messages_before < 200);
}
