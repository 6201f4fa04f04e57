#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "node/learning/ensemble/ensemble.hpp"

namespace unlearn::learning {

/// How a node makes a new snapshot from the seeds it still holds after its set of seeds has changed. A node
/// uses Ensemble::build. The simulator has rules that break exactness, to prove that its check notices them.
class RebuildRule {
  public:
    using Members = std::vector<std::shared_ptr<const Member>>;
    virtual ~RebuildRule() = default;
    [[nodiscard]] virtual std::shared_ptr<const Ensemble> rebuild(std::shared_ptr<const OwnPart> own,
                                                                  Members members,
                                                                  const EnsembleOptions& options) = 0;
};

/// Returns the rule that a node uses, Ensemble::build.
[[nodiscard]] std::unique_ptr<RebuildRule> honest_rebuild_rule();

/// A seed whose judgement was changed by replace_own().
struct Rejudged {
    MemberId id{};
    std::uint64_t version = 0;
    std::optional<std::string> aside;  ///< why it is now held aside; nothing if it may be used
};

/// The seeds that a node holds, in use or not, and the current snapshot of those in use. Any thread may call
/// any function. A change of the set only marks the snapshot as outdated, and the next one is built when it
/// is first asked for. So a drop takes microseconds, and many changes at once cost one build. Builds and
/// judgements hold no lock that a change needs.
class EnsembleHolder {
  public:
    EnsembleHolder(std::shared_ptr<const OwnPart> own, const EnsembleOptions& options,
                   std::unique_ptr<RebuildRule> rule = honest_rebuild_rule());

    /// Returns the snapshot to predict with now. After a change the first caller builds it, which takes some
    /// milliseconds.
    [[nodiscard]] std::shared_ptr<const Ensemble> snapshot() const;
    [[nodiscard]] std::shared_ptr<const OwnPart> own() const;

    /// Keeps a seed without using it, beside other versions of its owner (at most kMostVersions; the oldest
    /// go first), then calls `tell`. Returns false if the own part is no longer the one that the seed was
    /// made with; in that case call refreshed() and try again. Calls to `tell` from here and from
    /// replace_own() come in the order of the events. `tell` must not call back into this object.
    [[nodiscard]] bool keep(std::shared_ptr<Member> member, const OwnPart& made_with,
                            const std::function<void()>& tell = {});
    /// Takes a kept seed into the ensemble. The owner's older versions are dropped, so call wipe_dropped()
    /// afterwards. Returns false if the seed is not kept or is held aside.
    bool use(const MemberId& id, std::uint64_t version);
    /// Takes the owner's used seed out of the ensemble, but keeps this version and newer ones; use() brings
    /// one back. Older versions are dropped.
    void suspend(const MemberId& id, std::uint64_t version);
    /// Keeps a seed and uses it. It replaces everything that was held under its id.
    void install(std::shared_ptr<Member> member);
    /// Takes an owner's seeds out of the ensemble and also forgets those that were only kept. Snapshots and
    /// predictions that start after this returns do without them. Takes microseconds. Returns false if none
    /// was held. The memory is wiped by wipe_dropped().
    [[nodiscard]] bool drop(const MemberId& id);
    /// Ends every older use of this id's dropped seeds and zeroes their memory before it returns. It waits up
    /// to `drain` for predictions on old snapshots to finish, then makes the rest of them fail; predict()
    /// computes those again on the current snapshot, at most one chunk of rows later. A seed that is held
    /// under the id now stays. Returns how many seeds were wiped.
    [[nodiscard]] std::size_t wipe_dropped(const MemberId& id,
                                           std::chrono::milliseconds drain = std::chrono::milliseconds(50));
    /// Does the same for several owners at the cost of one: they share the deadline, and the BLAS buffers are
    /// overwritten once.
    [[nodiscard]] std::size_t wipe_dropped(const std::set<MemberId>& ids,
                                           std::chrono::milliseconds drain = std::chrono::milliseconds(50));
    /// Calls drop() and wipe_dropped().
    void forget(const MemberId& id, std::chrono::milliseconds drain = std::chrono::milliseconds(50));

    /// Call this after the main model, the validation data or the own distribution changed. It evaluates
    /// every held seed against the new own part, each alone, then swaps all at once and wipes the old ones. A
    /// used seed that is now to be held aside is taken out of use by the same swap. Until then everything
    /// goes on as before. Calls `tell` for each seed whose judgement changed. Blocks for tenths of a second
    /// for each convolutional seed.
    void replace_own(std::shared_ptr<const OwnPart> own,
                     const std::function<void(const Rejudged&)>& tell = {});

    /// Predicts with the current snapshot. If that is revoked meanwhile, predicts again with the next one.
    [[nodiscard]] Result<Prediction> predict(const Inputs& inputs, Prior prior) const;

    static constexpr std::size_t kMostVersions = 3;

  private:
    struct Held {
        std::map<std::uint64_t, std::shared_ptr<Member>> versions;
        std::optional<std::uint64_t> used;
    };
    struct Retired {
        std::shared_ptr<Member> member;
        std::vector<std::weak_ptr<const Ensemble>> used_by;
    };

    void retire(std::shared_ptr<Member> member);
    void retire_before(Held& held, std::uint64_t version);
    void put(Held& held, std::shared_ptr<Member> member);
    [[nodiscard]] std::shared_ptr<const Ensemble> current() const;
    [[nodiscard]] RebuildRule::Members used_members() const;
    /// Clears the current snapshot and returns it. The caller must let go of it outside the lock, because it
    /// may be destroyed then.
    [[nodiscard]] std::shared_ptr<const Ensemble> outdate();
    [[nodiscard]] bool is_busy(const std::vector<Retired>& retired) const;
    void refresh_all(const OwnPart& own);
    [[nodiscard]] std::shared_ptr<Member> next_to_refresh() const;
    [[nodiscard]] bool is_held(const Member& member) const;
    [[nodiscard]] std::vector<Rejudged> swap_in_refreshed();

    EnsembleOptions options_;
    const std::unique_ptr<RebuildRule> rule_;  ///< guarded by build_
    std::mutex replace_;        ///< allows one replace_own() at a time; taken before all others
    std::mutex tell_;           ///< held while a judgement takes effect and is reported
    mutable std::mutex build_;  ///< allows one build at a time; taken before change_

    mutable std::mutex change_;             ///< guards what follows; held for microseconds
    mutable std::condition_variable idle_;  ///< signals that a build, a judgement or a wipe ended
    std::shared_ptr<const OwnPart> own_;
    std::map<MemberId, Held> held_;
    std::uint64_t changes_ = 0;
    std::vector<Retired> retired_;
    std::set<MemberId> being_wiped_;
    mutable std::vector<std::weak_ptr<const Ensemble>> issued_;  ///< every snapshot that may still be in use
    mutable RebuildRule::Members being_built_;                   ///< the members of the snapshot being built
    std::shared_ptr<Member> being_refreshed_;
    std::map<std::shared_ptr<Member>, std::shared_ptr<Member>> refreshed_;  ///< keyed by the old member

    mutable std::shared_ptr<const Ensemble> current_;  ///< null when outdated
    mutable std::mutex current_guard_;                 ///< guards current_; held only to copy or swap it
};

}  // namespace unlearn::learning
