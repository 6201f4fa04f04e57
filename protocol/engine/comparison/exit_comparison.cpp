#include "protocol/engine/comparison/exit_comparison.hpp"

#include <algorithm>
#include <iterator>

namespace unlearn::protocol {

ComparisonContext ExitComparison::about() {
    return {known_, [this] { return known_owners(); }, [this](const Compared& result) { conclude(result); }};
}

void ExitComparison::begin(SessionId id, Session& session) {
    if (session.version == 1)
        version_one_.begin(id, session);
    else
        reconciliation_.begin(id, session);
}

void ExitComparison::tick() {
    reconciliation_.tick();
    const auto& established = sessions_.all_established();
    if (context_.now.steady < next_comparison_ || established.empty()) return;
    next_comparison_ = context_.now.steady + context_.config.pace.compare_every;
    const auto chosen =
        std::next(established.begin(), static_cast<std::ptrdiff_t>(version_one_.draw() % established.size()));
    begin(chosen->second, sessions_.at(chosen->second));
}

void ExitComparison::forget(SessionId id) {
    version_one_.forget(id);
    reconciliation_.forget(id);
}

void ExitComparison::conclude(const Compared& result) {
    if (const Session* session = sessions_.established(result.peer))
        note_voucher(*session, {result.in_doubt, result.knows_nothing_else});
}

// ---------------------------------------------------------------- after a start

/// We began the comparison, so its answer cannot be a replay. A neighbour whose own state is an old copy may
/// have missed what we have missed. Nodes of version 1 do not say so and are believed.
void ExitComparison::note_voucher(const Session& session, Voucher voucher) {
    if (settled_) return;
    const bool counts = session.version < 2 || (session.state_heard && !session.restored);
    if (!counts && !waited_long_enough()) return;
    const bool suffices = voucher.knows_nothing_else && suffices_alone(session.peer);
    vouchers_.insert_or_assign(session.peer, std::move(voucher));
    const auto complete = std::count_if(vouchers_.begin(), vouchers_.end(),
                                        [](const auto& known) { return known.second.knows_nothing_else; });
    if (complete >= 2 || suffices) settle();
    held_.refresh_all();
}

void ExitComparison::settle() {
    settled_ = true;
    vouchers_.clear();
    own_state_.clear_restored();
}

void ExitComparison::doubt() {
    settled_ = false;
    started_at_ = context_.now.steady;
    vouchers_.clear();
    ask_all_anew();
}

void ExitComparison::compare_again() {
    if (vouchers_.empty()) return;
    vouchers_.clear();
    ask_all_anew();
}

void ExitComparison::ask_all_anew() {
    for (const auto& [peer, id] : sessions_.all_established()) {
        Session& session = sessions_.at(id);
        if (session.version == 1)
            version_one_.begin(id, session);
        else
            reconciliation_.begin_anew(id, session);
    }
}

/// An owner may hide its own exit, so another neighbour has to vouch for it.
bool ExitComparison::is_vouched_for(const NodeId& owner) const {
    return std::any_of(vouchers_.begin(), vouchers_.end(), [&](const auto& voucher) {
        return !voucher.second.in_doubt.contains(ExitedId{owner.bytes()}) &&
               (voucher.first != owner || suffices_alone(owner));
    });
}

/// Without another neighbour, the owner's own word must do. It must also do after the time of a lease, so
/// that a neighbour that has vanished does not keep the seeds of others out of use forever.
bool ExitComparison::suffices_alone(const NodeId& peer) const {
    return !others_.has_neighbour_besides(peer) || waited_long_enough();
}

bool ExitComparison::waited_long_enough() const {
    return context_.now.steady >= started_at_ + context_.config.lease_time;
}

std::set<ExitedId> ExitComparison::known_owners() const {
    std::set<ExitedId> owners;
    for (const auto& [id, peer] : peers_.all())
        owners.insert(ExitedId{id.bytes()});
    for (const auto& [id, recipient] : own_seed_.recipients())
        owners.insert(ExitedId{id.bytes()});
    for (const NodeId& owner : erasures_.all_on_disk())
        owners.insert(ExitedId{owner.bytes()});
    // A neighbour may know of an exit of our own, which a copy of this identity began.
    owners.insert(ExitedId{context_.id().bytes()});
    return owners;
}

bool ExitComparison::is_known_owner(const NodeId& owner) const {
    return peers_.find(owner) != nullptr || own_seed_.recipients().contains(owner) ||
           erasures_.may_be_on_disk(owner);
}

}  // namespace unlearn::protocol
