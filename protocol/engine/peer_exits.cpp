#include "protocol/engine/peer_exits.hpp"

#include <algorithm>
#include <utility>

namespace unlearn::protocol {

void PeerExits::load(LoadedState& state) {
    new_durable_.reserve(state.tombstones.size());
    for (auto& tombstone : state.tombstones) {
        PeerExit exit;
        exit.notice = std::move(tombstone.notice);
        exit.erased_version = tombstone.erased;
        exit.tombstone_durable = true;
        exits_.emplace_hint(exits_.end(), tombstone.owner, std::move(exit));  // they come in order
        new_durable_.push_back(ExitedId{tombstone.owner.bytes()});
    }
    for (auto& stored : state.peer_lists)
        if (const auto exit = exits_.find(stored.owner); exit != exits_.end())
            exit->second.lists.push_back(std::move(stored.list));
}

void PeerExits::start() {
    for (auto& [owner, exit] : exits_) {
        if (erasures_.may_be_on_disk(owner))
            advance(owner, exit);
        else
            exit.erased = true;
    }
}

void PeerExits::learn(const ExitNotice& notice, const SignedBytes& signed_notice,
                      std::optional<NodeId> heard_from) {
    const NodeId& owner = notice.owner;
    PeerExit& exit = exits_[owner];
    exit.notice = signed_notice;
    exit.heard_from = heard_from;
    exit.erased_version = held_.stop_using(owner);
    const bool dropped_now = exit.erased_version != SeedVersion{0};
    // If we are leaving or have removed the owner, the wipe of its seed may already be under way.
    if (!dropped_now) exit.erased_version = erasures_.wiped_version(owner);
    context_.note(EventKind::exit_learned, owner, exit.erased_version);
    // The number that counts this exit shows later that a copy of our state lacks it.
    const PutStart state = own_state_.next();
    writes_.persist({PutTombstone{owner, signed_notice, exit.erased_version}, state},
                    after_write::TombstoneStored{owner, state});
    if (dropped_now) erasures_.wipe(owner, exit.erased_version);
}

void PeerExits::answer_again(const NodeId& owner, const NodeId& asked_by) {
    const PeerExit& known = exits_.at(owner);
    if (owner == asked_by && known.erased) send_receipt(owner, known);
}

void PeerExits::greet(SessionId id, Session& session) {
    const auto it = exits_.find(session.peer);
    if (it == exits_.end() || !it->second.tombstone_durable) return;
    // The notice comes first, because without it the owner would not expect a receipt.
    sessions_.send(id, session, Exit{it->second.notice});
    // A copy of the owner must not sign another list of its holders.
    for (const auto& list : it->second.lists)
        sessions_.send_if_known(id, session, Holders{list});
    if (it->second.erased) send_receipt(session.peer, it->second);
}

void PeerExits::take_list(const HolderList& list, const SignedBytes& signed_list, const NodeId& heard_from) {
    constexpr std::size_t kAProof = 2;
    const auto it = exits_.find(list.owner);
    if (it == exits_.end() || it->second.lists.size() >= kAProof || is_known_list(list.owner, signed_list)) {
        ++context_.counters.messages_ignored;
        return;
    }
    auto& lists = it->second.lists;
    lists.push_back(signed_list);
    if (lists.size() == kAProof)
        context_.note(EventKind::equivocation, list.owner, {}, "two different lists of holders are signed");
    lists_to_store_.push_back({list.owner, signed_list, heard_from});
}

void PeerExits::store_lists() {
    for (auto& list : std::exchange(lists_to_store_, {}))
        if (exits_.at(list.owner).erased)
            writes_.persist({PutPeerList{list.owner, list.list}}, list);
        else
            lists_to_store_.push_back(std::move(list));
}

void PeerExits::on(const after_write::PeerListStored& stored) {
    for (const auto& [peer, id] : sessions_.all_established())
        if (peer != stored.heard_from) sessions_.send_if_known(id, sessions_.at(id), Holders{stored.list});
}

bool PeerExits::on(const after_write::TombstoneStored& stored) {
    PeerExit& exit = exits_.at(stored.owner);
    exit.tombstone_durable = true;
    new_durable_.push_back(ExitedId{stored.owner.bytes()});
    own_state_.stored_with(stored.state);
    return advance(stored.owner, exit);
}

bool PeerExits::advance(const NodeId& owner) {
    const auto it = exits_.find(owner);
    return it != exits_.end() && advance(owner, it->second);
}

bool PeerExits::advance(const NodeId& owner, PeerExit& exit) {
    if (!exit.tombstone_durable || exit.erased) return false;
    pass_on(exit);
    if (erasures_.is_wiping(owner) || exit.erase_asked) return false;
    if (!erasures_.may_be_on_disk(owner)) {
        finish_erasure(owner);
        return true;
    }
    exit.erase_asked = true;
    writes_.persist({EraseHeldSeed{owner}}, after_write::SeedErased{owner});
    return false;
}

/// Requires a durable tombstone, so that the exit cannot be lost here after a neighbour learned it from us.
void PeerExits::pass_on(PeerExit& exit) {
    if (std::exchange(exit.passed_on, true)) return;
    for (const auto& [peer, id] : sessions_.all_established())
        if (peer != exit.heard_from)  // the owner hears it too: it may be a copy that does not know
            sessions_.send(id, sessions_.at(id), Exit{exit.notice});
}

bool PeerExits::on(const after_write::SeedErased& stored) {
    finish_erasure(stored.owner);
    return true;
}

void PeerExits::finish_erasure(const NodeId& owner) {
    PeerExit& exit = exits_.at(owner);
    exit.erased = true;
    erasures_.end_removal(owner);
    const bool was_on_disk = erasures_.erased_from_disk(owner);
    if (was_on_disk || exit.erased_version != SeedVersion{0})
        context_.note(EventKind::seed_erased, owner, exit.erased_version);
    if (readmit(owner)) peers_.allow();
    send_receipt(owner, exit);
}

void PeerExits::send_receipt(const NodeId& owner, const PeerExit& exit) {
    const Session* session = sessions_.established(owner);
    if (session == nullptr) return;
    Receipt receipt{owner, context_.id(), ReceiptReason::exit, exit.erased_version, context_.now.wall};
    if (session->version >= 2) receipt.asked = std::max(held_.highest_asked(owner), exit.erased_version);
    sessions_.send_to(owner,
                      ReceiptMessage{sign_receipt(context_.identity, context_.config.network, receipt)});
}

bool PeerExits::readmit(const NodeId& peer) {
    if (!peers_.is_former(peer)) return false;
    peers_.set_former(peer, false);
    sessions_.dial(peer);
    return true;
}

// ---------------------------------------------------------------- questions

bool PeerExits::is_known(const NodeId& owner, const SignedBytes& notice) const {
    const auto* known = notice_of(owner);
    return known != nullptr && *known == notice;
}

std::vector<NodeId> PeerExits::owners() const {
    std::vector<NodeId> out;
    for (const auto& [owner, exit] : exits_)
        out.push_back(owner);
    return out;
}

const SignedBytes* PeerExits::durable_notice_of(const ExitedId& owner) const {
    const auto known = exits_.find(owner);
    return known == exits_.end() || !known->second.tombstone_durable ? nullptr : &known->second.notice;
}

const std::vector<SignedBytes>& PeerExits::lists_of(const ExitedId& owner) const {
    static const std::vector<SignedBytes> none;
    const auto known = exits_.find(owner);
    return known == exits_.end() || !known->second.tombstone_durable ? none : known->second.lists;
}

const SignedBytes* PeerExits::notice_of(const NodeId& owner) const {
    const auto known = exits_.find(owner);
    return known == exits_.end() ? nullptr : &known->second.notice;
}

bool PeerExits::is_known_list(const NodeId& owner, const SignedBytes& list) const {
    const auto it = exits_.find(owner);
    return it != exits_.end() &&
           std::any_of(it->second.lists.begin(), it->second.lists.end(),
                       [&](const SignedBytes& known) { return known.bytes == list.bytes; });
}

bool PeerExits::is_erasing() const {
    return std::any_of(exits_.begin(), exits_.end(), [this](const auto& known) {
        return !known.second.erased &&
               (erasures_.may_be_on_disk(known.first) || erasures_.is_wiping(known.first));
    });
}

bool PeerExits::has_neighbour_besides(const NodeId& peer) const {
    const auto& all = peers_.all();
    return std::any_of(all.begin(), all.end(), [&](const auto& known) {
        return known.first != peer && !known.second.former && !exits_.contains(known.first) &&
               !may_only_leave_(known.first);
    });
}

}  // namespace unlearn::protocol
