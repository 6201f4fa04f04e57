#include "protocol/engine/network_gossip.hpp"

#include <algorithm>

#include "protocol/digest.hpp"
#include "protocol/limits.hpp"

namespace unlearn::protocol {

namespace {

/// What a statement says, whatever its number and time: nodes that heard two statements of the same agree.
Digest id_of(NetworkStatementKind kind, const SignedBytes& statement) {
    Bytes says{static_cast<std::uint8_t>(kind)};
    const auto add = [&says](const NodeId& key, const NodeId& subject) {
        for (const NodeId* id : {&key, &subject})
            says.insert(says.end(), id->view().begin(), id->view().end());
    };
    if (kind == NetworkStatementKind::succession) {
        if (const auto read = read_succession(statement)) add(read->network_key, read->next);
    } else if (const auto read = read_revocation(statement)) {
        add(read->network_key, read->member);
    }
    return digest_of(says);
}

}  // namespace

NetworkGossip::Statements NetworkGossip::statements() const {
    Statements out;
    const auto add = [&](NetworkStatementKind kind, std::vector<SignedBytes> all) {
        for (auto& statement : all) {
            const Digest id = id_of(kind, statement);
            out.emplace_back(id, Shared{kind, std::move(statement)});
        }
    };
    add(NetworkStatementKind::succession, network_key_.successions());
    add(NetworkStatementKind::revocation, expulsions_.signed_by_current_key());
    return out;
}

Digest NetworkGossip::summary_of(const Statements& statements) {
    std::vector<Digest> ids;
    for (const auto& [id, shared] : statements)
        ids.push_back(id);
    std::sort(ids.begin(), ids.end());
    return digest_of(joined(ids));
}

void NetworkGossip::begin(SessionId id, Session& session) {
    if (!network_key_.exists() || session.version < version_of(Kind::network_digest)) return;
    known_there_[id].clear();
    sessions_.send(id, session,
                   NetworkDigest{NetworkDigestPart::summary, true, summary_of(statements()), {}});
}

void NetworkGossip::begin_with_all() {
    for (const auto& [peer, id] : sessions_.all_established())
        begin(id, sessions_.at(id));
}

Result<void> NetworkGossip::take(SessionId id, Session& session, const NetworkDigest& digest) {
    if (!network_key_.exists()) {
        ++context_.counters.messages_ignored;
        return {};
    }
    const auto ours = statements();
    if (digest.part == NetworkDigestPart::summary) {
        if (digest.summary == summary_of(ours)) return {};
        const auto last = answered_at_.find(id);
        if (last != answered_at_.end() && context_.now.steady < last->second + kCompareAtMostEvery) {
            ++context_.counters.messages_ignored;
            return {};
        }
        answered_at_.insert_or_assign(id, context_.now.steady);
        send_ids(id, session, ours);
        return {};
    }
    const auto running = known_there_.find(id);
    if (running == known_there_.end()) {
        ++context_.counters.messages_ignored;
        return {};
    }
    auto& there = running->second;
    if (there.size() + digest.ids.size() > kMaxRevocations + kMaxSuccessions)
        return fail(ErrorCode::too_much, "network digest: more statements than anybody keeps");
    there.insert(digest.ids.begin(), digest.ids.end());
    if (!digest.last) return {};
    for (const auto& [known, shared] : ours)
        if (!there.contains(known))
            sessions_.send(id, session, NetworkStatement{shared.kind, shared.statement});
    known_there_.erase(running);
    return {};
}

void NetworkGossip::send_ids(SessionId id, Session& session, const Statements& statements) {
    std::vector<Digest> ids;
    for (const auto& [known, shared] : statements)
        ids.push_back(known);
    in_parts(ids, [&](std::vector<Digest> part, bool last) {
        sessions_.send(id, session, NetworkDigest{NetworkDigestPart::known, last, {}, std::move(part)});
    });
}

void NetworkGossip::pass_on(NetworkStatementKind kind, const SignedBytes& statement) {
    for (const auto& [peer, id] : sessions_.all_established())
        sessions_.send_if_known(id, sessions_.at(id), NetworkStatement{kind, statement});
}

void NetworkGossip::show_expelled(SessionId id, Session& session) {
    const auto* revocation = expulsions_.revocation_of(session.peer);
    if (revocation != nullptr)
        sessions_.send_if_known(id, session, NetworkStatement{NetworkStatementKind::revocation, *revocation});
}

void NetworkGossip::tick() {
    const auto& established = sessions_.all_established();
    if (!network_key_.exists() || context_.now.steady < next_comparison_ || established.empty()) return;
    next_comparison_ = context_.now.steady + context_.config.pace.compare_every;
    auto next = last_compared_ ? established.upper_bound(*last_compared_) : established.begin();
    if (next == established.end()) next = established.begin();
    last_compared_ = next->first;
    begin(next->second, sessions_.at(next->second));
}

void NetworkGossip::forget(SessionId id) {
    known_there_.erase(id);
    answered_at_.erase(id);
}

}  // namespace unlearn::protocol
