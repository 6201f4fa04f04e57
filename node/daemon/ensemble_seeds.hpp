#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/thread_pool.hpp>

#include "node/learning/ensemble/held_seeds.hpp"
#include "node/network/asio.hpp"
#include "node/runtime/seed_holder.hpp"

namespace unlearn::daemon {

/// Wipes the stack of a thread that computed with seeds: OpenBLAS multiplies small matrices, and with them a
/// seed's weights, on the stack. Call it on that thread before it does other work or becomes idle.
void wipe_computing_stack();

/// Turns neighbours' seeds into members of this node's ensemble.
///
/// A seed is judged and prepared on `workers`. Install, suspend and drop swap the ensemble's snapshot at
/// once. Wiping waits on a thread of its own until no prediction uses the old snapshot, so that it never
/// queues behind training and does not wait for checks that have not begun.
class EnsembleSeeds final : public runtime::SeedHolder {
  public:
    /// The callbacks (`done`, `judged`) must return at once and must not call this object.
    ///
    /// All references must outlive this object, and `workers` must be idle before it is destroyed.
    EnsembleSeeds(learning::EnsembleHolder& ensemble, boost::asio::thread_pool& workers);
    ~EnsembleSeeds() override;

    void check(const protocol::NodeId& owner, protocol::SeedVersion version, const std::string& architecture,
               protocol::SharedSeedBytes payload, std::function<void(runtime::SeedVerdict)> done) override;
    void install(const protocol::NodeId& owner, protocol::SeedVersion version) override;
    void suspend(const protocol::NodeId& owner, protocol::SeedVersion version) override;
    void drop(const protocol::NodeId& owner) override;
    void wipe(const protocol::NodeId& owner, std::function<void()> done) override;

    /// How long after a wipe the next snapshot is made if no prediction has asked for it. The receipt, and
    /// those of other nodes on the same processor, go first.
    static constexpr std::chrono::milliseconds kSnapshotAfter{100};
    /// How long to wait before a wipe that failed for lack of memory is tried again.
    static constexpr std::chrono::milliseconds kTryAgainAfter{500};

    /// Reports that a seed was judged again. `aside` is nothing for a seed that may be used now.
    using Judged = std::function<void(const protocol::NodeId& owner, protocol::SeedVersion version,
                                      std::optional<std::string> aside)>;
    /// Call this after a new main model or another change of the node's own data. Evaluates every held seed,
    /// used or not, with the new own part, each on its own, and swaps all at once. Seeds that must now be
    /// held aside are out of the ensemble by then. Calls `judged` for each seed whose verdict changed;
    /// `judged` must pass the verdict on to the engine as SeedJudged. Blocks, so call it on a thread that
    /// computes.
    void replace_own(std::shared_ptr<const learning::OwnPart> own, const Judged& judged);

  private:
    /// A seed that waits for a worker or is being checked by one.
    struct Check {
        protocol::NodeId owner;
        protocol::SeedVersion version{};
        std::string architecture;
        protocol::SharedSeedBytes payload;  ///< guarded by mutex_; null once begun or dropped
        bool dropped = false;               ///< guarded by mutex_
        std::function<void(runtime::SeedVerdict)> done;
    };
    struct Owner {
        std::vector<std::shared_ptr<Check>> waiting;
        std::vector<std::shared_ptr<Check>> running;
    };

    void run(const std::shared_ptr<Check>& check);
    /// Hands a prepared member over to the ensemble and reports the verdict. Returns false if its owner was
    /// dropped in the meantime.
    [[nodiscard]] bool keep(const Check& check, std::shared_ptr<learning::Member> member,
                            std::shared_ptr<const learning::OwnPart> own);
    void end(const std::shared_ptr<Check>& check);
    struct Wipe {
        protocol::NodeId owner;
        std::function<void()> done;
    };
    /// Returns true when no dropped check of the owner is still running. Call it with mutex_ held.
    [[nodiscard]] bool is_quiet(const protocol::NodeId& owner) const;
    /// Returns the first wipe that waits, and all others that need not wait for a check. Empty when an
    /// earlier turn took them.
    [[nodiscard]] std::vector<Wipe> next_wipes();
    /// Overwrites the seeds and then calls each `done`. Tries again until it succeeds. Runs on the wiper's
    /// thread.
    void wipe_all(std::vector<Wipe> wipes);
    void post_wipe(const protocol::NodeId& owner);
    /// Makes the next snapshot when no seed was wiped for a while, so that no prediction has to wait for it.
    /// Runs on the wiper's thread.
    void prepare_snapshot();

    learning::EnsembleHolder& ensemble_;
    boost::asio::thread_pool& workers_;

    std::mutex mutex_;
    std::condition_variable checked_;           ///< a check has ended
    std::map<protocol::NodeId, Owner> owners_;  ///< seeds on their way into the ensemble; guarded by mutex_
    std::vector<Wipe> wipes_;                   ///< requested and not begun; guarded by mutex_
    boost::asio::thread_pool wiper_{1};
    boost::asio::steady_timer next_snapshot_{wiper_};  ///< used on the wiper's thread only
};

}  // namespace unlearn::daemon
