#include "protocol/engine/own_exit.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace unlearn::protocol {

void OwnExit::load(LoadedState& state) {
    for (auto& receipt : state.receipts) {
        const auto says = verify_receipt(receipt.holder, context_.config.network, receipt.receipt);
        if (!says) continue;
        if (says->reason == ReceiptReason::left) own_seed_.stop_serving(receipt.holder);
        receipts_.emplace(receipt.holder, KeptReceipt{*says, std::move(receipt.receipt)});
    }
    for (auto& receipt : state.left_receipts)
        left_receipts_.emplace(receipt.owner, std::move(receipt.receipt));
    if (!state.exiting) return;
    exit_ = State{};
    exit_->notice = std::move(state.exiting->notice);
    exit_->met = state.exiting->met;
    if (state.holder_list) exit_->list = std::move(state.holder_list->list);
    own_seed_.withdraw();
}

void OwnExit::start() {
    if (!exit_) return;
    announce();
    erase_everything();
}

void OwnExit::begin() {
    if (exit_) return;
    context_.note(EventKind::exit_begun, context_.id());
    const ExitNotice notice{context_.id(), context_.now.wall, context_.config.membership};
    begin_with(sign_notice(context_.identity, context_.config.network, notice), false);
}

void OwnExit::meet(const SignedBytes& notice, const NodeId& heard_from) {
    if (exit_) return;
    context_.note(EventKind::own_exit_met, heard_from);
    begin_with(notice, true);
}

void OwnExit::begin_with(SignedBytes notice, bool met) {
    exit_ = State{};
    exit_->notice = std::move(notice);
    exit_->met = met;
    own_seed_.withdraw();
    std::vector<StoreOp> ops{PutExiting{exit_->notice, met}};
    std::optional<SignedBytes> list;
    if (!met && !own_seed_.is_recording()) {
        list = sign_list();
        ops.push_back(PutHolderList{*list});
    }
    // A copy of this state that lacks the exit must not pass for the newest.
    const PutStart state = own_state_.next();
    ops.push_back(state);
    writes_.persist(std::move(ops), after_write::ExitStored{state, std::move(list)});
    // A copy of this identity has left, so all seeds go out of use at once, before the exit is durable here.
    if (!met) return;
    for (const NodeId& owner : held_.owners_in_place()) {
        const SeedVersion version = held_.stop_using(owner);
        exit_->erasing.emplace(owner, version);
        erasures_.wipe(owner, version);
    }
}

void OwnExit::on(const after_write::ExitStored& stored) {
    exit_->list = stored.list;
    own_state_.stored_with(stored.state);
    announce();
    erase_everything();
}

void OwnExit::erase_everything() {
    std::set<NodeId> owners = erasures_.all_on_disk();
    owners.merge(held_.owners());
    held_.stop_all_downloads();
    for (const NodeId& owner : owners) {
        if (others_.contains(owner)) continue;  // the exit of this owner erases its seed
        const SeedVersion version = held_.stop_using(owner);
        const bool new_here = exit_->erasing.emplace(owner, version).second;
        if (new_here && version != SeedVersion{0}) erasures_.wipe(owner, version);
    }
    continue_erasing();
}

void OwnExit::continue_erasing() {
    if (!exit_) return;
    auto& erasing = exit_->erasing;
    if (exit_->stage != Stage::erasing ||
        std::any_of(erasing.begin(), erasing.end(),
                    [this](const auto& entry) { return erasures_.is_wiping(entry.first); }))
        return;
    exit_->stage = Stage::storing_erasure;
    std::vector<StoreOp> ops;
    for (const auto& [owner, version] : erasing) {
        ops.push_back(EraseHeldSeed{owner});
        if (left_receipts_.contains(owner)) continue;
        // The receipt is sent only after the erasure, which is in the same transaction, is durable.
        const Receipt receipt{owner,   context_.id(),     ReceiptReason::left,
                              version, context_.now.wall, std::max(held_.highest_asked(owner), version)};
        const auto [it, inserted] =
            left_receipts_.emplace(owner, sign_receipt(context_.identity, context_.config.network, receipt));
        ops.push_back(PutLeftReceipt{owner, it->second});
    }
    if (ops.empty()) return finish_erasing();
    writes_.persist(std::move(ops), after_write::AllErased{});
}

void OwnExit::on(const after_write::AllErased&) {
    finish_erasing();
}

/// The exit is durable, so others can begin to forget our seed while we erase theirs.
void OwnExit::announce() {
    exit_->stage = Stage::erasing;
    context_.note(EventKind::exit_announced, context_.id());
    exit_->announced_at = context_.now.steady;
    exit_->backoff = kExitRetryFirst;
    reach_former_recipients();
    send_notice_where_due();
    // Our notice comes first: a list counts only from a node that has left.
    if (exit_->list) send_list();
}

void OwnExit::finish_erasing() {
    exit_->stage = Stage::erased;
    for (const auto& [owner, version] : exit_->erasing)
        erasures_.erased_from_disk(owner);
    for (const auto& [peer, id] : sessions_.all_established())
        send_left_receipt_to(id, sessions_.at(id));
    sign_list_when_due();
    check_complete();
    retire_if_given_up();
}

