#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "node/learning/ensemble.hpp"

namespace unlearn::learning {

// What a node does after its set of seeds has changed: it makes a new snapshot from the survivors. The honest
// rule is Ensemble::build; the others are violations (violations.hpp), kept to prove that the counterfactual
// check catches them.
class RebuildRule {
  public:
    using Members = std::vector<std::shared_ptr<const Member>>;
    virtual ~RebuildRule() = default;
    [[nodiscard]] virtual std::shared_ptr<const Ensemble> rebuild(std::shared_ptr<const OwnPart> own,
                                                                  Members members,
                                                                  const EnsembleOptions& options) = 0;
};

[[nodiscard]] std::unique_ptr<RebuildRule> honest_rebuild_rule();

// The seeds that a node holds, and the current snapshot made of them. Any thread may call anything. A change
// of the set only marks the snapshot as outdated; the next one is built when somebody first asks for it, so
// that a drop takes microseconds and many changes at once cost one build.
class EnsembleHolder {
  public:
    EnsembleHolder(std::shared_ptr<const OwnPart> own, const EnsembleOptions& options,
                   std::unique_ptr<RebuildRule> rule = honest_rebuild_rule());

    // What to predict with now. After a change the first caller builds it, for some milliseconds.
    [[nodiscard]] std::shared_ptr<const Ensemble> snapshot() const;

    // Takes the seed into the ensemble, in place of what was held under its id; call wipe_dropped() for that
    // one afterwards.
    void install(std::shared_ptr<Member> member);
    // Takes a seed out of the ensemble: snapshots and predictions that start after this returns do without
    // it. Takes microseconds. False if it was not held. Its memory is wiped by wipe_dropped().
    [[nodiscard]] bool drop(const MemberId& id);
    // Ends every older use of this id's dropped seeds and zeroes their memory before it returns: waits up to
    // `drain` for predictions on old snapshots to finish, then makes the rest of them fail (predict()
    // computes them again on the current snapshot, at most one chunk of rows later). A seed held under the id
    // now stays. Returns how many seeds were wiped.
    [[nodiscard]] std::size_t wipe_dropped(const MemberId& id,
                                           std::chrono::milliseconds drain = std::chrono::milliseconds(50));
    // drop() and wipe_dropped() in one.
    void forget(const MemberId& id, std::chrono::milliseconds drain = std::chrono::milliseconds(50));

    // After the main model, the validation data or the own distribution changed: evaluates every held seed
    // against the new own part and wipes what it was before. On failure nothing has changed.
    [[nodiscard]] Result<void> replace_own(std::shared_ptr<const OwnPart> own);

    // Predicts with the current snapshot; if that is revoked on the way, again with the next one.
    [[nodiscard]] Result<Prediction> predict(const at::Tensor& inputs, Prior prior) const;

  private:
    struct Retired {
        std::shared_ptr<Member> member;
        std::vector<std::weak_ptr<const Ensemble>> used_by;
    };

    void retire(std::shared_ptr<Member> member);
    [[nodiscard]] std::shared_ptr<const Ensemble> current() const;
    void outdate();
    [[nodiscard]] std::size_t wipe_retired(std::vector<Retired> retired, std::chrono::milliseconds drain);

    std::shared_ptr<const OwnPart> own_;
    EnsembleOptions options_;
    const std::unique_ptr<RebuildRule> rule_;
    std::map<MemberId, std::shared_ptr<Member>> held_;
    std::vector<Retired> retired_;
    mutable std::vector<std::weak_ptr<const Ensemble>> issued_;  // every snapshot that somebody may still use
    mutable std::mutex change_;  // one change or build at a time; guards all of the above
    mutable std::shared_ptr<const Ensemble> current_;  // null when outdated
    mutable std::mutex current_guard_;                 // held only to copy or to swap current_
};

}  // namespace unlearn::learning
