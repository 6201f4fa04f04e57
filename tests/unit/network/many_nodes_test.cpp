#include <filesystem>

#include <doctest/doctest.h>
#include <sys/resource.h>

#include "world.hpp"

using namespace unlearn::network;
using namespace unlearn::network::test;
namespace protocol = unlearn::protocol;

namespace {

std::ptrdiff_t open_descriptors() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

void allow_many_descriptors() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

TEST_CASE("100 nodes of degree 8 in one process start, talk and stop, and give all descriptors back") {
    constexpr std::size_t kNodes = 100;
    constexpr std::size_t kDialled = 4;  // each dials the next four of a ring: degree 8
    allow_many_descriptors();
    const auto before = open_descriptors();
    {
        ZmqWorld world;
        std::vector<std::unique_ptr<Node>> nodes;
        std::vector<protocol::CurvePublicKey> keys;
        for (std::size_t i = 0; i < kNodes; ++i) {
            nodes.push_back(world.listening());
            keys.push_back(nodes.back()->identity.id().curve_key());
        }
        for (std::size_t i = 0; i < kNodes; ++i) {
            nodes[i]->transport->allow(keys);
            for (std::size_t step = 1; step <= kDialled; ++step)
                nodes[i]->transport->dial(nodes[(i + step) % kNodes]->address());
        }
        const auto all = [&](auto&& count, std::size_t wanted) {
            return [&nodes, count, wanted] {
                for (const auto& node : nodes) {
                    if (count(*node) < wanted) return false;
                }
                return true;
            };
        };
        const auto started = std::chrono::steady_clock::now();
        REQUIRE(world.until(all([](const Node& node) { return node.seen.ups.size(); }, kDialled), 60s));
        MESSAGE("all links up after "
                << std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count()
                << " s with " << open_descriptors() - before << " descriptors");
        for (const auto& node : nodes) {
            for (const auto& up : node->seen.ups)
                node->transport->send(up.session, message(3, 1), Priority::normal);
        }
        CHECK(world.until(all([](const Node& node) { return node.seen.messages.size(); }, kDialled), 30s));
    }
    CHECK(open_descriptors() == before);
}
