#include "node/daemon/ensemble_seeds.hpp"

namespace unlearn::daemon {
namespace {

using protocol::NodeId;
using protocol::SeedVersion;

}  // namespace

EnsembleSeeds::EnsembleSeeds(learning::EnsembleHolder& ensemble, boost::asio::thread_pool& workers)
    : ensemble_(ensemble), workers_(workers) {}

EnsembleSeeds::~EnsembleSeeds() {
    wiper_.join();
}

void EnsembleSeeds::check(const NodeId& owner, SeedVersion version, const std::string& architecture,
                          protocol::SharedSeedBytes payload,
                          std::function<void(std::optional<std::string>)> done) {
    std::uint64_t begun_at = 0;
    {
        const std::lock_guard lock(mutex_);
        Owner& state = owners_[owner];
        ++state.being_prepared;
        begun_at = state.dropped;
    }
    boost::asio::post(workers_, [this, owner, version, architecture, payload = std::move(payload), begun_at,
                                 done = std::move(done)]() mutable {
        prepare(owner, version, architecture, std::move(payload), begun_at, done);
    });
}

void EnsembleSeeds::prepare(const NodeId& owner, SeedVersion version, const std::string& architecture,
                            protocol::SharedSeedBytes payload, std::uint64_t begun_at,
                            const std::function<void(std::optional<std::string>)>& done) {
    std::optional<std::string> problem;
    auto member = learning::Member::from_payload(owner.bytes(), static_cast<std::uint64_t>(version),
                                                 architecture, payload->view(), ensemble_.snapshot()->own());
    payload.reset();
    if (!member) problem = member.error().message;
    {
        const std::lock_guard lock(mutex_);
        Owner& state = owners_[owner];
        // When the owner left meanwhile, the member dies here, before anybody can be told that it is wiped.
        std::shared_ptr<learning::Member> prepared = member ? std::move(*member) : nullptr;
        if (prepared && state.dropped == begun_at) state.prepared = Prepared{version, std::move(prepared)};
        prepared.reset();
        --state.being_prepared;
    }
    prepared_.notify_all();
    done(std::move(problem));
}

void EnsembleSeeds::install(const NodeId& owner, SeedVersion version) {
    std::optional<Prepared> prepared;
    {
        const std::lock_guard lock(mutex_);
        Owner& state = owners_[owner];
        if (!state.prepared || state.prepared->version != version) return;
        prepared = std::exchange(state.prepared, std::nullopt);
    }
    ensemble_.install(std::move(prepared->member));
    // The version that this one replaced, if any.
    boost::asio::post(wiper_, [this, owner] { static_cast<void>(ensemble_.wipe_dropped(owner.bytes())); });
}

void EnsembleSeeds::drop(const NodeId& owner) {
    {
        const std::lock_guard lock(mutex_);
        Owner& state = owners_[owner];
        ++state.dropped;
        state.prepared.reset();
    }
    static_cast<void>(ensemble_.drop(owner.bytes()));
}

void EnsembleSeeds::wipe(const NodeId& owner, std::function<void()> done) {
    boost::asio::post(wiper_, [this, owner, done = std::move(done)] {
        {
            std::unique_lock lock(mutex_);
            prepared_.wait(lock, [&] { return owners_[owner].being_prepared == 0; });
        }
        static_cast<void>(ensemble_.wipe_dropped(owner.bytes()));
        done();
        // Build the next snapshot, so that no prediction has to wait for it; but after the wipes that wait
        // here.
        boost::asio::post(wiper_, [this] { static_cast<void>(ensemble_.snapshot()); });
    });
}

}  // namespace unlearn::daemon
