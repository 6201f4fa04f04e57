#include "tests/support/memory_network.hpp"

#include <algorithm>
#include <cassert>
#include <map>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "node/network/access_list.hpp"
#include "node/network/limits.hpp"
#include "node/network/send_queue.hpp"

namespace unlearn::network {

namespace {

constexpr std::chrono::milliseconds kDialAgain{20};

using Pair = std::pair<protocol::NodeId, protocol::NodeId>;

Pair pair_of(const protocol::NodeId& one, const protocol::NodeId& other) {
    return one < other ? Pair{one, other} : Pair{other, one};
}

bool has_wildcard_port(const std::string& endpoint) {
    return endpoint.ends_with(":0") || endpoint.ends_with(":*");
}

}  // namespace

/// One side of a connection. Everything in here is guarded by the network's mutex.
struct MemoryEnd {
    std::shared_ptr<MemoryNode> node;
    std::weak_ptr<MemoryEnd> other;
    SessionId session = next_session_id();
    protocol::CurvePublicKey peer_key;
    protocol::NodeId peer;
    bool dialled = false;
    bool open = true;
    SendQueue outbox;  ///< to the other side
};

/// The state of one transport; outlives it while something is on its way to it.
struct MemoryNode {
    MemoryNode(asio::io_context& io_context, const protocol::NodeId& node_id) : io(io_context), id(node_id) {}

    asio::io_context& io;
    const protocol::NodeId id;
    std::optional<std::string> endpoint;
    TransportHandler* handler = nullptr;
    bool running = false;
    AccessList access;
    std::map<protocol::NodeId, std::string> wanted;  ///< who is dialled, and where
    std::map<SessionId, std::shared_ptr<MemoryEnd>> ends;
    TrafficCounters traffic;
};

struct MemoryState : std::enable_shared_from_this<MemoryState> {
    using Node = std::shared_ptr<MemoryNode>;
    using End = std::shared_ptr<MemoryEnd>;
    using Lock = std::unique_lock<std::mutex>;

    std::mutex mutex;
    std::map<std::string, Node> listeners;
    std::set<Pair> cut;
    MemoryNetwork::Judge judge;
    int next_port = 20000;

