#include <algorithm>
#include <utility>

#include "protocol/engine.hpp"
#include "protocol/limits.hpp"

namespace unlearn::protocol {

// ---------------------------------------------------------------- exits of others

void Engine::handle_exit(SessionId session_id, Session& session, const Exit& exit) {
    // Every neighbour passes it on: a copy of what was verified before is not verified again.
    if (const auto named = owner_named_in(exit.notice))
        if (const auto known = exits_.find(*named);
            known != exits_.end() && known->second.notice == exit.notice)
            return meet_known_exit(session, *named);
    auto notice = verify_notice(config_.network, exit.notice);
    if (!notice) return drop_peer(session_id, session.key, notice.error());
    const NodeId owner = notice->owner;
    if (owner == id()) return meet_own_exit(exit.notice, session.peer);
    if (exits_.contains(owner)) return meet_known_exit(session, owner);
    // An exit of somebody we never heard of is kept all the same, but nobody may fill our disk with them.
    const bool introduced =
        owner == session.peer || is_known_owner(owner) ||
        (config_.network_key ? shows_membership(owner, notice->membership)
                             : allowances_of(session.peer).introductions.take(1, now_.steady));
    if (introduced) return learn_exit(*notice, exit.notice, session.peer);
    ++counters_.exits_put_off;
}

void Engine::meet_known_exit(const Session& session, const NodeId& owner) {
    // The owner asks again because our receipt was lost or is not signed yet.
    const PeerExit& known = exits_.at(owner);
    if (owner == session.peer && known.erased) send_receipt(owner, known);
}

std::set<BurntId> Engine::known_owners() const {
    std::set<BurntId> owners;
    for (const auto& [peer, info] : peers_)
        owners.insert(BurntId{peer.bytes()});
    for (const auto& [peer, recipient] : recipients_)
        owners.insert(BurntId{peer.bytes()});
    for (const NodeId& owner : maybe_on_disk_)
        owners.insert(BurntId{owner.bytes()});
    return owners;
}

bool Engine::is_known_owner(const NodeId& owner) const {
    return peers_.contains(owner) || recipients_.contains(owner) || maybe_on_disk_.contains(owner);
}

void Engine::on(const SubmitNotice& submit) {
    const auto notice = verify_notice(config_.network, submit.notice);
    if (!notice) return note(EventKind::peer_dropped, {}, {}, "submitted notice: " + notice.error().text());
    if (notice->owner == id())
        meet_own_exit(submit.notice, id());
    else if (!exits_.contains(notice->owner))
        learn_exit(*notice, submit.notice, std::nullopt);
}

void Engine::meet_own_exit(const SignedBytes& notice, const NodeId& heard_from) {
    if (own_exit_) return;
    note(EventKind::own_exit_met, heard_from);
    begin_own_exit(notice, true);
}

void Engine::learn_exit(const ExitNotice& notice, const SignedBytes& signed_notice,
                        std::optional<NodeId> heard_from) {
    const NodeId& owner = notice.owner;
    PeerExit& exit = exits_[owner];
    exit.notice = signed_notice;
    exit.heard_from = heard_from;
    exit.erased_version = stop_using(owner);
    const bool dropped_now = exit.erased_version != SeedVersion{0};
    // When we are leaving ourselves, or removed the owner, the wipe of this seed may be under way already.
    if (const auto wiping = wiping_.find(owner); wiping != wiping_.end() && !dropped_now)
        exit.erased_version = wiping->second.version;
    note(EventKind::exit_learned, owner, exit.erased_version);
    persist({PutTombstone{owner, signed_notice}}, ThenTombstoned{owner});
    if (dropped_now) begin_wipe(owner, exit.erased_version);
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
    downloads_.erase(owner);
    refused_.erase(owner);
    if (version != SeedVersion{0}) effects_.push_back(DropSeed{owner});
    return version;
}

void Engine::begin_wipe(const NodeId& owner, SeedVersion version) {
    Wiping& wiping = wiping_[owner];
    ++wiping.pending;
    wiping.version = std::max(wiping.version, version);
    effects_.push_back(WipeSeed{owner});
}

void Engine::on(const SeedWiped& wiped) {
    const NodeId& owner = wiped.owner;
    const auto wiping = wiping_.find(owner);
    if (wiping == wiping_.end() || --wiping->second.pending > 0) return;
    wiping_.erase(wiping);
    if (own_exit_) leave_when_wiped();
    if (const auto it = exits_.find(owner); it != exits_.end())
        advance_peer_exit(owner, it->second);
    else if (removing_.contains(owner))
        persist({EraseHeldSeed{owner}}, ThenRemoved{owner});
}

void Engine::finish_removal(const NodeId& owner) {
    removing_.erase(owner);
    if (!held_.contains(owner) && !candidates_.contains(owner)) maybe_on_disk_.erase(owner);
}

void Engine::advance_peer_exit(const NodeId& owner, PeerExit& exit) {
    if (!exit.tombstone_durable || exit.erased) return;
    if (!exit.passed_on) {
        exit.passed_on = true;
        // The tombstone is durable, so it can be passed on: whoever learns it from us will not see it vanish
        // here.
        for (const auto& [peer, session_id] : session_of_)
            if (peer != exit.heard_from)  // the owner too: it may be a copy that does not know
                send(session_id, sessions_.at(session_id), Exit{exit.notice});
    }
    if (wiping_.contains(owner) || exit.erase_asked) return;
    if (!maybe_on_disk_.contains(owner)) return finish_erasure(owner);
    exit.erase_asked = true;
    persist({EraseHeldSeed{owner}}, ThenErased{owner});
}

void Engine::finish_erasure(const NodeId& owner) {
    PeerExit& exit = exits_.at(owner);
    exit.erased = true;
    removing_.erase(owner);
    const bool was_on_disk = maybe_on_disk_.erase(owner) > 0;
    if (was_on_disk || exit.erased_version != SeedVersion{0})
        note(EventKind::seed_erased, owner, exit.erased_version);
    if (let_in_again(owner)) allow_neighbours();
    send_receipt(owner, exit);
    if (own_exit_ && own_exit_->retires_for) retire(*own_exit_->retires_for);
}

void Engine::send_receipt(const NodeId& owner, const PeerExit& exit) {
    if (established_session(owner) == nullptr) return;
    const Receipt receipt{owner, id(), ReceiptReason::exit, exit.erased_version, now_.wall};
    send_to(owner, ReceiptMessage{sign_receipt(identity_, config_.network, receipt)});
}

// ---------------------------------------------------------------- our own exit

void Engine::on(const BeginExit&) {
    if (own_exit_) return;
    note(EventKind::exit_begun, id());
    begin_own_exit(sign_notice(identity_, config_.network, ExitNotice{id(), now_.wall, config_.membership}),
                   false);
}

void Engine::begin_own_exit(SignedBytes notice, bool met) {
    own_exit_ = OwnExit{};
    own_exit_->notice = std::move(notice);
    own_exit_->met = met;
    persist({PutExiting{own_exit_->notice, met}}, ThenExiting{});
    // A copy of this identity has left: what we hold goes out of use at once, durable or not.
    if (!met) return;
    std::vector<NodeId> owners;
    for (const auto& [owner, held] : held_)
        owners.push_back(owner);
    for (const NodeId& owner : owners) {
        const SeedVersion version = stop_using(owner);
        own_exit_->erasing.emplace(owner, version);
        begin_wipe(owner, version);
    }
}

void Engine::begin_erasing_everything() {
    own_exit_->stage = OwnExitStage::erasing;
    std::set<NodeId> owners = maybe_on_disk_;
    for (const auto& [owner, held] : held_)
        owners.insert(owner);
    for (const auto& [owner, candidate] : candidates_)
        owners.insert(owner);
    downloads_.clear();
    for (const NodeId& owner : owners) {
        if (exits_.contains(owner)) continue;  // its own exit erases it
        const SeedVersion version = stop_using(owner);
        const bool new_here = own_exit_->erasing.emplace(owner, version).second;
        if (new_here && version != SeedVersion{0}) begin_wipe(owner, version);
    }
    leave_when_wiped();
}

void Engine::leave_when_wiped() {
    auto& erasing = own_exit_->erasing;
    if (own_exit_->stage != OwnExitStage::erasing ||
        std::any_of(erasing.begin(), erasing.end(),
                    [this](const auto& entry) { return wiping_.contains(entry.first); }))
        return;
    own_exit_->stage = OwnExitStage::storing_erasure;
    std::vector<StoreOp> ops;
    for (const auto& [owner, version] : erasing) {
        ops.push_back(EraseHeldSeed{owner});
        if (left_receipts_.contains(owner)) continue;
        // It leaves this node only once the erasure, in the same transaction, is durable.
        const Receipt receipt{owner, id(), ReceiptReason::left, version, now_.wall};
        const auto [it, inserted] =
            left_receipts_.emplace(owner, sign_receipt(identity_, config_.network, receipt));
        ops.push_back(PutLeftReceipt{owner, it->second});
    }
    if (ops.empty()) return announce_exit();
    persist(std::move(ops), ThenLeftEverything{});
}

void Engine::announce_exit() {
    own_exit_->stage = OwnExitStage::announced;
    for (const auto& [owner, version] : own_exit_->erasing)
        maybe_on_disk_.erase(owner);
    for (const auto& [owner, receipt] : left_receipts_)
        send_to(owner, ReceiptMessage{receipt});
    note(EventKind::exit_announced, id());
    own_exit_->backoff = kExitRetryFirst;
    reach_former_recipients();
    send_notice_where_due();
    if (own_exit_->met) return retire("own exit met");
    if (own_exit_->given_up) return retire("given up");
    check_complete();
}

void Engine::reach_former_recipients() {
    bool changed = false;
    for (const auto& [peer, info] : peers_) {
        if (recipients_.contains(peer) && !receipts_.contains(peer)) changed |= let_in_again(peer);
    }
    if (changed) allow_neighbours();
}

/// A peer that was removed gets its receipt, and gives us ours, all the same.
bool Engine::let_in_again(const NodeId& peer) {
    const auto it = peers_.find(peer);
    if (it == peers_.end() || !it->second.former) return false;
    it->second.former = false;
    redial(peer);
    return true;
}

void Engine::on(const GiveUpExit&) {
    if (!own_exit_ || own_exit_->retiring || own_exit_->given_up) return;
    if (own_exit_->complete) return retire("exit complete");
    own_exit_->given_up = true;
    if (own_exit_->stage == OwnExitStage::announced) retire("given up");
}

void Engine::retire(std::string reason) {
    if (own_exit_->retiring) return;
    if (erases_for_others()) {
        own_exit_->retires_for = std::move(reason);
        return;
    }
    own_exit_->retiring = true;
    persist({PutRetired{reason}}, ThenRetired{reason});
}

/// The seed of somebody who left before us is still on disk, as long as the disk fails: once we have retired,
/// nobody would erase it any more.
bool Engine::erases_for_others() const {
    return std::any_of(exits_.begin(), exits_.end(), [this](const auto& known) {
        return !known.second.erased &&
               (maybe_on_disk_.contains(known.first) || wiping_.contains(known.first));
    });
}

void Engine::send_notice_where_due() {
    for (const auto& [peer, session_id] : session_of_)
        if (!receipts_.contains(peer)) send(session_id, sessions_.at(session_id), Exit{own_exit_->notice});
    own_exit_->next_retry = now_.steady + own_exit_->backoff;
}

void Engine::tick_exit() {
    if (!own_exit_ || own_exit_->stage != OwnExitStage::announced || own_exit_->retiring) return;
    if (now_.steady < own_exit_->next_retry) return;
    own_exit_->backoff = std::min(own_exit_->backoff * 2, kExitRetryMost);
    send_notice_where_due();
}

void Engine::handle_receipt(SessionId session_id, Session& session, const ReceiptMessage& message) {
    auto receipt = verify_receipt(session.peer, config_.network, message.receipt);
    if (!receipt) return drop_peer(session_id, session.key, receipt.error());
    const bool expected = receipt->owner == id() && (receipt->reason == ReceiptReason::left || own_exit_);
    if (!expected) return drop_peer(session_id, session.key, Error{ErrorCode::unsolicited, "receipt"});
    if (receipts_.contains(receipt->holder) || !receipts_pending_.insert(receipt->holder).second) return;
    persist({PutReceipt{receipt->holder, message.receipt}}, ThenReceipt{receipt->holder, message.receipt});
}

void Engine::check_complete() {
    if (!own_exit_ || own_exit_->stage != OwnExitStage::announced || own_exit_->retiring) return;
    const bool all = std::all_of(recipients_.begin(), recipients_.end(), [this](const auto& recipient) {
        return receipts_.contains(recipient.first);
    });
    if (!all) return;
    if (!std::exchange(own_exit_->complete, true)) note(EventKind::exit_complete, id());
    if (somebody_keeps_our_exit() || !has_other_neighbour(id())) retire("exit complete");
}

/// With its first receipt somebody who stays has stored the notice, and passes it on. Without, it would end
/// with us.
bool Engine::somebody_keeps_our_exit() const {
    return std::any_of(receipts_.begin(), receipts_.end(), [this](const auto& stored) {
        const auto receipt = verify_receipt(stored.first, config_.network, stored.second);
        return receipt && receipt->reason == ReceiptReason::exit;
    });
}

}  // namespace unlearn::protocol
