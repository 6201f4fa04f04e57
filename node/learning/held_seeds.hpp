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

#include "node/learning/ensemble.hpp"

namespace unlearn::learning {

// What a node does after its set of seeds has changed: it makes a new snapshot from the seeds that it still
// holds. A node uses Ensemble::build; the simulator has rules that break exactness, to prove that its check
// notices them.
class RebuildRule {
  public:
    using Members = std::vector<std::shared_ptr<const Member>>;
    virtual ~RebuildRule() = default;
    [[nodiscard]] virtual std::shared_ptr<const Ensemble> rebuild(std::shared_ptr<const OwnPart> own,
                                                                  Members members,
                                                                  const EnsembleOptions& options) = 0;
};

[[nodiscard]] std::unique_ptr<RebuildRule> honest_rebuild_rule();

// What replace_own() found out about a seed: its judgement is no longer what it was.
struct Rejudged {
    MemberId id{};
    std::uint64_t version = 0;
    std::optional<std::string> aside;
};

// The seeds that a node holds, in use or not, and the current snapshot made of those in use. Any thread may
// call anything. A change of the set only marks the snapshot as outdated; the next one is built when somebody
// first asks for it, so that a drop takes microseconds and many changes at once cost one build. Builds and
// judgements hold no lock that a change needs.
class EnsembleHolder {
  public:
    EnsembleHolder(std::shared_ptr<const OwnPart> own, const EnsembleOptions& options,
                   std::unique_ptr<RebuildRule> rule = honest_rebuild_rule());

    // What to predict with now. After a change the first caller builds it, for some milliseconds.
    [[nodiscard]] std::shared_ptr<const Ensemble> snapshot() const;
    [[nodiscard]] std::shared_ptr<const OwnPart> own() const;

    // Keeps a seed without using it, beside other versions of its owner (kMostVersions at most; the oldest go
    // first), then calls `tell`. False if the own part is no longer the one that it was made with: then call
    // refreshed() and try again. What is told here and by replace_own() is told in the order in which it
    // came about; `tell` must not call back.
    [[nodiscard]] bool keep(std::shared_ptr<Member> member, const OwnPart& made_with,
                            const std::function<void()>& tell = {});
    // Takes a kept seed into the ensemble; the owner's older versions are over, so call wipe_dropped() for
    // them afterwards. False if it is not kept, or is to be held aside.
    bool use(const MemberId& id, std::uint64_t version);
    // Takes whatever is used of this owner out of the ensemble, but keeps this version and newer ones: use()
    // brings it back. Older ones are over.
    void suspend(const MemberId& id, std::uint64_t version);
    // Keeps a seed and uses it. It replaces everything that was held under its id.
    void install(std::shared_ptr<Member> member);
    // Takes an owner's seeds out of the ensemble and forgets those that were only kept: snapshots and
    // predictions that start after this returns do without. Takes microseconds. False if none was held.
    // Memory is wiped by wipe_dropped().
    [[nodiscard]] bool drop(const MemberId& id);
    // Ends every older use of this id's dropped seeds and zeroes their memory before it returns: waits up to
    // `drain` for predictions on old snapshots to finish, then makes the rest of them fail (predict()
    // computes them again on the current snapshot, at most one chunk of rows later). A seed held under the id
    // now stays. Returns how many seeds were wiped.
    [[nodiscard]] std::size_t wipe_dropped(const MemberId& id,
                                           std::chrono::milliseconds drain = std::chrono::milliseconds(50));
    // The same for several owners, at the cost of one: they share the deadline, and what BLAS keeps is
    // overwritten once.
    [[nodiscard]] std::size_t wipe_dropped(const std::set<MemberId>& ids,
                                           std::chrono::milliseconds drain = std::chrono::milliseconds(50));
    // drop() and wipe_dropped() in one.
    void forget(const MemberId& id, std::chrono::milliseconds drain = std::chrono::milliseconds(50));

    // After the main model, the validation data or the own distribution changed: evaluates every held seed
    // against the new own part, each alone, then swaps all at once and wipes what they were before. A used
    // seed that is now to be held aside is taken out of use by the same swap. Meanwhile everything goes on
    // as it was. Calls `tell` for each seed whose judgement changed. Blocks for tenths of a second for each
    // convolutional seed.
    void replace_own(std::shared_ptr<const OwnPart> own,
                     const std::function<void(const Rejudged&)>& tell = {});

    // Predicts with the current snapshot; if that is revoked on the way, again with the next one.
    [[nodiscard]] Result<Prediction> predict(const at::Tensor& inputs, Prior prior) const;

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
    // Makes way for the next snapshot; the old one may die with the result, so let that be outside the lock.
    [[nodiscard]] std::shared_ptr<const Ensemble> outdate();
    [[nodiscard]] bool is_busy(const std::vector<Retired>& retired) const;
    void refresh_all(const OwnPart& own);
    [[nodiscard]] std::shared_ptr<Member> next_to_refresh() const;
    [[nodiscard]] bool is_held(const Member& member) const;
    [[nodiscard]] std::vector<Rejudged> swap_in_refreshed();

    EnsembleOptions options_;
    const std::unique_ptr<RebuildRule> rule_;  // guarded by build_
    std::mutex replace_;                       // one replace_own() at a time; taken before all others
    std::mutex tell_;                          // held while a judgement takes effect and is told
    mutable std::mutex build_;                 // one build at a time; taken before change_

    mutable std::mutex change_;             // guards all that follows, and is held for microseconds
    mutable std::condition_variable idle_;  // a build, a judgement or a wipe ended
    std::shared_ptr<const OwnPart> own_;
    std::map<MemberId, Held> held_;
    std::uint64_t changes_ = 0;
    std::vector<Retired> retired_;
    std::set<MemberId> being_wiped_;
    mutable std::vector<std::weak_ptr<const Ensemble>> issued_;  // every snapshot that may still be in use
    mutable RebuildRule::Members being_built_;                   // the members of the snapshot being made
    std::shared_ptr<Member> being_refreshed_;
    std::map<std::shared_ptr<Member>, std::shared_ptr<Member>> refreshed_;  // by what each was before

    mutable std::shared_ptr<const Ensemble> current_;  // null when outdated
    mutable std::mutex current_guard_;                 // held only to copy or to swap current_
};

}  // namespace unlearn::learning
