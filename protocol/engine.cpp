#include "protocol/engine.hpp"

#include <utility>

#include "protocol/engine/router.hpp"

namespace unlearn::protocol {

Engine::Engine(const Identity& identity, EngineConfig config, LoadedState state)
    : router_(std::make_unique<Router>(identity, std::move(config), std::move(state))) {}

Engine::~Engine() = default;

std::vector<Effect> Engine::step(const Input& input, Now now) {
    return router_->step(input, now);
}

bool Engine::may_use(const NodeId& owner, SeedVersion version) const {
    return router_->held.may_use(owner, version);
}

const NodeId& Engine::id() const {
    return router_->context.id();
}

std::map<NodeId, SeedVersion> Engine::seeds_in_use() const {
    return router_->held.in_use();
}

std::vector<HeldSeedStatus> Engine::held_seeds() const {
    return router_->held.status();
}

std::vector<PeerStatus> Engine::peers() const {
    std::vector<PeerStatus> out;
    const auto& established = router_->sessions.all_established();
    for (const auto& [id, peer] : router_->peers.all()) {
        PeerState state = PeerState::down;
        if (router_->exits.contains(id))
            state = PeerState::left;
        else if (const auto up = established.find(id); up != established.end())
            state = router_->sessions.at(up->second).suspect ? PeerState::suspect : PeerState::up;
        else if (peer.former)
            state = PeerState::former;
        else if (router_->sessions.has_session(id))
            state = PeerState::connecting;
        const Admission why = router_->members.why_no_seeds(id);
        const bool gone = state == PeerState::left || state == PeerState::former;
        std::string no_seeds = gone ? std::string() : std::string(describe(why));
        if (why == Admission::admitted)
            no_seeds = router_->held.too_large(id) ? std::string(describe(Admission::too_large)) : "";
        out.push_back(
            {id, peer.endpoint, state, peer.source, std::move(no_seeds), router_->members.end_of(id)});
    }
    return out;
}

bool Engine::is_expelled(const NodeId& member) const {
    return router_->expulsions.contains(member);
}

bool Engine::is_network_key_undecided() const {
    return router_->network_key.is_undecided();
}

bool Engine::knows_succession(const NodeId& key, const NodeId& next) const {
    return router_->network_key.knows(key, next);
}

NetworkKeyStatus Engine::network_key() const {
    const NetworkKey& key = router_->network_key;
    if (!key.exists()) return {};
    return {key.current(),
            key.chain(),
            key.followed(),
            key.successions(),
            router_->expulsions.durable(),
            router_->context.config.membership};
}

std::optional<OwnSeedStatus> Engine::own_seed() const {
    return router_->own_seed.status();
}

bool Engine::has_tombstone(const NodeId& owner) const {
    return router_->exits.contains(owner);
}

std::vector<NodeId> Engine::tombstones() const {
    return router_->exits.owners();
}

const ExitSet& Engine::known_exits() const {
    return router_->comparison.exits();
}

std::size_t Engine::established_peers() const {
    return router_->sessions.all_established().size();
}

ExitProgress Engine::own_exit() const {
    return router_->own_exit.progress();
}

const EngineCounters& Engine::counters() const {
    return router_->context.counters;
}

EngineSizes Engine::sizes() const {
    const Router& router = *router_;
    return {router.sessions.all().size(), router.sessions.blocked_keys(), router.own_seed.waiting_gets(),
            router.held.downloads(),      router.held.candidates(),       router.writes.size(),
            router.held.equivocations(),  router.expulsions.size()};
}

const EngineConfig& Engine::config() const {
    return router_->context.config;
}

}  // namespace unlearn::protocol
