#pragma once

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

/// Turns neighbours' seeds into members of this node's ensemble.
///
/// A seed is judged and prepared on `workers`; install and drop swap the ensemble's snapshot at once; wiping
/// waits on a thread of its own until no prediction uses the old snapshot, so that it never queues behind
/// training.
class EnsembleSeeds final : public runtime::SeedHolder {
  public:
    /// All references must outlive this object, and `workers` must be idle before it dies.
    EnsembleSeeds(learning::EnsembleHolder& ensemble, boost::asio::thread_pool& workers);
    ~EnsembleSeeds() override;

    void check(const protocol::NodeId& owner, protocol::SeedVersion version, const std::string& architecture,
               protocol::SharedSeedBytes payload,
               std::function<void(std::optional<std::string>)> done) override;
    void install(const protocol::NodeId& owner, protocol::SeedVersion version) override;
    void drop(const protocol::NodeId& owner) override;
    void wipe(const protocol::NodeId& owner, std::function<void()> done) override;

  private:
    struct Prepared {
        protocol::SeedVersion version{};
        std::shared_ptr<learning::Member> member;
    };
    /// What is known of one owner's seeds on their way into the ensemble.
    struct Owner {
        std::optional<Prepared> prepared;
        int being_prepared = 0;
        std::uint64_t dropped = 0;  ///< grows with every drop: what was begun before it is thrown away
    };

    void prepare(const protocol::NodeId& owner, protocol::SeedVersion version,
                 const std::string& architecture, protocol::SharedSeedBytes payload, std::uint64_t begun_at,
                 const std::function<void(std::optional<std::string>)>& done);

    learning::EnsembleHolder& ensemble_;
    boost::asio::thread_pool& workers_;

    std::mutex mutex_;
    std::condition_variable prepared_;          ///< some preparation ended
    std::map<protocol::NodeId, Owner> owners_;  ///< guarded by mutex_
    boost::asio::thread_pool wiper_{1};
};

}  // namespace unlearn::daemon
