#include "node/learning/held_seeds.hpp"

#include <algorithm>
#include <thread>
#include <utility>

namespace unlearn::learning {
namespace {

class HonestRebuild final : public RebuildRule {
  public:
    std::shared_ptr<const Ensemble> rebuild(std::shared_ptr<const OwnPart> own, Members members,
                                            const EnsembleOptions& options) override {
        return Ensemble::build(std::move(own), std::move(members), options);
    }
};

}  // namespace

std::unique_ptr<RebuildRule> honest_rebuild_rule() {
    return std::make_unique<HonestRebuild>();
}

EnsembleHolder::EnsembleHolder(std::shared_ptr<const OwnPart> own, const EnsembleOptions& options,
                               std::unique_ptr<RebuildRule> rule)
    : own_(std::move(own)), options_(options), rule_(std::move(rule)) {}

std::shared_ptr<const Ensemble> EnsembleHolder::current() const {
    const std::lock_guard guard(current_guard_);
    return current_;
}

std::shared_ptr<const Ensemble> EnsembleHolder::snapshot() const {
    if (auto ready = current()) return ready;
    const std::lock_guard change(change_);
    if (auto ready = current()) return ready;
    RebuildRule::Members members;
    for (const auto& [id, member] : held_)
        members.push_back(member);
    auto next = rule_->rebuild(own_, std::move(members), options_);
    std::erase_if(issued_, [](const auto& issued) { return issued.expired(); });
    issued_.push_back(next);
    const std::lock_guard guard(current_guard_);
    current_ = next;
    return next;
}

void EnsembleHolder::outdate() {
    std::shared_ptr<const Ensemble> old;
    {
        const std::lock_guard guard(current_guard_);
        current_.swap(old);
    }
    // The old snapshot may die here: outside the lock.
}

void EnsembleHolder::retire(std::shared_ptr<Member> member) {
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

void EnsembleHolder::install(std::shared_ptr<Member> member) {
    const std::lock_guard change(change_);
    auto& place = held_[member->id()];
    if (place == member) return;
    if (place) retire(std::move(place));
    place = std::move(member);
    outdate();
}

bool EnsembleHolder::drop(const MemberId& id) {
    const std::lock_guard change(change_);
    const auto found = held_.find(id);
    if (found == held_.end()) return false;
    retire(std::move(found->second));
    held_.erase(found);
    outdate();
    return true;
}

std::size_t EnsembleHolder::wipe_dropped(const MemberId& id, std::chrono::milliseconds drain) {
    std::vector<Retired> mine;
    {
        const std::lock_guard change(change_);
        const auto others = std::partition(retired_.begin(), retired_.end(), [&](const Retired& retired) {
            return retired.member->id() != id;
        });
        std::move(others, retired_.end(), std::back_inserter(mine));
        retired_.erase(others, retired_.end());
    }
    return wipe_retired(std::move(mine), drain);
}

std::size_t EnsembleHolder::wipe_retired(std::vector<Retired> retired, std::chrono::milliseconds drain) {
    const auto deadline = std::chrono::steady_clock::now() + drain;
    for (const Retired& one : retired) {
        for (const auto& user : one.used_by) {
            while (!user.expired() && std::chrono::steady_clock::now() < deadline) {
                std::this_thread::sleep_for(std::chrono::microseconds(200));
            }
            if (const auto still_used = user.lock()) still_used->revoke();
        }
        one.member->wipe();
    }
    return retired.size();
}

void EnsembleHolder::forget(const MemberId& id, std::chrono::milliseconds drain) {
    static_cast<void>(drop(id));
    static_cast<void>(wipe_dropped(id, drain));
}

Result<void> EnsembleHolder::replace_own(std::shared_ptr<const OwnPart> own) {
    std::vector<Retired> before;
    {
        const std::lock_guard change(change_);
        std::map<MemberId, std::shared_ptr<Member>> refreshed;
        for (const auto& [id, member] : held_) {
            auto fresh = member->refreshed(*own);
            if (!fresh) return tl::unexpected(fresh.error());
            refreshed.emplace(id, std::move(*fresh));
        }
        const std::size_t kept = retired_.size();
        for (const auto& [id, member] : held_)
            retire(member);
        std::move(retired_.begin() + static_cast<std::ptrdiff_t>(kept), retired_.end(),
                  std::back_inserter(before));
        retired_.resize(kept);
        held_ = std::move(refreshed);
        own_ = std::move(own);
        outdate();
    }
    static_cast<void>(wipe_retired(std::move(before), std::chrono::milliseconds(50)));
    return {};
}

Result<Prediction> EnsembleHolder::predict(const at::Tensor& inputs, Prior prior) const {
    for (;;) {
        const auto used = snapshot();
        auto prediction = used->predict(inputs, prior);
        // A snapshot is revoked only after it was outdated, so this ends.
        if (prediction || used == snapshot()) return prediction;
    }
}

}  // namespace unlearn::learning
