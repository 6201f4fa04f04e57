#include "sim/virtual/virtual_machine.hpp"

#include <utility>

namespace unlearn::sim::virtual_world {

void add_sent(network::TrafficCounters& sum, const network::TrafficCounters& more) {
    sum.handshake_bytes_sent += more.handshake_bytes_sent;
    for (std::size_t kind = 0; kind < sum.sent.size(); ++kind) {
        sum.sent[kind].messages += more.sent[kind].messages;
        sum.sent[kind].bytes += more.sent[kind].bytes;
    }
}

std::string endpoint_of(std::size_t number) {
    return "tcp://10.0.0.1:" + std::to_string(number + 1);
}

network::TrafficCounters VirtualMachine::sent() const {
    network::TrafficCounters sum = sent_before_;
    if (node_) add_sent(sum, node_->transport().traffic());
    return sum;
}

protocol::Result<std::unique_ptr<runtime::Node>> VirtualMachine::boot_node(Boot boot) {
    host_ = std::make_shared<VirtualHost>(time_, disk_, std::move(boot.host));
    seeds_ = boot.make_seeds(host_);
    auto node = runtime::Node::create(host_, *identity_, std::move(boot.node),
                                      std::make_unique<VirtualTransport>(network_, id(), boot.endpoint),
                                      *seeds_, std::move(boot.events));
    if (!node) stop();
    return node;
}

protocol::Result<void> VirtualMachine::boot(Boot boot) {
    auto node = boot_node(std::move(boot));
    if (!node) return tl::unexpected(node.error());
    node_ = std::move(*node);
    return {};
}

void VirtualMachine::stop() {
    if (node_) add_sent(sent_before_, node_->transport().traffic());
    node_.reset();
    seeds_.reset();
    host_.reset();
}

void VirtualMachine::crash(bool power_lost) {
    network_.kill(id());
    disk_.crash();
    stop();
    disk_.restart(power_lost);
}

}  // namespace unlearn::sim::virtual_world