void OwnExit::reach_former_recipients() {
    bool changed = false;
    for (const auto& [id, peer] : peers_.all())
        if (own_seed_.recipients().contains(id) && !is_done(id)) changed |= others_.readmit(id);
    if (changed) peers_.allow();
}

void OwnExit::give_up() {
    if (!exit_ || exit_->retiring || exit_->given_up) return;
    if (exit_->complete) return retire("exit complete");
    exit_->given_up = true;
    retire_if_given_up();
}

/// The list of our holders is signed first, unless that cannot be done.
void OwnExit::retire_if_given_up() {
    if (exit_->given_up && exit_->stage == Stage::erased && (exit_->list || !may_sign_list()))
        retire("given up");
}

/// Retires unless the seed of an owner that left before us may still be on disk, for example while the disk
/// fails. After our retirement nothing would erase that seed.
void OwnExit::retire(std::string reason) {
    if (exit_->retiring) return;
    if (others_.is_erasing()) {
        exit_->retires_for = std::move(reason);
        return;
    }
    exit_->retiring = true;
    writes_.persist({PutRetired{reason}}, after_write::RetirementStored{reason});
}

void OwnExit::continue_retiring() {
    if (exit_ && exit_->retires_for) retire(*exit_->retires_for);
}

void OwnExit::on(const after_write::RetirementStored& stored) {
    context_.note(EventKind::retired, context_.id(), {}, stored.reason);
}

// ---------------------------------------------------------------- notices and receipts

void OwnExit::send_notice_where_due() {
    for (const auto& [peer, id] : sessions_.all_established())
        if (!is_done(peer)) sessions_.send(id, sessions_.at(id), Exit{exit_->notice});
    exit_->next_retry = context_.now.steady + exit_->backoff;
}

void OwnExit::send_notice_to(SessionId id, Session& session) {
    const auto* notice = announced_notice();
    if (notice == nullptr) return;
    if (!is_done(session.peer)) sessions_.send(id, session, Exit{*notice});
    if (exit_->list) sessions_.send_if_known(id, session, Holders{*exit_->list});
}

void OwnExit::send_left_receipt_to(SessionId id, Session& session) {
    const auto left = left_receipts_.find(session.peer);
    const bool erased = exit_ && exit_->stage == Stage::erased;
    if (left == left_receipts_.end() || !erased) return;
    // A peer that was restored since it signed for our exit does not know it any more, and takes no `left`
    // receipt of a node that has not left.
    if (is_done(session.peer)) sessions_.send(id, session, Exit{exit_->notice});
    sessions_.send(id, session, ReceiptMessage{left_receipt_for(session, left->second)});
}

/// A peer gets the receipt in the words of the version that it speaks.
SignedBytes OwnExit::left_receipt_for(const Session& session, const SignedBytes& stored) const {
    auto receipt = verify_receipt(context_.id(), context_.config.network, stored);
    if (!receipt || receipt->asked.has_value() == (session.version >= 2)) return stored;
    if (receipt->asked)
        receipt->asked.reset();
    else
        receipt->asked = std::max(held_.highest_asked(receipt->owner), receipt->erased);
    return sign_receipt(context_.identity, context_.config.network, *receipt);
}

// ---------------------------------------------------------------- the list of holders

bool OwnExit::may_sign_list() const {
    if (exit_->rival_list) return false;
    // Who meets its own exit may be a copy, so a neighbour has to keep this very state as the newest one.
    return !exit_->met || own_state_.is_confirmed();
}

/// A copy of this identity has left, and nobody has confirmed that this state is the newest: the list of
/// holders stays unsigned after the time of a lease, or when another list is known.
void OwnExit::retire_unsigned_when_due() {
    if (!exit_->met || exit_->stage != Stage::erased || exit_->list || exit_->signing_list) return;
    if (exit_->rival_list || context_.now.steady >= exit_->announced_at + context_.config.lease_time)
        retire("own exit met");
}

void OwnExit::sign_list_when_due() {
    if (!exit_ || exit_->stage == Stage::storing || exit_->list || exit_->signing_list || !may_sign_list() ||
        own_seed_.is_recording())
        return;
    const SignedBytes list = sign_list();
    const PutStart state = own_state_.next();
    writes_.persist({PutHolderList{list}, state}, after_write::HolderListStored{list, state});
}

/// No second list may ever be signed, so this one must be stored before anybody has it.
SignedBytes OwnExit::sign_list() {
    exit_->signing_list = true;
    const Recipients& holders = own_seed_.recipients();
    const HolderList list{context_.id(), digest_of(exit_->notice.bytes),
                          static_cast<std::uint32_t>(holders.size()), digest_of_holders(holders),
                          own_state_.was_restored()};
    return sign_holder_list(context_.identity, context_.config.network, list);
}

void OwnExit::send_list() {
    for (const auto& [peer, id] : sessions_.all_established())
        sessions_.send_if_known(id, sessions_.at(id), Holders{*exit_->list});
}

