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

#include "node/learning/held_seeds.hpp"
#include "node/network/asio.hpp"
#include "node/runtime/seed_holder.hpp"

namespace unlearn::daemon {

/// Small matrices, and with them a seed's weights, are multiplied on the stack by OpenBLAS. To be called on a
/// thread that computed with seeds, before it does something else or nothing.
void wipe_computing_stack();

/// Turns neighbours' seeds into members of this node's ensemble.
///
/// A seed is judged and prepared on `workers`; install, suspend and drop swap the ensemble's snapshot at
/// once; wiping waits on a thread of its own until no prediction uses the old snapshot, so that it never
/// queues behind training, and neither does it wait for checks that have not begun.
class EnsembleSeeds final : public runtime::SeedHolder {
  public:
    /// All that is called back (`done`, `judged`) must return at once and not call this object.
    ///
    /// All references must outlive this object, and `workers` must be idle before it dies.
    EnsembleSeeds(learning::EnsembleHolder& ensemble, boost::asio::thread_pool& workers);
    ~EnsembleSeeds() override;

    void check(const protocol::NodeId& owner, protocol::SeedVersion version, const std::string& architecture,
               protocol::SharedSeedBytes payload, std::function<void(runtime::SeedVerdict)> done) override;
    void install(const protocol::NodeId& owner, protocol::SeedVersion version) override;
    void suspend(const protocol::NodeId& owner, protocol::SeedVersion version) override;
    void drop(const protocol::NodeId& owner) override;
    void wipe(const protocol::NodeId& owner, std::function<void()> done) override;

    /// How long after a wipe the next snapshot is made where no prediction has asked for it: the receipt, and
    /// those of other nodes on the same processor, go first.
    static constexpr std::chrono::milliseconds kSnapshotAfter{100};
    /// How long after a wipe for which there was no memory the next one begins.
    static constexpr std::chrono::milliseconds kTryAgainAfter{500};

    /// Judges a seed again: nothing in `aside` for one that may be used now.
    using Judged = std::function<void(const protocol::NodeId& owner, protocol::SeedVersion version,
                                      std::optional<std::string> aside)>;
    /// After a new main model or other changes of the node's own data: evaluates every held seed, used or
    /// not, with the new own part, each alone, and swaps all at once. Seeds that are now to be held aside are
    /// out of the ensemble by then; `judged` is called for each whose verdict changed, and what it tells is
    /// to reach the engine as SeedJudged. Blocks, so call it on a thread that computes.
    void replace_own(std::shared_ptr<const learning::OwnPart> own, const Judged& judged);

  private:
    /// A seed that waits for a worker or is with one.
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
    /// Hands a prepared member over to the ensemble and tells the verdict. False if its owner was dropped
    /// meanwhile.
    [[nodiscard]] bool keep(const Check& check, std::shared_ptr<learning::Member> member,
                            std::shared_ptr<const learning::OwnPart> own);
    void end(const std::shared_ptr<Check>& check);
    struct Wipe {
        protocol::NodeId owner;
        std::function<void()> done;
    };
    /// No check of the owner that was dropped is still running. With mutex_ held.
    [[nodiscard]] bool is_quiet(const protocol::NodeId& owner) const;
    /// The first wipe that waits, and all others that need not wait for a check. Empty when an earlier turn
    /// took them.
    [[nodiscard]] std::vector<Wipe> next_wipes();
    /// Overwrites, then tells; tries again until it is done. On the wiper's thread.
    void wipe_all(std::vector<Wipe> wipes);
    void post_wipe(const protocol::NodeId& owner);
    /// Makes the next snapshot when no seed was wiped for a while, so that no prediction has to wait for it.
    /// On the wiper's thread.
    void prepare_snapshot();

    learning::EnsembleHolder& ensemble_;
    boost::asio::thread_pool& workers_;

    std::mutex mutex_;
    std::condition_variable checked_;           ///< some check ended
    std::map<protocol::NodeId, Owner> owners_;  ///< seeds on their way into the ensemble; guarded by mutex_
    std::vector<Wipe> wipes_;                   ///< asked for and not begun; guarded by mutex_
    boost::asio::thread_pool wiper_{1};
    boost::asio::steady_timer next_snapshot_{wiper_};  ///< used on the wiper's thread only
};

}  // namespace unlearn::daemon
