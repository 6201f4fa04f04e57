#include "node/learning/ensemble/held_seeds.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "node/learning/wipe.hpp"

namespace unlearn::learning {
namespace {

class HonestRebuild final : public RebuildRule {
  public:
    std::shared_ptr<const Ensemble> rebuild(std::shared_ptr<const OwnPart> own, Members members,
                                            const EnsembleOptions& options) override {
        return Ensemble::build(std::move(own), std::move(members), options);
    }
};

// Lets predictions on the snapshot finish until the deadline, then makes the rest of them fail.
void end_use(const std::weak_ptr<const Ensemble>& user, std::chrono::steady_clock::time_point deadline) {
    while (!user.expired() && std::chrono::steady_clock::now() < deadline) {
        if (const auto used = user.lock(); used && used->is_revoked()) return;
        std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    if (const auto still_used = user.lock()) still_used->revoke();
}

}  // namespace

std::unique_ptr<RebuildRule> honest_rebuild_rule() {
    return std::make_unique<HonestRebuild>();
}

EnsembleHolder::EnsembleHolder(std::shared_ptr<const OwnPart> own, const EnsembleOptions& options,
                               std::unique_ptr<RebuildRule> rule)
    : options_(options), rule_(std::move(rule)), own_(std::move(own)) {}

std::shared_ptr<const Ensemble> EnsembleHolder::current() const {
    const std::lock_guard guard(current_guard_);
    return current_;
}

std::shared_ptr<const OwnPart> EnsembleHolder::own() const {
    const std::lock_guard change(change_);
    return own_;
}

RebuildRule::Members EnsembleHolder::used_members() const {
    RebuildRule::Members members;
    for (const auto& [id, held] : held_) {
        if (held.used) members.push_back(held.versions.at(*held.used));
    }
    return members;
}

std::shared_ptr<const Ensemble> EnsembleHolder::snapshot() const {
    for (;;) {
        if (auto ready = current()) return ready;
        const std::lock_guard build(build_);
        if (auto ready = current()) return ready;
        std::unique_lock change(change_);
        const std::uint64_t begun_at = changes_;
        std::shared_ptr<const OwnPart> own = own_;
        RebuildRule::Members members = used_members();
        being_built_ = members;
        change.unlock();
        std::shared_ptr<const Ensemble> next;
        try {
            next = rule_->rebuild(std::move(own), std::move(members), options_);
        } catch (...) {  // Out of memory. Threads that wait for the members must be woken.
            change.lock();
            being_built_.clear();
            idle_.notify_all();
            throw;
        }
        change.lock();
        // The change may have been a drop. Then this snapshot must never be used, and must be gone before a
        // caller is told that the seed is.
        const bool is_current = begun_at == changes_;
        if (!is_current) next.reset();
        being_built_.clear();
        if (is_current) {
            std::erase_if(issued_, [](const auto& issued) { return issued.expired(); });
            issued_.push_back(next);
            const std::lock_guard guard(current_guard_);
            current_ = next;
        }
        idle_.notify_all();
        if (is_current) return next;
    }
}

std::shared_ptr<const Ensemble> EnsembleHolder::outdate() {
    ++changes_;
    const std::lock_guard guard(current_guard_);
    return std::exchange(current_, nullptr);
}

void EnsembleHolder::retire(std::shared_ptr<Member> member) {
    refreshed_.erase(member);
    Retired retired{std::move(member), {}};
    for (const auto& issued : issued_) {
        const auto snapshot = issued.lock();
        if (!snapshot) continue;
        const auto& members = snapshot->members();
        if (std::find(members.begin(), members.end(), retired.member) != members.end()) {
            retired.used_by.push_back(issued);
        }
    }
    retired_.push_back(std::move(retired));
}

void EnsembleHolder::retire_before(Held& held, std::uint64_t version) {
    const auto end = held.versions.lower_bound(version);
    for (auto it = held.versions.begin(); it != end; it = held.versions.erase(it))
        retire(std::move(it->second));
}

void EnsembleHolder::put(Held& held, std::shared_ptr<Member> member) {
    auto& place = held.versions[member->version()];
    if (place) retire(std::move(place));
    place = std::move(member);
    if (held.versions.size() <= kMostVersions) return;
    auto oldest = held.versions.begin();
    if (held.used == oldest->first) ++oldest;
    retire(std::move(oldest->second));
    held.versions.erase(oldest);
}

bool EnsembleHolder::keep(std::shared_ptr<Member> member, const OwnPart& made_with,
                          const std::function<void()>& tell) {
    const std::lock_guard told_in_order(tell_);
    {
        const std::lock_guard change(change_);
        if (own_.get() != &made_with) return false;
        Held& held = held_[member->id()];
        // Of two seeds with the same owner and version, the one in use stays.
        if (held.used != member->version()) put(held, std::move(member));
    }
    if (tell) tell();
    return true;
}

bool EnsembleHolder::use(const MemberId& id, std::uint64_t version) {
    std::shared_ptr<const Ensemble> old;
    const std::lock_guard change(change_);
    const auto found = held_.find(id);
    if (found == held_.end()) return false;
    Held& held = found->second;
    const auto member = held.versions.find(version);
    if (member == held.versions.end() || member->second->aside()) return false;
    if (held.used == version) return true;
    retire_before(held, version);
    held.used = version;
    old = outdate();
    return true;
}

void EnsembleHolder::suspend(const MemberId& id, std::uint64_t version) {
    std::shared_ptr<const Ensemble> old;
    const std::lock_guard change(change_);
    const auto found = held_.find(id);
    if (found == held_.end()) return;
    Held& held = found->second;
    retire_before(held, version);
    if (!held.used) return;
    held.used.reset();
    old = outdate();
}

void EnsembleHolder::install(std::shared_ptr<Member> member) {
    std::shared_ptr<const Ensemble> old;
    const std::lock_guard change(change_);
    Held& held = held_[member->id()];
    for (auto& [version, before] : held.versions)
        if (before != member) retire(std::move(before));
    held.versions.clear();
    held.used = member->version();
    held.versions.emplace(member->version(), std::move(member));
    old = outdate();
}

bool EnsembleHolder::drop(const MemberId& id) {
    std::shared_ptr<const Ensemble> old;
    const std::lock_guard change(change_);
    const auto found = held_.find(id);
    if (found == held_.end()) return false;
    const bool was_used = found->second.used.has_value();
    for (auto& [version, member] : found->second.versions)
        retire(std::move(member));
    held_.erase(found);
    if (was_used) old = outdate();
    return true;
}

bool EnsembleHolder::is_busy(const std::vector<Retired>& retired) const {
    return std::any_of(retired.begin(), retired.end(), [&](const Retired& one) {
        return one.member == being_refreshed_ ||
               std::find(being_built_.begin(), being_built_.end(), one.member) != being_built_.end();
    });
}

std::size_t EnsembleHolder::wipe_dropped(const MemberId& id, std::chrono::milliseconds drain) {
    return wipe_dropped(std::set<MemberId>{id}, drain);
}

std::size_t EnsembleHolder::wipe_dropped(const std::set<MemberId>& ids, std::chrono::milliseconds drain) {
    std::vector<Retired> mine;
    std::unique_lock change(change_);
    // A caller that returns from here reports that everything is wiped, so it also waits for what other
    // threads are wiping.
    idle_.wait(change, [&] {
        return std::none_of(ids.begin(), ids.end(),
                            [&](const MemberId& id) { return being_wiped_.contains(id); });
    });
    const auto others = std::partition(retired_.begin(), retired_.end(), [&](const Retired& retired) {
        return !ids.contains(retired.member->id());
    });
    std::move(others, retired_.end(), std::back_inserter(mine));
    retired_.erase(others, retired_.end());
    if (mine.empty()) return 0;
    being_wiped_.insert(ids.begin(), ids.end());
    idle_.wait(change, [&] { return !is_busy(mine); });
    change.unlock();
    const auto end = [&] {
        change.lock();
        for (const MemberId& id : ids)
            being_wiped_.erase(id);
        idle_.notify_all();
    };
    const auto deadline = std::chrono::steady_clock::now() + drain;
    for (const Retired& one : mine) {
        for (const auto& user : one.used_by)
            end_use(user, deadline);
        one.member->wipe();
    }
    try {
        overwrite_blas_buffers();
    } catch (...) {  // out of memory: the members are wiped, but the caller has to try again
        end();
        throw;
    }
    end();
    return mine.size();
}

void EnsembleHolder::forget(const MemberId& id, std::chrono::milliseconds drain) {
    static_cast<void>(drop(id));
    static_cast<void>(wipe_dropped(id, drain));
}

bool EnsembleHolder::is_held(const Member& member) const {
    const auto held = held_.find(member.id());
    if (held == held_.end()) return false;
    const auto version = held->second.versions.find(member.version());
    return version != held->second.versions.end() && version->second.get() == &member;
}

std::shared_ptr<Member> EnsembleHolder::next_to_refresh() const {
    for (const auto& [id, held] : held_) {
        for (const auto& [version, member] : held.versions)
            if (!refreshed_.contains(member)) return member;
    }
    return nullptr;
}

void EnsembleHolder::refresh_all(const OwnPart& own) {
    std::unique_lock change(change_);
    while ((being_refreshed_ = next_to_refresh())) {
        change.unlock();
        std::shared_ptr<Member> fresh;
        try {
            fresh = being_refreshed_->refreshed(own);
        } catch (...) {  // Out of memory. Threads that wait for the member must be woken.
            change.lock();
            being_refreshed_.reset();
            refreshed_.clear();
            idle_.notify_all();
            throw;
        }
        change.lock();
        if (is_held(*being_refreshed_)) refreshed_.emplace(being_refreshed_, std::move(fresh));
        fresh.reset();
        being_refreshed_.reset();
        idle_.notify_all();
    }
}

std::vector<Rejudged> EnsembleHolder::swap_in_refreshed() {
    std::vector<Rejudged> changed;
    const auto fresh = std::exchange(refreshed_, {});
    for (auto& [id, held] : held_) {
        for (auto& [version, member] : held.versions) {
            auto next = fresh.at(member);
            if (next->aside() != member->aside()) changed.push_back({id, version, next->aside()});
            if (next->aside() && held.used == version) held.used.reset();
            retire(std::exchange(member, std::move(next)));
        }
    }
    return changed;
}

void EnsembleHolder::replace_own(std::shared_ptr<const OwnPart> own,
                                 const std::function<void(const Rejudged&)>& tell) {
    const std::lock_guard one_at_a_time(replace_);
    std::vector<MemberId> ids;
    for (bool swapped = false; !swapped;) {
        refresh_all(*own);
        std::shared_ptr<const Ensemble> old;
        std::vector<Rejudged> changed;
        const std::lock_guard told_in_order(tell_);
        {
            const std::lock_guard change(change_);
            if (next_to_refresh()) continue;  // another seed has arrived meanwhile
            changed = swap_in_refreshed();
            own_ = own;
            old = outdate();
            for (const auto& [id, held] : held_)
                ids.push_back(id);
        }
        swapped = true;
        if (!tell) break;
        for (const Rejudged& one : changed)
            tell(one);
    }
    for (const MemberId& id : ids)
        static_cast<void>(wipe_dropped(id));
}

Result<Prediction> EnsembleHolder::predict(const Inputs& inputs, Prior prior) const {
    for (;;) {
        const auto used = snapshot();
        auto prediction = used->predict(inputs, prior);
        // A snapshot is revoked only after it was outdated, so this ends.
        if (prediction || used == snapshot()) return prediction;
    }
}

}  // namespace unlearn::learning
