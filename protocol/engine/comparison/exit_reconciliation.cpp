#include "protocol/engine/comparison/exit_reconciliation.hpp"

#include <algorithm>
#include <utility>

#include <sodium.h>

namespace unlearn::protocol {
namespace {

double cost_of(const ExitQuery& query) {
    return 1.0 + static_cast<double>(query.ranges.size() + query.wanted.size());
}

}  // namespace

ExitReconciliation::Memory& ExitReconciliation::memory_of(const NodeId& peer) {
    const auto [it, is_new] = memory_.try_emplace(peer);
    if (is_new) it->second.salt = draw_salt(peer);
    return it->second;
}

/// Nobody but us can tell the salt before it is sent, and then only the peer, which can lie without it.
DigestSalt ExitReconciliation::draw_salt(const NodeId& peer) const {
    const auto secret = context_.identity.secret_seed();
    Bytes input(peer.view().begin(), peer.view().end());
    append_u64(input, context_.config.random_seed);
    append_u64(input, static_cast<std::uint64_t>(context_.now.steady.count()));
    DigestSalt salt;
    crypto_generichash(salt.value.data(), DigestSalt::kSize, input.data(), input.size(), secret.data(),
                       secret.size());
    return salt;
}

// ---------------------------------------------------------------- asking

void ExitReconciliation::begin(SessionId id, Session& session) {
    Asking& asking = asking_[id];
    if (asking.state != Asking::State::idle && context_.now.steady < asking.moved_at + kCompareStall) return;
    asking.walk.reset();
    asking.concluded = false;
    asking.begun_at = context_.now.steady;
    asking.query.ranges.clear();
    asking.query.wanted.clear();
    send(id, session, asking);
}

void ExitReconciliation::begin_anew(SessionId id, Session& session) {
    memory_of(session.peer).settled.reset();
    Asking& asking = asking_[id];
    asking.state = Asking::State::idle;
    begin(id, session);
}

void ExitReconciliation::send(SessionId id, Session& session, Asking& asking) {
    const SteadyTime now = context_.now.steady;
    auto& allowances = sessions_.allowances_of(session.peer);
    const double cost = cost_of(asking.query);
    asking.moved_at = now;
    asking.state = Asking::State::to_be_sent;
    if (allowances.exit_questions.left(now) < cost || !allowances.exit_searches.take(cost, now)) return;
    static_cast<void>(allowances.exit_questions.take(cost, now));
    asking.state = Asking::State::sent;
    asking.query.salt = memory_of(session.peer).salt;
    ++asking.query.number;
    asking.query.all = fingerprint_of(asking.query.salt, about_.exits.set().digest());
    sessions_.send(id, session, asking.query);
}

void ExitReconciliation::tick() {
    for (auto& [id, asking] : asking_)
        if (asking.state == Asking::State::to_be_sent)
            if (Session* session = sessions_.find(id); session != nullptr && session->established)
                send(id, *session, asking);
}

Result<void> ExitReconciliation::take_answer(SessionId id, Session& session, const ExitAnswer& answer) {
    const auto found = asking_.find(id);
    if (found == asking_.end() || found->second.state != Asking::State::sent ||
        found->second.query.number != answer.number) {
        ++context_.counters.messages_ignored;
        return {};
    }
    Asking& asking = found->second;
    asking.state = Asking::State::idle;
    // The notices came before the answer, since an Exit may overtake it and never the other way round.
    const auto& wanted = asking.query.wanted;
    const auto taken = std::count_if(wanted.begin(), wanted.end(),
                                     [this](const ExitedId& owner) { return about_.exits.contains(owner); });
    sessions_.allowances_of(session.peer)
        .exit_searches.give(static_cast<double>(taken) * kExitSearchPerNewExit);
    if (!asking.walk) {
        if (!answer.ranges.empty())
            return fail(ErrorCode::malformed, "answer: ranges that were not asked for");
        compare_roots(id, session, asking, answer);
        return {};
    }
    const auto read =
        asking.walk->take(answer, asking.query.salt, about_.exits.set(),
                          [this](const ExitedId& owner) { return about_.exits.contains(owner); });
    if (!read) return tl::unexpected(read.error());
    go_on(id, session, asking);
    return {};
}

/// Ends the comparison when the sets are equal, or when nothing can be found out that is not known yet.
void ExitReconciliation::compare_roots(SessionId id, Session& session, Asking& asking,
                                       const ExitAnswer& answer) {
    Memory& memory = memory_of(session.peer);
    if (answer.all == fingerprint_of(memory.salt, about_.exits.set().digest())) {
        memory.settled.reset();
        ++context_.counters.comparisons;
        return about_.conclude({session.peer, {}, true});
    }
    const auto known = about_.known_owners();
    asking.root = answer.all;
    asking.owners = digest_of(joined(known));
    const auto& before = memory.settled;
    if (before && before->root == asking.root && before->owners == asking.owners && before->owners_known &&
        !can_find_more(session, *before)) {
        ++context_.counters.comparisons;
        return about_.conclude({session.peer, {}, before->complete && all_known(before->strangers)});
    }
    std::vector<ExitedId> owners;
    std::copy_if(known.begin(), known.end(), std::back_inserter(owners),
                 [this](const ExitedId& owner) { return !about_.exits.contains(owner); });
    asking.walk.emplace(std::move(owners), answer.count, about_.exits.room_for_strangers(session.peer),
                        memory.cursor);
    go_on(id, session, asking);
}

void ExitReconciliation::go_on(SessionId id, Session& session, Asking& asking) {
    ExitWalk& walk = *asking.walk;
    if (walk.owners_settled() && !std::exchange(asking.concluded, true)) conclude_about_owners(session, walk);
    if (!may_look_for_strangers(session)) walk.stop_looking();
    if (walk.ask(asking.query)) return send(id, session, asking);
    finish(session, asking);
}

void ExitReconciliation::conclude_about_owners(const Session& session, const ExitWalk& walk) const {
    about_.conclude({session.peer, in_doubt(walk), false});
}

void ExitReconciliation::finish(Session& session, Asking& asking) {
    const ExitWalk walk = std::move(*asking.walk);
    asking.walk.reset();
    ++context_.counters.comparisons;
    Memory& memory = memory_of(session.peer);
    memory.cursor = walk.cursor();
    memory.settled.reset();
    if (!walk.complete() || !all_known(walk.strangers())) ++context_.counters.comparisons_incomplete;
    if (!walk.owners_settled()) return;
    const auto doubted = in_doubt(walk);
    const bool owners_known = std::all_of(doubted.begin(), doubted.end(),
                                          [this](const ExitedId& id) { return about_.exits.contains(id); });
    const bool complete = walk.complete() && walk.strangers().size() < kMaxStrangersNoted;
    memory.settled = Settled{asking.root, asking.owners, owners_known, complete, walk.strangers()};
    if (owners_known) about_.conclude({session.peer, doubted, complete && all_known(walk.strangers())});
}

/// The owners whose exit was found there, and those that have become known since the search began.
std::set<ExitedId> ExitReconciliation::in_doubt(const ExitWalk& walk) const {
    std::set<ExitedId> out = walk.owners_gone();
    const auto& asked = walk.owners();
    for (const auto& owner : about_.known_owners())
        if (!about_.exits.contains(owner) && !std::binary_search(asked.begin(), asked.end(), owner))
            out.insert(owner);
    return out;
}

// ---------------------------------------------------------------- what can be taken

bool ExitReconciliation::may_look_for_strangers(const Session& session) const {
    return sessions_.allowances_of(session.peer).exit_searches.left(context_.now.steady) >=
           kExitSearchBurst / 2;
}

/// True when a search among the same exits as before could bring a notice that can be taken now.
bool ExitReconciliation::can_find_more(const Session& session, const Settled& before) const {
    if (about_.exits.room_for_strangers(session.peer) == 0 || !may_look_for_strangers(session)) return false;
    // What a network with a key has not taken once, it never takes.
    return !before.complete || (!context_.config.network_key && !all_known(before.strangers));
}

bool ExitReconciliation::all_known(const std::vector<ExitedId>& owners) const {
    return std::all_of(owners.begin(), owners.end(),
                       [this](const ExitedId& owner) { return about_.exits.contains(owner); });
}

// ---------------------------------------------------------------- answering

/// Lists of holders can be much larger than notices, so they count by their bytes.
void ExitReconciliation::send_notices(SessionId id, Session& session, const std::vector<ExitedId>& wanted) {
    std::size_t sent = 0;
    std::size_t in_lists = 0;
    about_.exits.send_notices(id, session, wanted, [&](Kind kind, std::size_t bytes) {
        if (kind == Kind::holders && (in_lists += bytes) > kMaxListBytes) return false;
        sent += bytes;
        return true;
    });
    auto& allowance = sessions_.allowances_of(session.peer).exit_answers;
    const double cost = static_cast<double>(sent) / kBytesPerExitAnswer;
    static_cast<void>(
        allowance.take(std::min(cost, allowance.left(context_.now.steady)), context_.now.steady));
}

void ExitReconciliation::take_query(SessionId id, Session& session, const ExitQuery& query) {
    auto& allowances = sessions_.allowances_of(session.peer);
    if (!allowances.exit_answers.take(cost_of(query), context_.now.steady)) {
        ++context_.counters.messages_ignored;
        return;
    }
    send_notices(id, session, query.wanted);
    const ExitSet& set = about_.exits.set();
    ExitAnswer answer{query.number, set.size(), fingerprint_of(query.salt, set.digest()), {}};
    for (const auto& range : query.ranges)
        answer.ranges.push_back(set.answer(query.salt, range));
    const bool differ = answer.all != query.all;
    sessions_.send(id, session, std::move(answer));
    if (differ && context_.now.steady >= asking_[id].begun_at + context_.config.pace.compare_every)
        begin(id, session);
}

}  // namespace unlearn::protocol
