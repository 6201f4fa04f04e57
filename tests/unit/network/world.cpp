#include "world.hpp"

#include <stdexcept>

namespace unlearn::network::test {

std::unique_ptr<Node> World::make(std::optional<std::string> endpoint) {
    auto node = std::make_unique<Node>();
    node->transport = transport(node->identity, std::move(endpoint));
    return node;
}

std::unique_ptr<Node> World::listening() {
    auto node = make("tcp://127.0.0.1:0");
    if (!node->transport->start(node->seen)) throw std::runtime_error("cannot listen");
    return node;
}

std::unique_ptr<Node> World::dialling() {
    auto node = make(std::nullopt);
    if (!node->transport->start(node->seen)) throw std::runtime_error("cannot start");
    return node;
}

void World::restart(Node& node, const std::string& endpoint) {
    node.transport = transport(node.identity, endpoint);
    if (!node.transport->start(node.seen)) throw std::runtime_error("cannot listen again");
}

bool World::until(const std::function<bool()>& done, std::chrono::milliseconds most) {
    const auto give_up = std::chrono::steady_clock::now() + most;
    io.restart();
    while (!done()) {
        if (std::chrono::steady_clock::now() > give_up) return false;
        io.run_one_for(5ms);
        io.restart();
    }
    return true;
}

void World::run_for(std::chrono::milliseconds time) {
    until([] { return false; }, time);
}

std::unique_ptr<Transport> ZmqWorld::transport(const protocol::Identity& identity,
                                               std::optional<std::string> endpoint) {
    return std::make_unique<ZmqTransport>(io, *context, identity, std::move(endpoint));
}

std::unique_ptr<Transport> MemoryWorld::transport(const protocol::Identity& identity,
                                                  std::optional<std::string> endpoint) {
    return std::make_unique<MemoryTransport>(io, network, identity.id(), std::move(endpoint));
}

Frames message(std::uint8_t kind, std::uint64_t number, std::size_t body,
               std::optional<std::size_t> payload) {
    protocol::Bytes header{'U', 'L', 1, kind};
    for (int byte = 0; byte < 8; ++byte)
        header.push_back(static_cast<std::uint8_t>(number >> (8 * byte)));
    Frames frames{header, protocol::Bytes(body, 0xB0)};
    if (payload) frames.emplace_back(*payload, 0xCC);
    return frames;
}

std::uint64_t number_of(const Frames& frames) {
    std::uint64_t number = 0;
    for (int byte = 7; byte >= 0; --byte)
        number = number << 8 | frames.at(0).at(4 + static_cast<std::size_t>(byte));
    return number;
}

}  // namespace unlearn::network::test
