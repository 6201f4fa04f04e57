#include <algorithm>

#include "protocol/engine.hpp"

/// What an engine tells about itself. Nothing here changes anything.
namespace unlearn::protocol {

std::string_view name_of(SeedState state) {
    switch (state) {
        case SeedState::checking:
            return "checking";
        case SeedState::in_use:
            return "in-use";
        case SeedState::quarantined:
            return "quarantined";
        case SeedState::lease_ended:
            return "lease-ended";
        case SeedState::held_aside:
            return "held-aside";
    }
    return "unknown";
}

std::string_view name_of(PeerState state) {
    switch (state) {
        case PeerState::down:
            return "down";
        case PeerState::connecting:
            return "connecting";
        case PeerState::up:
            return "up";
        case PeerState::suspect:
            return "suspect";
        case PeerState::former:
            return "former";
        case PeerState::left:
            return "left";
    }
    return "unknown";
}

std::string_view name_of(PeerSource source) {
    switch (source) {
        case PeerSource::config:
            return "config";
        case PeerSource::added:
            return "added";
        case PeerSource::membership:
            return "membership";
    }
    return "unknown";
}

bool Engine::may_use(const NodeId& owner, SeedVersion version) const {
    const auto held = held_.find(owner);
    return held != held_.end() && held->second.record.version == version &&
           ask_gate(owner, version, AdmissionPoint::rebuild) == Admission::admitted;
}

std::map<NodeId, SeedVersion> Engine::seeds_in_use() const {
    std::map<NodeId, SeedVersion> out;
    for (const auto& [owner, held] : held_)
        if (held.in_use) out.emplace(owner, held.record.version);
    return out;
}

std::vector<HeldSeedStatus> Engine::held_seeds() const {
    std::vector<HeldSeedStatus> out;
    const auto add = [&](const NodeId& owner, const Held& held, SeedState state, std::string detail) {
        out.push_back({owner, held.record.version, held.record.architecture, held.record.payload_bytes, state,
                       std::move(detail), held.lease.not_after});
    };
    for (const auto& [owner, held] : held_) {
        const Admission admission = ask_gate(owner, held.record.version, AdmissionPoint::rebuild);
        if (held.in_use)
            add(owner, held, SeedState::in_use, {});
        else if (admission == Admission::held_aside)
            add(owner, held, SeedState::held_aside, held.aside.value_or(""));
        else
            add(owner, held,
                admission == Admission::lease_ended ? SeedState::lease_ended : SeedState::quarantined,
                std::string(describe(admission)));
    }
    for (const auto& [owner, held] : candidates_)
        if (!held_.contains(owner)) add(owner, held, SeedState::checking, {});
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.owner < b.owner; });
    return out;
}

bool Engine::has_session(const NodeId& peer) const {
    return std::any_of(sessions_.begin(), sessions_.end(),
                       [&](const auto& entry) { return entry.second.peer == peer; });
}

std::vector<PeerStatus> Engine::peers() const {
    std::vector<PeerStatus> out;
    for (const auto& [peer, info] : peers_) {
        PeerState state = PeerState::down;
        if (exits_.contains(peer))
            state = PeerState::left;
        else if (const auto up = session_of_.find(peer); up != session_of_.end())
            state = sessions_.at(up->second).suspect ? PeerState::suspect : PeerState::up;
        else if (info.former)
            state = PeerState::former;
        else if (has_session(peer))
            state = PeerState::connecting;
        out.push_back({peer, info.endpoint, state, info.source});
    }
    return out;
}

std::optional<OwnSeedStatus> Engine::own_seed() const {
    if (!own_seed_ || !own_seed_->durable) return std::nullopt;
    return OwnSeedStatus{own_seed_->record.version, own_seed_->record.architecture,
                         own_seed_->record.payload_bytes,
                         own_lease_ ? own_lease_->lease.not_after : WallTime{}};
}

EngineSizes Engine::sizes() const {
    EngineSizes sizes{sessions_.size(),   blocked_.size(), 0, downloads_.size(),
                      candidates_.size(), stores_.size(),  0};
    for (const auto& [owner, versions] : equivocations_)
        sizes.equivocations += versions.size();
    for (const auto& [session_id, session] : sessions_)
        sizes.waiting_gets = std::max(sizes.waiting_gets, session.waiting_gets.size());
    return sizes;
}

std::vector<NodeId> Engine::tombstones() const {
    std::vector<NodeId> out;
    for (const auto& [owner, exit] : exits_)
        out.push_back(owner);
    return out;
}

ExitProgress Engine::own_exit() const {
    ExitProgress progress;
    progress.recipients = recipients_;
    progress.receipts = receipts_;
    if (own_exit_) {
        progress.begun = true;
        progress.durable = own_exit_->stage != OwnExitStage::storing;
        progress.announced = own_exit_->stage == OwnExitStage::announced;
        progress.complete = own_exit_->complete;
        progress.given_up = own_exit_->given_up;
        progress.met = own_exit_->met;
        progress.notice = own_exit_->notice;
    }
    return progress;
}

}  // namespace unlearn::protocol