void OwnExit::on(const after_write::HolderListStored& stored) {
    exit_->list = stored.list;
    own_state_.stored_with(stored.state);
    send_list();
    check_complete();
    retire_if_given_up();
}

void OwnExit::take_list(const SignedBytes& list, const NodeId& heard_from) {
    if (!exit_ || exit_->rival_list || (exit_->list && exit_->list->bytes == list.bytes)) return;
    exit_->rival_list = true;
    context_.note(EventKind::equivocation, context_.id(), {},
                  "node " + heard_from.short_text() + " has a list of our holders that we did not sign");
    retire_if_given_up();
}

void OwnExit::tick() {
    if (!exit_ || exit_->stage == Stage::storing || exit_->retiring) return;
    check_complete();
    retire_unsigned_when_due();
    if (context_.now.steady < exit_->next_retry) return;
    exit_->backoff = std::min(exit_->backoff * 2, kExitRetryMost);
    send_notice_where_due();
}

Result<void> OwnExit::take_receipt(const Session& session, const ReceiptMessage& message) {
    const NodeId& from = session.peer;
    auto receipt = verify_receipt(from, context_.config.network, message.receipt);
    if (!receipt) return tl::unexpected(receipt.error());
    const bool expected =
        receipt->owner == context_.id() && (receipt->reason == ReceiptReason::left || exit_);
    if (!expected) return fail(ErrorCode::unsolicited, "receipt");
    if (receipt->asked.has_value() != (session.version >= 2))
        return fail(ErrorCode::malformed, "receipt of another version");
    if (receipt->reason == ReceiptReason::left && session.version >= 2 && !others_.contains(from))
        return fail(ErrorCode::unsolicited, "left receipt of a node that has not left");
    if (receipt->reason == ReceiptReason::left) own_seed_.stop_serving(from);
    const auto kept = receipts_.find(from);
    if (kept != receipts_.end() && worth_of(from, *receipt) <= worth_of(from, kept->second.says)) return {};
    if (!receipts_pending_.insert(from).second) return {};
    writes_.persist({PutReceipt{receipt->holder, message.receipt}},
                    after_write::ReceiptStored{*receipt, message.receipt});
    return {};
}

void OwnExit::on(const after_write::ReceiptStored& stored) {
    const NodeId& holder = stored.says.holder;
    receipts_pending_.erase(holder);
    receipts_.insert_or_assign(holder, KeptReceipt{stored.says, stored.receipt});
    context_.note(EventKind::receipt_stored, holder);
    check_complete();
}

void OwnExit::check_complete() {
    if (!exit_ || exit_->stage == Stage::storing || exit_->retiring) return;
    if (!exit_->list) return sign_list_when_due();
    if (exit_->stage != Stage::erased) return;
    const auto& recipients = own_seed_.recipients();
    const bool all = std::all_of(recipients.begin(), recipients.end(),
                                 [this](const auto& recipient) { return is_done(recipient.first); });
    if (!all) return;
    if (!std::exchange(exit_->complete, true)) context_.note(EventKind::exit_complete, context_.id());
    if (exit_outlives_us() || !others_.has_neighbour_besides(context_.id())) retire("exit complete");
}

/// True when a holder that stays has signed a receipt: it has stored the notice and passes it on. Without
/// such a holder the notice would be lost with us.
bool OwnExit::exit_outlives_us() const {
    return std::any_of(receipts_.begin(), receipts_.end(),
                       [](const auto& kept) { return kept.second.says.reason == ReceiptReason::exit; });
}

bool OwnExit::is_done(const NodeId& holder, const Receipt& receipt) const {
    return receipt.reason == ReceiptReason::exit || others_.contains(holder);
}

bool OwnExit::is_done(const NodeId& holder) const {
    const auto kept = receipts_.find(holder);
    return kept != receipts_.end() && is_done(holder, kept->second.says);
}

int OwnExit::worth_of(const NodeId& holder, const Receipt& receipt) const {
    const auto served = own_seed_.recipients().find(holder);
    const bool names_all =
        !receipt.asked || served == own_seed_.recipients().end() || *receipt.asked >= served->second.version;
    return (is_done(holder, receipt) ? 2 : 0) + (names_all ? 1 : 0);
}

// ---------------------------------------------------------------- questions

const SignedBytes* OwnExit::announced_notice() const {
    return exit_ && exit_->stage != Stage::storing ? &exit_->notice : nullptr;
}

ExitProgress OwnExit::progress() const {
    ExitProgress progress;
    progress.recipients = own_seed_.recipients();
    for (const auto& [holder, kept] : receipts_)
        progress.receipts.emplace(holder, kept.receipt);
    for (const auto& [holder, recipient] : progress.recipients)
        if (const auto* notice = others_.notice_of(holder)) progress.left.emplace(holder, *notice);
    if (!exit_) return progress;
    progress.begun = true;
    progress.durable = exit_->stage != Stage::storing;
    progress.announced = progress.durable;
    progress.complete = exit_->complete;
    progress.given_up = exit_->given_up;
    progress.met = exit_->met;
    progress.notice = exit_->notice;
    progress.list = exit_->list;
    return progress;
}

}  // namespace unlearn::protocol
