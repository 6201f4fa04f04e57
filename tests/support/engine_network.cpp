#include "tests/support/engine_network.hpp"

#include <algorithm>
#include <cassert>

namespace unlearn::testing {
namespace {

bool erases(const Persist& persist) {
    return std::any_of(persist.ops.begin(), persist.ops.end(),
                       [](const StoreOp& op) { return std::holds_alternative<EraseHeldSeed>(op); });
}

}  // namespace

EngineNetwork::EngineNetwork(std::vector<std::string> names,
                             std::vector<std::pair<std::size_t, std::size_t>> edges,
                             AdjustConfig adjust_config)
    : adjust_config_(std::move(adjust_config)),
      network_(network_id_of({"test", {1, 28, 28}, {"a", "b"}, "none", {}})),
      edges_(std::move(edges)) {
    for (const auto& name : names) {
        auto node = std::make_unique<Node>();
        node->name = name;
        const Bytes text(name.begin(), name.end());
        node->identity = std::make_unique<Identity>(Identity::from_seed(digest_of(text).value));
        nodes_.push_back(std::move(node));
    }
    for (std::size_t i = 0; i < nodes_.size(); ++i)
        nodes_[i]->engine = std::make_unique<Engine>(*nodes_[i]->identity, config_for(i), LoadedState{});
}

EngineConfig EngineNetwork::config_for(std::size_t node) const {
    EngineConfig config;
    config.network = network_;
    config.random_seed = node + 1;
    for (const auto& [a, b] : edges_) {
        if (a == node) config.neighbours.push_back({id(b), "tcp://127.0.0.1:" + std::to_string(1000 + b)});
        if (b == node) config.neighbours.push_back({id(a), "tcp://127.0.0.1:" + std::to_string(1000 + a)});
    }
    if (adjust_config_) adjust_config_(node, config);
    return config;
}

std::size_t EngineNetwork::index_of(const NodeId& wanted) const {
    for (std::size_t i = 0; i < nodes_.size(); ++i)
        if (id(i) == wanted) return i;
    assert(false);
    return 0;
}

void EngineNetwork::start() {
    for (std::size_t i = 0; i < nodes_.size(); ++i)
        feed(i, Start{});
    settle();
}

void EngineNetwork::publish(std::size_t node, std::size_t bytes, std::uint8_t fill) {
    Bytes payload(bytes);
    for (std::size_t i = 0; i < bytes; ++i)
        payload[i] = static_cast<std::uint8_t>(fill + i / 251 + i % 251);
    feed(node, PublishSeed{"mlp:32", std::make_shared<const SeedBytes>(std::move(payload))});
}

void EngineNetwork::feed(std::size_t node, const Input& input) {
    for (const auto& effect : nodes_[node]->engine->step(input, now(node)))
        carry_out(node, effect);
}

void EngineNetwork::settle() {
    while (!queue_.empty()) {
        const InFlight next = std::move(queue_.front());
        queue_.pop_front();
        feed(next.to, next.input);
    }
}

void EngineNetwork::run_for(std::chrono::milliseconds time) {
    const SteadyTime end = steady_ + time;
    while (steady_ < end) {
        steady_ += kTickInterval;
        for (std::size_t i = 0; i < nodes_.size(); ++i)
            feed(i, Tick{});
        settle();
    }
}

void EngineNetwork::connect(std::size_t dialler, std::size_t acceptor) {
    for (const auto& link : links_)
        if (link.cut && ((link.dialler == dialler && link.acceptor == acceptor) ||
                         (link.dialler == acceptor && link.acceptor == dialler)))
            return;
    Link link{dialler, acceptor, next_session_, next_session_ + 1, true, false};
    next_session_ += 2;
    std::erase_if(links_,
                  [&](const Link& old) { return old.dialler == dialler && old.acceptor == acceptor; });
    links_.push_back(link);
    queue_.push_back({dialler, LinkUp{link.dialler_session, id(acceptor)}});
}

void EngineNetwork::disconnect(Link& link) {
    if (!link.up) return;
    link.up = false;
    queue_.push_back({link.dialler, LinkDown{link.dialler_session}});
    queue_.push_back({link.acceptor, LinkDown{link.acceptor_session}});
}

void EngineNetwork::cut(std::size_t a, std::size_t b) {
    for (auto& link : links_) {
        if ((link.dialler == a && link.acceptor == b) || (link.dialler == b && link.acceptor == a)) {
            disconnect(link);
            link.cut = true;
        }
    }
    settle();
}

void EngineNetwork::mend(std::size_t a, std::size_t b) {
    for (auto& link : links_) {
        const bool wanted =
            (link.dialler == a && link.acceptor == b) || (link.dialler == b && link.acceptor == a);
        if (!wanted || !link.cut) continue;
        link.cut = false;
        connect(link.dialler, link.acceptor);
        break;
    }
    settle();
}

void EngineNetwork::inject(std::size_t from, std::size_t to, Frames frames) {
    for (const auto& link : links_) {
        if (!link.up) continue;
        if (link.dialler == from && link.acceptor == to)
            return feed(to, Received{link.acceptor_session, id(from).curve_key(), std::move(frames)});
        if (link.dialler == to && link.acceptor == from)
            return feed(to, Received{link.dialler_session, id(from).curve_key(), std::move(frames)});
    }
    assert(false);
}

void EngineNetwork::release_storage(std::size_t node) {
    nodes_[node]->storage_hangs = false;
    while (!nodes_[node]->hanging.empty()) {
        const Persist persist = std::move(nodes_[node]->hanging.front());
        nodes_[node]->hanging.pop_front();
        carry_out(node, persist);
    }
    settle();
}

void EngineNetwork::crash_and_restart(std::size_t index) {
    Node& node = *nodes_[index];
    std::vector<std::pair<std::size_t, std::size_t>> dialled;
    for (auto& link : links_) {
        if (link.dialler != index && link.acceptor != index) continue;
        dialled.emplace_back(link.dialler, link.acceptor);
        link.up = false;
        const bool other_dialled = link.acceptor == index;
        queue_.push_back({other_dialled ? link.dialler : link.acceptor,
                          LinkDown{other_dialled ? link.dialler_session : link.acceptor_session}});
    }
    node.in_ensemble.clear();
    node.hanging.clear();
    node.engine = std::make_unique<Engine>(*node.identity, config_for(index), node.disk);
    feed(index, Start{});
    // Those who had dialled the node dial it again.
    for (const auto& [dialler, acceptor] : dialled)
        if (acceptor == index) connect(dialler, acceptor);
    settle();
}

void EngineNetwork::apply(Node& node, const StoreOp& op) {
    auto& disk = node.disk;
    const auto replace = [](auto& list, const auto& value, auto key) {
        std::erase_if(list, [&](const auto& old) { return old.*key == value.*key; });
        list.push_back(value);
    };
    if (const auto* o = std::get_if<PutTombstone>(&op)) replace(disk.tombstones, *o, &PutTombstone::owner);
    if (const auto* o = std::get_if<PutRecipient>(&op)) {
        PutRecipient merged = *o;
        for (const auto& old : disk.recipients) {
            if (old.peer != o->peer) continue;
            merged.version = std::max(merged.version, old.version);
            merged.lease_until = std::max(merged.lease_until, old.lease_until);
        }
        replace(disk.recipients, merged, &PutRecipient::peer);
    }
    if (const auto* o = std::get_if<PutReceipt>(&op)) replace(disk.receipts, *o, &PutReceipt::holder);
    if (const auto* o = std::get_if<PutHeldSeed>(&op)) replace(disk.held_seeds, *o, &PutHeldSeed::owner);
    if (const auto* o = std::get_if<EraseHeldSeed>(&op)) {
        std::erase_if(disk.held_seeds, [&](const auto& seed) { return seed.owner == o->owner; });
        std::erase_if(disk.held_leases, [&](const auto& lease) { return lease.owner == o->owner; });
    }
    if (const auto* o = std::get_if<PutOwnLease>(&op)) disk.own_lease = *o;
    if (const auto* o = std::get_if<PutHeldLease>(&op)) replace(disk.held_leases, *o, &PutHeldLease::owner);
    if (const auto* o = std::get_if<PutLeftReceipt>(&op))
        replace(disk.left_receipts, *o, &PutLeftReceipt::owner);
    if (const auto* o = std::get_if<PutEquivocation>(&op)) disk.equivocations.push_back(*o);
    if (const auto* o = std::get_if<PutHolderList>(&op)) disk.holder_list = *o;
    if (const auto* o = std::get_if<PutPeerList>(&op)) disk.peer_lists.push_back(*o);
    if (const auto* o = std::get_if<PutAsked>(&op)) replace(disk.asked, *o, &PutAsked::owner);
    if (const auto* o = std::get_if<PutPeer>(&op)) replace(disk.peers, *o, &PutPeer::peer);
    if (const auto* o = std::get_if<PutRetired>(&op)) disk.retired = *o;
    if (std::holds_alternative<SetRestored>(op)) disk.restored = disk.ever_restored = true;
    if (std::holds_alternative<ClearRestored>(op)) disk.restored = false;
    if (const auto* o = std::get_if<PutCopied>(&op)) disk.copied = o->copied;
    if (const auto* o = std::get_if<PutStart>(&op)) {
        replace(disk.starts, *o, &PutStart::start);
        std::stable_sort(disk.starts.begin(), disk.starts.end(),
                         [](const auto& a, const auto& b) { return a.number < b.number; });
    }
    if (const auto* o = std::get_if<PutPeerState>(&op)) replace(disk.peer_states, *o, &PutPeerState::peer);
    if (const auto* o = std::get_if<PutRevocation>(&op))
        replace(disk.revocations, *o, &PutRevocation::member);
    if (const auto* o = std::get_if<PutSuccession>(&op)) disk.successions.push_back(*o);
    if (const auto* o = std::get_if<PutMember>(&op)) replace(disk.members, *o, &PutMember::member);
    if (const auto* o = std::get_if<DropMember>(&op))
        std::erase_if(disk.members, [&](const auto& old) { return old.member == o->member; });
    if (const auto* o = std::get_if<PutFollowedKey>(&op)) disk.followed_key = *o;
    if (const auto* o = std::get_if<PutOwnMembership>(&op)) disk.own_membership = *o;
    if (const auto* o = std::get_if<PutOwnSeed>(&op)) disk.own_seed = *o;
    if (const auto* o = std::get_if<PutExiting>(&op)) disk.exiting = *o;
}

void EngineNetwork::carry_out(std::size_t index, const Effect& effect) {
    Node& node = *nodes_[index];
    if (const auto* dial = std::get_if<Dial>(&effect)) {
        connect(index, index_of(dial->peer.id));
    } else if (const auto* close = std::get_if<CloseSession>(&effect)) {
        for (auto& link : links_)
            if (link.up &&
                (link.dialler_session == close->session || link.acceptor_session == close->session))
                link.up = false;
    } else if (const auto* send = std::get_if<Send>(&effect)) {
        node.sent.push_back(*send);
        for (const auto& link : links_) {
            if (!link.up) continue;
            const bool forwards = link.dialler_session == send->session;
            if (!forwards && link.acceptor_session != send->session) continue;
            const std::size_t to = forwards ? link.acceptor : link.dialler;
            if (filter && !filter(index, to, send->frames)) continue;
            queue_.push_back({to, Received{forwards ? link.acceptor_session : link.dialler_session,
                                           node.identity->id().curve_key(), send->frames}});
        }
    } else if (const auto* persist = std::get_if<Persist>(&effect)) {
        if (node.storage_hangs) {
            node.hanging.push_back(*persist);
        } else if (node.storage_fails || (node.erasing_fails && erases(*persist))) {
            queue_.push_back({index, StoreFailed{persist->ticket, "disk full"}});
        } else {
            for (const auto& op : persist->ops)
                apply(node, op);
            queue_.push_back({index, Stored{persist->ticket}});
        }
    } else if (const auto* check = std::get_if<CheckSeed>(&effect)) {
        if (node.checks_hang) return;
        queue_.push_back(
            {index, SeedChecked{check->owner, check->version, node.problem_with_seeds, node.seeds_aside}});
    } else if (const auto* install = std::get_if<InstallSeed>(&effect)) {
        if (node.engine->may_use(install->owner, install->version)) node.in_ensemble.insert(install->owner);
    } else if (const auto* suspend = std::get_if<SuspendSeed>(&effect)) {
        node.in_ensemble.erase(suspend->owner);
    } else if (const auto* allow = std::get_if<Allow>(&effect)) {
        node.allowed = {allow->keys.begin(), allow->keys.end()};
    } else if (const auto* drop = std::get_if<DropSeed>(&effect)) {
        node.in_ensemble.erase(drop->owner);
    } else if (const auto* wipe = std::get_if<WipeSeed>(&effect)) {
        queue_.push_back({index, SeedWiped{wipe->owner}});
    } else if (const auto* event = std::get_if<Event>(&effect)) {
        node.events.push_back(*event);
    }
}

EngineNetwork triangle() {
    EngineNetwork net({"a", "b", "c"}, {{0, 1}, {1, 2}, {0, 2}});
    net.start();
    for (std::size_t i = 0; i < 3; ++i)
        net.publish(i, 100'000, static_cast<std::uint8_t>(i));
    net.settle();
    return net;
}

bool disk_has_seed_of(const EngineNetwork::Node& node, const NodeId& owner) {
    return std::any_of(node.disk.held_seeds.begin(), node.disk.held_seeds.end(),
                       [&](const auto& seed) { return seed.owner == owner; });
}

}  // namespace unlearn::testing
