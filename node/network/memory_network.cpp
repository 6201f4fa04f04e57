#include "node/network/memory_network.hpp"

#include <cassert>
#include <map>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

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
    std::set<protocol::CurvePublicKey> allowed;
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
    [[nodiscard]] Node reachable(const Node& node, const protocol::NodeId& peer) const;
    void connect(const Node& node, const Node& listener);
    void deliver_one(const End& from, const End& to);
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

MemoryState::Node MemoryState::reachable(const Node& node, const protocol::NodeId& peer) const {
    const auto listener = listeners.find(node->wanted.at(peer));
    if (listener == listeners.end() || cut.contains(pair_of(node->id, peer))) return nullptr;
    const Node& found = listener->second;
    const bool right_keys = found->id == peer && found->allowed.contains(node->id.curve_key());
    return right_keys ? found : nullptr;
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
    lock.unlock();
    end->node->handler->on_malformed(end->session, end->peer_key, std::move(reason));
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
    const bool listed = to->dialled || to->node->allowed.contains(to->peer_key);
    if (!listed) return;
    if (auto problem = problem_with(frames)) {
        lock.unlock();
        return report_malformed(to, std::move(*problem));
    }
    to->node->traffic.count_received(frames);
    lock.unlock();
    to->node->handler->on_message(to->session, to->peer_key, std::move(frames));
}

void MemoryState::close(const Node& node, SessionId session) {
    const Lock lock(mutex);
    if (const auto found = node->ends.find(session); found != node->ends.end()) end_both(End(found->second));
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
    node_->allowed = {keys.begin(), keys.end()};
    for (const auto& [session, end] : std::map(node_->ends)) {
        if (!end->dialled && !node_->allowed.contains(end->peer_key)) state_->end_both(end);
    }
}

std::optional<std::string> MemoryTransport::bound_endpoint() const {
    const MemoryState::Lock lock(state_->mutex);
    return node_->running ? node_->endpoint : std::nullopt;
}

TrafficCounters MemoryTransport::traffic() const {
    const MemoryState::Lock lock(state_->mutex);
    return node_->traffic;
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