    std::string free_endpoint(const std::string& wildcard);
    void try_dial(const Node& node, const protocol::NodeId& peer);
    void dial_later(const Node& node, const protocol::NodeId& peer);
    [[nodiscard]] Node reachable(const Node& node, const protocol::NodeId& peer);
    void connect(const Node& node, const Node& listener);
    void deliver_one(const End& from, const End& to);
    void end_strangers(const Node& node);
    void end_strangers_later(const Node& node);
    void lose(const End& end);
    void end_both(const End& end);
    void report_malformed(const End& end, std::string reason);
    void send(const Node& node, SessionId session, Frames frames, Priority priority);
    void close(const Node& node, SessionId session);
};

// ------------------------------------------------------------ connecting (all with the mutex held unless
// said)

std::string MemoryState::free_endpoint(const std::string& wildcard) {
    const std::string host = wildcard.substr(0, wildcard.rfind(':') + 1);
    while (listeners.contains(host + std::to_string(next_port)))
        ++next_port;
    return host + std::to_string(next_port++);
}

/// The listener that lets the node in, if there is one.
MemoryState::Node MemoryState::reachable(const Node& node, const protocol::NodeId& peer) {
    const auto listener = listeners.find(node->wanted.at(peer));
    if (listener == listeners.end() || cut.contains(pair_of(node->id, peer))) return nullptr;
    const Node& found = listener->second;
    if (found->id != peer) return nullptr;
    switch (found->access.connecting(node->id.curve_key(), AccessList::Clock::now())) {
        case AccessList::Answer::refused:
            return nullptr;
        case AccessList::Answer::provisional:
            end_strangers_later(found);
            break;
        case AccessList::Answer::allowed:
            break;
    }
    return found;
}

/// Runs on the dialling node's thread, without the mutex.
void MemoryState::try_dial(const Node& node, const protocol::NodeId& peer) {
    const Lock lock(mutex);
    if (!node->running || !node->wanted.contains(peer)) return;
    for (const auto& [session, end] : node->ends) {
        if (end->dialled && end->open && end->peer == peer) return;
    }
    if (const Node listener = reachable(node, peer))
        connect(node, listener);
    else
        dial_later(node, peer);
}

void MemoryState::dial_later(const Node& node, const protocol::NodeId& peer) {
    const auto timer = std::make_shared<asio::steady_timer>(node->io, kDialAgain);
    timer->async_wait([self = shared_from_this(), node, peer, timer](const boost::system::error_code& error) {
        if (!error) self->try_dial(node, peer);
    });
}

void MemoryState::connect(const Node& node, const Node& listener) {
    const auto near = std::make_shared<MemoryEnd>();
    const auto far = std::make_shared<MemoryEnd>();
    near->node = node;
    near->peer = listener->id;
    near->dialled = true;
    far->node = listener;
    far->peer = node->id;
    for (const auto& [end, other] : {std::pair{near, far}, std::pair{far, near}}) {
        end->other = other;
        end->peer_key = end->peer.curve_key();
        end->node->ends.emplace(end->session, end);
    }
    for (const auto& [traffic, sent, received] :
         {std::tuple{&node->traffic, kHandshakeFromDialler, kHandshakeFromListener},
          std::tuple{&listener->traffic, kHandshakeFromListener, kHandshakeFromDialler}}) {
        traffic->handshake_bytes_sent += sent;
        traffic->handshake_bytes_received += received;
    }
    asio::post(node->io, [self = shared_from_this(), near] {
        Lock lock(self->mutex);
        if (!near->node->running || !near->open) return;
        lock.unlock();
        near->node->handler->on_link_up(near->session, near->peer);
    });
}

// ------------------------------------------------------------ losing

/// Takes the end away on its own thread, after what was sent to it before.
void MemoryState::lose(const End& end) {
    asio::post(end->node->io, [self = shared_from_this(), end] {
        Lock lock(self->mutex);
        if (!std::exchange(end->open, false)) return;
        end->node->ends.erase(end->session);
        if (!end->node->running || !end->dialled) return;
        self->dial_later(end->node, end->peer);
        lock.unlock();
        end->node->handler->on_link_down(end->session);
    });
}

/// Ends this side at once and the other one after what was sent to it before.
void MemoryState::end_both(const End& end) {
    end->open = false;
    end->node->ends.erase(end->session);
    if (end->dialled) end->node->wanted.erase(end->peer);
    if (const auto other = end->other.lock()) lose(other);
}

/// Runs on the end's thread, without the mutex.
void MemoryState::report_malformed(const End& end, std::string reason) {
    Lock lock(mutex);
    if (!end->node->running || !end->open) return;
    end_both(end);
    end->node->access.refuse(end->peer_key, AccessList::Clock::now());
    end_strangers(end->node);
    lock.unlock();
    end->node->handler->on_malformed(end->session, end->peer_key, std::move(reason));
}

/// Ends the sessions of those who dialled the node and whom its access list does not know any more.
void MemoryState::end_strangers(const Node& node) {
    const auto now = AccessList::Clock::now();
    for (const auto& [session, end] : std::map(node->ends))
        if (!end->dialled && !node->access.is_known(end->peer_key, now)) end_both(end);
    node->access.expire(now);
}

void MemoryState::end_strangers_later(const Node& node) {
    const auto deadline = node->access.next_deadline();
    if (!deadline) return;
    const auto timer = std::make_shared<asio::steady_timer>(node->io, *deadline);
    timer->async_wait([self = shared_from_this(), node, timer](const boost::system::error_code& error) {
        if (error) return;
        const Lock lock(self->mutex);
        self->end_strangers(node);
        self->end_strangers_later(node);
    });
}

// ------------------------------------------------------------ messages

void MemoryState::send(const Node& node, SessionId session, Frames frames, Priority priority) {
    Lock lock(mutex);
    const auto found = node->ends.find(session);
    if (found == node->ends.end()) return;
    const End end = found->second;
    using Fate = MemoryNetwork::Fate;
    const Fate fate = judge ? judge(node->id, end->peer, frames) : Fate::deliver;
    const int copies = fate == Fate::drop ? 0 : fate == Fate::duplicate ? 2 : 1;
    node->traffic.count_sent(kind_number(frames), wire_size(frames));
    for (int copy = 0; copy < copies; ++copy) {
        if (!end->outbox.push(frames, priority)) {
            asio::post(node->io, [self = shared_from_this(), end] {
                self->report_malformed(end, "does not read what is sent: queue full");
            });
            return;
        }
        if (const auto other = end->other.lock())
            asio::post(other->node->io,
                       [self = shared_from_this(), end, other] { self->deliver_one(end, other); });
    }
}

/// Runs on the receiving node's thread, without the mutex.
void MemoryState::deliver_one(const End& from, const End& to) {
    Lock lock(mutex);
    if (from->outbox.empty() || !to->open || !to->node->running) return;
    Frames frames = std::move(from->outbox.next());
    from->outbox.pop();
    auto problem = problem_with(frames);
    if (!problem && !to->dialled)
        problem = to->node->access.problem_with_message(to->peer_key, frames, AccessList::Clock::now());
    if (problem) {
        lock.unlock();
        return report_malformed(to, std::move(*problem));
    }
    to->node->traffic.count_received(frames);
    lock.unlock();
    to->node->handler->on_message(to->session, to->peer_key, std::move(frames));
}

void MemoryState::close(const Node& node, SessionId session) {
    const Lock lock(mutex);
    const auto found = node->ends.find(session);
    if (found == node->ends.end()) return;
    const End end = found->second;
    end_both(end);
    if (!end->dialled) node->access.refuse(end->peer_key, AccessList::Clock::now());
    end_strangers(node);
}

// ------------------------------------------------------------ MemoryNetwork

MemoryNetwork::MemoryNetwork() : state_(std::make_shared<MemoryState>()) {}

void MemoryNetwork::set_judge(Judge judge) {
    const MemoryState::Lock lock(state_->mutex);
    state_->judge = std::move(judge);
}

void MemoryNetwork::cut(const protocol::NodeId& one, const protocol::NodeId& other) {
    const MemoryState::Lock lock(state_->mutex);
    state_->cut.insert(pair_of(one, other));
    for (const auto& [endpoint, node] : state_->listeners) {
        for (const auto& [session, end] : node->ends) {
            if (pair_of(node->id, end->peer) != pair_of(one, other)) continue;
            state_->lose(end);
            if (const auto far = end->other.lock()) state_->lose(far);
        }
    }
}

void MemoryNetwork::heal(const protocol::NodeId& one, const protocol::NodeId& other) {
    const MemoryState::Lock lock(state_->mutex);
    state_->cut.erase(pair_of(one, other));
}

// ------------------------------------------------------------ MemoryTransport

MemoryTransport::MemoryTransport(asio::io_context& io, MemoryNetwork& network, const protocol::NodeId& id,
                                 std::optional<std::string> endpoint)
    : state_(network.state_), node_(std::make_shared<MemoryNode>(io, id)) {
    node_->endpoint = std::move(endpoint);
}

MemoryTransport::~MemoryTransport() {
    stop();
}

protocol::Result<void> MemoryTransport::start(TransportHandler& handler) {
    const MemoryState::Lock lock(state_->mutex);
    assert(!node_->running);
    if (node_->endpoint) {
        if (has_wildcard_port(*node_->endpoint)) node_->endpoint = state_->free_endpoint(*node_->endpoint);
        if (!state_->listeners.emplace(*node_->endpoint, node_).second)
            return protocol::fail(protocol::ErrorCode::internal,
                                  "cannot listen on " + *node_->endpoint + ": Address already in use");
    }
    node_->handler = &handler;
    node_->running = true;
    return {};
}

void MemoryTransport::dial(const protocol::PeerAddress& peer) {
    {
        const MemoryState::Lock lock(state_->mutex);
        if (!node_->running) return;
        if (const auto it = node_->wanted.find(peer.id);
            it != node_->wanted.end() && it->second == peer.endpoint)
            return;
    }
    hang_up(peer.id);
    const MemoryState::Lock lock(state_->mutex);
    node_->wanted[peer.id] = peer.endpoint;
    asio::post(node_->io, [state = state_, node = node_, id = peer.id] { state->try_dial(node, id); });
}

void MemoryTransport::hang_up(const protocol::NodeId& peer) {
    const MemoryState::Lock lock(state_->mutex);
    node_->wanted.erase(peer);
    for (const auto& [session, end] : std::map(node_->ends)) {
        if (end->dialled && end->peer == peer) state_->end_both(end);
    }
}

void MemoryTransport::send(SessionId session, Frames frames, Priority priority) {
    assert(!problem_with(frames));
    state_->send(node_, session, std::move(frames), priority);
}

void MemoryTransport::send_unchecked(SessionId session, Frames frames, Priority priority) {
    state_->send(node_, session, std::move(frames), priority);
}

void MemoryTransport::close(SessionId session) {
    state_->close(node_, session);
}

void MemoryTransport::allow(std::span<const protocol::CurvePublicKey> keys) {
    const MemoryState::Lock lock(state_->mutex);
    const auto struck_off = node_->access.allow(keys);
    state_->end_strangers(node_);
    const auto is_over = [&](const protocol::CurvePublicKey& key) {
        return std::ranges::find(struck_off, key) != struck_off.end();
    };
    if (!struck_off.empty())
        std::erase_if(node_->wanted, [&](const auto& peer) { return is_over(peer.first.curve_key()); });
    for (const auto& [session, end] : std::map(node_->ends)) {
        if (!end->dialled || !is_over(end->peer_key)) continue;
        state_->end_both(end);
        asio::post(node_->io, [state = state_, end = end] {
            MemoryState::Lock running(state->mutex);
            if (!end->node->running) return;
            running.unlock();
            end->node->handler->on_link_down(end->session);
        });
    }
}

void MemoryTransport::admit_provisionally(std::size_t at_most, std::chrono::milliseconds for_at_most) {
    const MemoryState::Lock lock(state_->mutex);
    node_->access.admit_provisionally(at_most, for_at_most);
    state_->end_strangers(node_);
}

std::optional<std::string> MemoryTransport::bound_endpoint() const {
    const MemoryState::Lock lock(state_->mutex);
    return node_->running ? node_->endpoint : std::nullopt;
}

TrafficCounters MemoryTransport::traffic() const {
    const MemoryState::Lock lock(state_->mutex);
    TrafficCounters traffic = node_->traffic;
    traffic.provisional = node_->access.counters();
    return traffic;
}

void MemoryTransport::stop() {
    const MemoryState::Lock lock(state_->mutex);
    if (!node_->running) return;
    node_->running = false;
    if (node_->endpoint) state_->listeners.erase(*node_->endpoint);
    for (const auto& [session, end] : std::map(node_->ends))
        state_->end_both(end);
}

}  // namespace unlearn::network
