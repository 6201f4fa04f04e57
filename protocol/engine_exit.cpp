#include <algorithm>

#include "protocol/engine.hpp"
#include "protocol/limits.hpp"

namespace unlearn::protocol {

// ---------------------------------------------------------------- exits of others

void Engine::handle_exit(SessionId session_id, Session& session, const Exit& exit) {
    auto notice = verify_notice(config_.network, exit.notice);
    if (!notice) return drop_peer(session_id, session.key, notice.error());
    const NodeId owner = notice->owner;
    if (owner == id()) {
        if (!own_exit_) note(EventKind::own_exit_met, session.peer);
        return;
    }
    const auto known = exits_.find(owner);
    if (known == exits_.end()) return learn_exit(*notice, exit.notice, session.peer);
    // The owner asks again because our receipt was lost or is not signed yet.
    if (owner == session.peer && known->second.erased) send_receipt(owner, known->second);
}

void Engine::learn_exit(const ExitNotice& notice, const SignedBytes& signed_notice,
                        std::optional<NodeId> heard_from) {
    const NodeId& owner = notice.owner;
    PeerExit& exit = exits_[owner];
    exit.notice = signed_notice;
    exit.heard_from = heard_from;
    exit.erased_version = stop_using(owner);
    const bool dropped_now = exit.erased_version != SeedVersion{0};
    // When we are leaving ourselves, the wipe of this seed may be under way already.
    const bool wiping_already = own_exit_ && own_exit_->not_wiped.contains(owner);
    if (wiping_already) exit.erased_version = own_exit_->erasing.at(owner);
    exit.memory_wiped = !dropped_now && !wiping_already;
    note(EventKind::exit_learned, owner, exit.erased_version);
    persist({PutTombstone{owner, signed_notice}}, ThenTombstoned{owner});
    if (dropped_now) effects_.push_back(WipeSeed{owner});
}

SeedVersion Engine::stop_using(const NodeId& owner) {
    SeedVersion version{0};
    const auto forget = [&](std::map<NodeId, Held>& seeds) {
        const auto it = seeds.find(owner);
        if (it == seeds.end()) return;
        version = std::max(version, it->second.record.version);
        seeds.erase(it);
    };
    forget(held_);
    forget(candidates_);
    fetches_.erase(owner);
    refused_.erase(owner);
    if (version != SeedVersion{0}) effects_.push_back(DropSeed{owner});
    return version;
}

void Engine::on(const SeedWiped& wiped) {
    if (own_exit_ && own_exit_->not_wiped.erase(wiped.owner) > 0) leave_when_wiped();
    if (const auto it = exits_.find(wiped.owner); it != exits_.end()) {
        it->second.memory_wiped = true;
        advance_peer_exit(wiped.owner, it->second);
    }
}

void Engine::advance_peer_exit(const NodeId& owner, PeerExit& exit) {
    if (!exit.tombstone_durable || exit.erased) return;
    if (!exit.passed_on) {
        exit.passed_on = true;
        // The tombstone is durable, so it can be passed on: whoever learns it from us will not see it vanish
        // here.
        for (const auto& [peer, session_id] : session_of_)
            if (peer != owner && peer != exit.heard_from)
                send(session_id, sessions_.at(session_id), Exit{exit.notice});
    }
    if (!exit.memory_wiped || exit.erase_asked) return;
    if (!maybe_on_disk_.contains(owner)) return finish_erasure(owner);
    exit.erase_asked = true;
    persist({EraseHeldSeed{owner}}, ThenErased{owner});
}

void Engine::finish_erasure(const NodeId& owner) {
    PeerExit& exit = exits_.at(owner);
    exit.erased = true;
    const bool was_on_disk = maybe_on_disk_.erase(owner) > 0;
    if (was_on_disk || exit.erased_version != SeedVersion{0})
        note(EventKind::seed_erased, owner, exit.erased_version);
    send_receipt(owner, exit);
}

void Engine::send_receipt(const NodeId& owner, const PeerExit& exit) {
    if (established_session(owner) == nullptr) return;
    const Receipt receipt{owner, id(), ReceiptReason::exit, exit.erased_version, now_.wall};
    send_to(owner, ReceiptMessage{sign_receipt(identity_, config_.network, receipt)});
}

// ---------------------------------------------------------------- our own exit

void Engine::on(const BeginExit&) {
    if (own_exit_) return;
    own_exit_ = OwnExit{};
    own_exit_->notice = sign_notice(identity_, config_.network, ExitNotice{id(), now_.wall});
    note(EventKind::exit_begun, id());
    persist({PutExiting{own_exit_->notice}}, ThenExiting{});
}

void Engine::begin_erasing_everything() {
    own_exit_->stage = OwnExitStage::erasing;
    std::set<NodeId> owners = maybe_on_disk_;
    for (const auto& [owner, held] : held_)
        owners.insert(owner);
    for (const auto& [owner, candidate] : candidates_)
        owners.insert(owner);
    fetches_.clear();
    for (const NodeId& owner : owners) {
        if (exits_.contains(owner)) continue;  // its own exit erases it
        const SeedVersion version = stop_using(owner);
        own_exit_->erasing.emplace(owner, version);
        if (version == SeedVersion{0}) continue;
        own_exit_->not_wiped.insert(owner);
        effects_.push_back(WipeSeed{owner});
    }
    leave_when_wiped();
}

void Engine::leave_when_wiped() {
    if (own_exit_->stage != OwnExitStage::erasing || !own_exit_->not_wiped.empty()) return;
    std::vector<StoreOp> ops;
    for (const auto& [owner, version] : own_exit_->erasing)
        ops.push_back(EraseHeldSeed{owner});
    if (ops.empty()) return announce_exit();
    persist(std::move(ops), ThenLeftEverything{});
}

void Engine::announce_exit() {
    own_exit_->stage = OwnExitStage::announced;
    for (const auto& [owner, version] : own_exit_->erasing) {
        maybe_on_disk_.erase(owner);
        const Receipt receipt{owner, id(), ReceiptReason::left, version, now_.wall};
        send_to(owner, ReceiptMessage{sign_receipt(identity_, config_.network, receipt)});
    }
    note(EventKind::exit_announced, id());
    own_exit_->backoff = kExitRetryFirst;
    send_notice_where_due();
    check_complete();
}

void Engine::send_notice_where_due() {
    for (const auto& [peer, session_id] : session_of_)
        if (!receipts_.contains(peer)) send(session_id, sessions_.at(session_id), Exit{own_exit_->notice});
    own_exit_->next_retry = now_.steady + own_exit_->backoff;
}

void Engine::tick_exit() {
    if (!own_exit_ || own_exit_->stage != OwnExitStage::announced || own_exit_->complete) return;
    if (now_.steady < own_exit_->next_retry) return;
    own_exit_->backoff = std::min(own_exit_->backoff * 2, kExitRetryMost);
    send_notice_where_due();
}

void Engine::handle_receipt(SessionId session_id, Session& session, const ReceiptMessage& message) {
    auto receipt = verify_receipt(session.peer, config_.network, message.receipt);
    if (!receipt) return drop_peer(session_id, session.key, receipt.error());
    const bool expected = receipt->owner == id() && (receipt->reason == ReceiptReason::left || own_exit_);
    if (!expected) return drop_peer(session_id, session.key, Error{ErrorCode::unsolicited, "receipt"});
    if (receipts_.contains(receipt->holder)) return;
    persist({PutReceipt{receipt->holder, message.receipt}}, ThenReceipt{receipt->holder, message.receipt});
}

void Engine::check_complete() {
    if (!own_exit_ || own_exit_->stage != OwnExitStage::announced || own_exit_->complete) return;
    const bool all = std::all_of(recipients_.begin(), recipients_.end(), [this](const auto& recipient) {
        return receipts_.contains(recipient.first);
    });
    if (!all) return;
    own_exit_->complete = true;
    note(EventKind::exit_complete, id());
}

}  // namespace unlearn::protocol
