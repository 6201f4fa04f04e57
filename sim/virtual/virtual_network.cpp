#include "sim/virtual/virtual_network.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>
#include <vector>

#include "node/network/access_list.hpp"
#include "node/network/limits.hpp"

namespace unlearn::sim::virtual_world {

using namespace std::chrono_literals;
using network::Frames;
using network::Priority;
using network::SessionId;
using protocol::NodeId;
using protocol::SteadyTime;

namespace {

constexpr SteadyTime kDialAgain = 500ms;
/// How long the other side takes to notice that a connection has ended.
constexpr SteadyTime kResetTime = 20ms;

void flip(Frames& frames, std::uint64_t bit) {
    std::size_t bits = 0;
    for (const auto& frame : frames)
        bits += frame.size() * 8;
    if (bits == 0) return;
    bit %= bits;
    for (auto& frame : frames) {
        if (bit < frame.size() * 8) {
            frame[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
            return;
        }
        bit -= frame.size() * 8;
    }
}

}  // namespace

/// One side of a connection.
struct VirtualEnd {
    std::shared_ptr<VirtualPeer> owner;
    std::weak_ptr<VirtualEnd> other;
    SessionId session = 0;
    NodeId peer;
    protocol::CurvePublicKey peer_key;
    bool dialled = false;
    bool open = true;
    std::array<SteadyTime, 3> last_arrival{};  ///< at the other side, by priority
    std::size_t bytes_under_way = 0;           ///< on their way to the other side
};

/// The state of one node's transport. It lives on while something is on its way to it.
struct VirtualPeer {
    NodeId id;
    protocol::CurvePublicKey key;  ///< of `id`; kept because deriving it costs an inversion
    std::optional<std::string> endpoint;
    network::TransportHandler* handler = nullptr;
    bool running = false;
    network::AccessList access;
    std::map<NodeId, std::string> wanted;
    std::map<SessionId, std::shared_ptr<VirtualEnd>> ends;
    network::TrafficCounters traffic;
};

struct VirtualNetworkState : std::enable_shared_from_this<VirtualNetworkState> {
    using Peer = std::shared_ptr<VirtualPeer>;
    using End = std::shared_ptr<VirtualEnd>;

    explicit VirtualNetworkState(VirtualTime& clock) : time(clock) {}

    VirtualTime& time;
    std::map<std::string, Peer> listeners;
    std::map<NodeId, Peer> running;
    VirtualNetwork::Latency latency = [] { return SteadyTime{1ms}; };
    VirtualNetwork::Judge judge;
    VirtualNetwork::Inspector inspector;
    VirtualNetwork::Blocked blocked;
    VirtualNetwork::Awake awake;
    SessionId next_session = 1;

    [[nodiscard]] network::AccessList::Clock::time_point access_time() const {
        return network::AccessList::Clock::time_point(time.now());
    }
    [[nodiscard]] bool is_blocked(const NodeId& from, const NodeId& to) const {
        return blocked && blocked(from, to);
    }

    /// Runs `task` after `delay`, but not while the node stands still.
    void later(const Peer& peer, SteadyTime delay, std::function<void()> task) {
        time.after(delay, [self = shared_from_this(), peer, task = std::move(task)]() mutable {
            const SteadyTime wake = self->awake ? self->awake(peer->id) : SteadyTime{};
            if (wake <= self->time.now()) return task();
            self->later(peer, wake - self->time.now(), std::move(task));
        });
    }

    void try_dial(const Peer& peer, const NodeId& to);
    [[nodiscard]] Peer reachable(const Peer& peer, const NodeId& to);
    void connect(const Peer& peer, const Peer& listener);
    void lose(const End& end, SteadyTime after = kResetTime);
    void end_both(const End& end);
    void report_malformed(const End& end, std::string reason);
    void end_strangers(const Peer& peer);
    void end_strangers_later(const Peer& peer);
    void send(const Peer& peer, SessionId session, const Frames& frames, Priority priority);
    void deliver(const End& from, const End& to, Frames frames);
    void stop(const Peer& peer, bool without_a_word);
};

VirtualNetworkState::Peer VirtualNetworkState::reachable(const Peer& peer, const NodeId& to) {
    const auto listener = listeners.find(peer->wanted.at(to));
    if (listener == listeners.end() || listener->second->id != to) return nullptr;
    if (is_blocked(peer->id, to) || is_blocked(to, peer->id)) return nullptr;
    switch (listener->second->access.connecting(peer->key, access_time())) {
        case network::AccessList::Answer::refused:
            return nullptr;
        case network::AccessList::Answer::provisional:
            end_strangers_later(listener->second);
            break;
        case network::AccessList::Answer::allowed:
            break;
    }
    return listener->second;
}

void VirtualNetworkState::try_dial(const Peer& peer, const NodeId& to) {
    if (!peer->running || !peer->wanted.contains(to)) return;
    for (const auto& [session, end] : peer->ends)
        if (end->dialled && end->open && end->peer == to) return;
    if (const Peer listener = reachable(peer, to)) return connect(peer, listener);
    later(peer, kDialAgain, [self = shared_from_this(), peer, to] { self->try_dial(peer, to); });
}

void VirtualNetworkState::connect(const Peer& peer, const Peer& listener) {
    const auto near = std::make_shared<VirtualEnd>();
    const auto far = std::make_shared<VirtualEnd>();
    near->owner = peer;
    near->peer = listener->id;
    near->peer_key = listener->key;
    near->dialled = true;
    far->owner = listener;
    far->peer = peer->id;
    far->peer_key = peer->key;
    for (const auto& [end, other] : {std::pair{near, far}, std::pair{far, near}}) {
        end->other = other;
        end->session = next_session++;
        end->owner->ends.emplace(end->session, end);
    }
    peer->traffic.handshake_bytes_sent += network::kHandshakeFromDialler;
    peer->traffic.handshake_bytes_received += network::kHandshakeFromListener;
    listener->traffic.handshake_bytes_sent += network::kHandshakeFromListener;
    listener->traffic.handshake_bytes_received += network::kHandshakeFromDialler;
    later(peer, 2 * latency(), [near] {
        if (near->owner->running && near->open) near->owner->handler->on_link_up(near->session, near->peer);
    });
}

/// Ends one side of a connection after a while.
void VirtualNetworkState::lose(const End& end, SteadyTime after) {
    later(end->owner, after, [self = shared_from_this(), end] {
        if (!std::exchange(end->open, false)) return;
        end->owner->ends.erase(end->session);
        if (!end->owner->running || !end->dialled) return;
        self->later(end->owner, kDialAgain,
                    [self, peer = end->owner, to = end->peer] { self->try_dial(peer, to); });
        end->owner->handler->on_link_down(end->session);
    });
}

/// Ends this side at once, and the other side after it got what was sent to it before.
void VirtualNetworkState::end_both(const End& end) {
    end->open = false;
    end->owner->ends.erase(end->session);
    if (end->dialled) end->owner->wanted.erase(end->peer);
    const SteadyTime last = *std::max_element(end->last_arrival.begin(), end->last_arrival.end());
    if (const auto other = end->other.lock())
        lose(other, std::max(last - time.now(), SteadyTime{}) + kResetTime);
}

void VirtualNetworkState::report_malformed(const End& end, std::string reason) {
    if (!end->owner->running || !end->open) return;
    end_both(end);
    end->owner->access.refuse(end->peer_key, access_time());
    end_strangers(end->owner);
    end->owner->handler->on_malformed(end->session, end->peer_key, std::move(reason));
}

void VirtualNetworkState::end_strangers(const Peer& peer) {
    for (const auto& [session, end] : std::map(peer->ends))
        if (!end->dialled && !peer->access.is_known(end->peer_key, access_time())) end_both(end);
    peer->access.expire(access_time());
}

void VirtualNetworkState::end_strangers_later(const Peer& peer) {
    const auto deadline = peer->access.next_deadline();
    if (!deadline) return;
    const auto wait = std::chrono::duration_cast<SteadyTime>(*deadline - access_time());
    later(peer, std::max(wait, SteadyTime{1ms}), [self = shared_from_this(), peer] {
        self->end_strangers(peer);
        self->end_strangers_later(peer);
    });
}

void VirtualNetworkState::send(const Peer& peer, SessionId session, const Frames& frames, Priority priority) {
    const auto found = peer->ends.find(session);
    if (found == peer->ends.end()) return;
    const End end = found->second;
    const auto size = network::wire_size(frames);
    peer->traffic.count_sent(network::kind_number(frames), size);
    const Fate fate = judge ? judge(peer->id, end->peer, frames) : Fate{};
    const auto other = end->other.lock();
    if (!other || is_blocked(peer->id, end->peer)) return;
    if (end->bytes_under_way + size > network::kMaxQueuedBytes)
        return later(peer, {}, [self = shared_from_this(), end] {
            self->report_malformed(end, "does not read what is sent: queue full");
        });
    for (int copy = 0; copy < fate.copies; ++copy) {
        SteadyTime arrival = time.now() + latency() + fate.delay;
        // As on one TCP connection, only more urgent messages overtake, and only those that still wait there.
        const auto lane = static_cast<std::ptrdiff_t>(priority);
        const auto begin = end->last_arrival.begin();
        if (!fate.overtakes) {
            arrival = std::max(arrival, *std::max_element(begin, begin + lane + 1));
            end->last_arrival[static_cast<std::size_t>(lane)] = arrival;
        }
        Frames copied = frames;
        if (fate.flipped) flip(copied, *fate.flipped);
        end->bytes_under_way += size;
        later(other->owner, arrival - time.now(),
              [self = shared_from_this(), end, other, size, sent = std::move(copied)]() mutable {
                  end->bytes_under_way -= size;
                  self->deliver(end, other, std::move(sent));
              });
    }
}

void VirtualNetworkState::deliver(const End& from, const End& to, Frames frames) {
    if (!to->open || !to->owner->running) return;
    if (is_blocked(from->owner->id, to->owner->id)) return;
    auto problem = network::problem_with(frames);
    if (!problem && !to->dialled)
        problem = to->owner->access.problem_with_message(to->peer_key, frames, access_time());
    if (problem) return report_malformed(to, std::move(*problem));
    to->owner->traffic.count_received(frames);
    if (inspector && !inspector(from->owner->id, to->owner->id, frames)) return;
    to->owner->handler->on_message(to->session, to->peer_key, std::move(frames));
}

void VirtualNetworkState::stop(const Peer& peer, bool without_a_word) {
    if (!peer->running) return;
    peer->running = false;
    running.erase(peer->id);
    if (peer->endpoint) listeners.erase(*peer->endpoint);
    if (without_a_word) {
        // The other sides notice by themselves after a while.
        for (const auto& [session, end] : peer->ends) {
            end->open = false;
            if (const auto other = end->other.lock()) lose(other);
        }
        peer->ends.clear();
        return;
    }
    for (const auto& [session, end] : std::map(peer->ends))
        end_both(end);
}

VirtualNetwork::VirtualNetwork(VirtualTime& time) : state_(std::make_shared<VirtualNetworkState>(time)) {}

void VirtualNetwork::set_latency(Latency latency) {
    state_->latency = std::move(latency);
}
void VirtualNetwork::set_judge(Judge judge) {
    state_->judge = std::move(judge);
}
void VirtualNetwork::set_inspector(Inspector inspector) {
    state_->inspector = std::move(inspector);
}
void VirtualNetwork::set_blocked(Blocked blocked) {
    state_->blocked = std::move(blocked);
}
void VirtualNetwork::set_awake(Awake awake) {
    state_->awake = std::move(awake);
}
void VirtualNetwork::kill(const NodeId& node) {
    const auto found = state_->running.find(node);
    if (found != state_->running.end()) state_->stop(std::shared_ptr(found->second), true);
}

VirtualTransport::VirtualTransport(VirtualNetwork& network, const NodeId& id,
                                   std::optional<std::string> endpoint)
    : state_(network.state_), peer_(std::make_shared<VirtualPeer>()) {
    peer_->id = id;
    peer_->key = id.curve_key();
    peer_->endpoint = std::move(endpoint);
}

VirtualTransport::~VirtualTransport() {
    stop();
}

protocol::Result<void> VirtualTransport::start(network::TransportHandler& handler) {
    if (peer_->endpoint && !state_->listeners.emplace(*peer_->endpoint, peer_).second)
        return protocol::fail(protocol::ErrorCode::internal,
                              "cannot listen on " + *peer_->endpoint + ": Address already in use");
    peer_->handler = &handler;
    peer_->running = true;
    state_->running[peer_->id] = peer_;
    return {};
}

void VirtualTransport::dial(const protocol::PeerAddress& peer) {
    if (!peer_->running) return;
    if (const auto it = peer_->wanted.find(peer.id); it != peer_->wanted.end() && it->second == peer.endpoint)
        return;
    hang_up(peer.id);
    peer_->wanted[peer.id] = peer.endpoint;
    state_->later(peer_, {}, [state = state_, self = peer_, to = peer.id] { state->try_dial(self, to); });
}

void VirtualTransport::hang_up(const NodeId& peer) {
    peer_->wanted.erase(peer);
    for (const auto& [session, end] : std::map(peer_->ends))
        if (end->dialled && end->peer == peer) state_->end_both(end);
}

void VirtualTransport::send(SessionId session, Frames frames, Priority priority) {
    state_->send(peer_, session, frames, priority);
}

void VirtualTransport::close(SessionId session) {
    const auto found = peer_->ends.find(session);
    if (found == peer_->ends.end()) return;
    const auto end = found->second;
    state_->end_both(end);
    if (!end->dialled) peer_->access.refuse(end->peer_key, state_->access_time());
    state_->end_strangers(peer_);
}

void VirtualTransport::allow(std::span<const protocol::CurvePublicKey> keys) {
    const auto struck_off = peer_->access.allow(keys);
    state_->end_strangers(peer_);
    const std::set<protocol::CurvePublicKey> over(struck_off.begin(), struck_off.end());
    if (over.empty()) return;
    std::erase_if(peer_->wanted, [&](const auto& peer) { return over.contains(peer.first.curve_key()); });
    for (const auto& [session, end] : std::map(peer_->ends)) {
        if (!end->dialled || !over.contains(end->peer_key)) continue;
        state_->end_both(end);
        state_->later(peer_, {}, [self = peer_, gone = end->session] {
            if (self->running) self->handler->on_link_down(gone);
        });
    }
}

void VirtualTransport::admit_provisionally(std::size_t at_most, std::chrono::milliseconds for_at_most) {
    peer_->access.admit_provisionally(at_most, for_at_most);
    state_->end_strangers(peer_);
}

std::optional<std::string> VirtualTransport::bound_endpoint() const {
    return peer_->running ? peer_->endpoint : std::nullopt;
}

network::TrafficCounters VirtualTransport::traffic() const {
    auto traffic = peer_->traffic;
    traffic.provisional = peer_->access.counters();
    return traffic;
}

void VirtualTransport::stop() {
    state_->stop(peer_, false);
}

}  // namespace unlearn::sim::virtual_world
