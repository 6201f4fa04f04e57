#include "node/daemon/ensemble_seeds.hpp"

#include <algorithm>
#include <exception>
#include <iterator>
#include <set>
#include <thread>
#include <utility>

#include "node/learning/failure.hpp"
#include "node/learning/memory.hpp"
#include "node/learning/wipe.hpp"
#include "node/storage/wiping_memory.hpp"

namespace unlearn::daemon {
namespace {

using protocol::NodeId;
using protocol::SeedVersion;
using runtime::SeedVerdict;

std::uint64_t number(SeedVersion version) {
    return static_cast<std::uint64_t>(version);
}

/// Runs work that need not be done now. Work that fails here is done when it is needed.
template <typename Work>
void without_fail(Work work) {
    try {
        work();
    } catch (const std::exception&) {
        // There was not enough memory. The caller that needs the result finds out.
    }
}

}  // namespace

void wipe_computing_stack() {
    constexpr std::size_t kDeepest = 512 * 1024;
    storage::wipe_unused_stack(kDeepest);
}

EnsembleSeeds::EnsembleSeeds(learning::EnsembleHolder& ensemble, boost::asio::thread_pool& workers)
    : ensemble_(ensemble), workers_(workers) {
    // The first call is slow because the memory was never touched. It is made here, so that it is not slow
    // when a peer leaves.
    boost::asio::post(wiper_, [] { without_fail(learning::overwrite_blas_buffers); });
}

EnsembleSeeds::~EnsembleSeeds() {
    // Cancelled after the work that waits on the wiper's thread, because that may set the timer once more.
    boost::asio::post(wiper_, [this] { next_snapshot_.cancel(); });
    wiper_.join();
}

void EnsembleSeeds::check(const NodeId& owner, SeedVersion version, const std::string& architecture,
                          protocol::SharedSeedBytes payload, std::function<void(SeedVerdict)> done) {
    auto check = std::make_shared<Check>(
        Check{owner, version, architecture, std::move(payload), false, std::move(done)});
    {
        const std::lock_guard lock(mutex_);
        owners_[owner].waiting.push_back(check);
    }
    boost::asio::post(workers_, [this, check = std::move(check)] { run(check); });
}

void EnsembleSeeds::run(const std::shared_ptr<Check>& check) {
    protocol::SharedSeedBytes payload;
    {
        const std::lock_guard lock(mutex_);
        if (!check->dropped) {
            Owner& state = owners_[check->owner];
            std::erase(state.waiting, check);
            state.running.push_back(check);
            payload = std::exchange(check->payload, nullptr);
        }
    }
    constexpr auto kDropped = "its owner was dropped before it was judged";
    if (!payload) return check->done({kDropped, std::nullopt});

    std::optional<std::string> problem;
    try {
        auto own = ensemble_.own();
        auto made = learning::Member::from_payload(check->owner.bytes(), number(check->version),
                                                   check->architecture, payload->view(), *own);
        payload.reset();
        wipe_computing_stack();
        if (!made)
            problem = made.error().message;
        else if (!keep(*check, std::move(*made), std::move(own)))
            problem = kDropped;
    } catch (const std::exception& error) {  // most likely out of memory
        wipe_computing_stack();
        problem = "cannot be judged here: " + learning::cause_of(error);
    }
    payload.reset();
    end(check);
    if (problem) check->done({std::move(problem), std::nullopt});
}

bool EnsembleSeeds::keep(const Check& check, std::shared_ptr<learning::Member> member,
                         std::shared_ptr<const learning::OwnPart> own) {
    for (;;) {
        {
            const std::lock_guard lock(mutex_);
            // The member is freed on return, before a wipe can be reported as done.
            if (check.dropped) return false;
            const auto tell = [&, aside = member->aside()] { check.done({std::nullopt, aside}); };
            if (ensemble_.keep(member, *own, tell)) return true;
        }
        own = ensemble_.own();
        member = member->refreshed(*own);
    }
}

void EnsembleSeeds::end(const std::shared_ptr<Check>& check) {
    {
        const std::lock_guard lock(mutex_);
        const auto state = owners_.find(check->owner);
        std::erase(state->second.running, check);
        if (state->second.running.empty() && state->second.waiting.empty()) owners_.erase(state);
    }
    checked_.notify_all();
}

/// Wipes what is no longer in use of an owner that stays.
void EnsembleSeeds::post_wipe(const NodeId& owner) {
    boost::asio::post(wiper_, [this, owner] {
        without_fail([&] { static_cast<void>(ensemble_.wipe_dropped(owner.bytes())); });
    });
}

void EnsembleSeeds::install(const NodeId& owner, SeedVersion version) {
    if (!ensemble_.use(owner.bytes(), number(version))) return;
    // Wipe the version that this one replaced, if any.
    post_wipe(owner);
}

void EnsembleSeeds::suspend(const NodeId& owner, SeedVersion version) {
    ensemble_.suspend(owner.bytes(), number(version));
    post_wipe(owner);
}

void EnsembleSeeds::drop(const NodeId& owner) {
    const std::lock_guard lock(mutex_);
    if (const auto state = owners_.find(owner); state != owners_.end()) {
        for (auto* checks : {&state->second.waiting, &state->second.running}) {
            for (const auto& check : *checks) {
                check->dropped = true;
                check->payload.reset();
            }
        }
        state->second.waiting.clear();
        if (state->second.running.empty()) owners_.erase(state);
    }
    static_cast<void>(ensemble_.drop(owner.bytes()));
}

void EnsembleSeeds::wipe(const NodeId& owner, std::function<void()> done) {
    {
        const std::lock_guard lock(mutex_);
        wipes_.push_back({owner, std::move(done)});
    }
    boost::asio::post(wiper_, [this] { wipe_all(next_wipes()); });
}

void EnsembleSeeds::wipe_all(std::vector<Wipe> wipes) {
    if (wipes.empty()) return;
    try {
        std::set<learning::MemberId> ids;
        for (const Wipe& wipe : wipes)
            ids.insert(wipe.owner.bytes());
        // A seed that was dropped while it was judged never came into the ensemble, but BLAS buffers may
        // contain it.
        if (ensemble_.wipe_dropped(ids) == 0) learning::overwrite_blas_buffers();
    } catch (const std::exception&) {
        // Without memory nothing is overwritten, and no wipe may be reported as done.
        std::this_thread::sleep_for(kTryAgainAfter);
        boost::asio::post(wiper_, [this, again = std::move(wipes)]() mutable { wipe_all(std::move(again)); });
        return;
    }
    for (const Wipe& wipe : wipes)
        wipe.done();
    prepare_snapshot();
}

bool EnsembleSeeds::is_quiet(const NodeId& owner) const {
    const auto state = owners_.find(owner);
    if (state == owners_.end()) return true;
    const auto& running = state->second.running;
    return std::none_of(running.begin(), running.end(), [](const auto& check) { return check->dropped; });
}

std::vector<EnsembleSeeds::Wipe> EnsembleSeeds::next_wipes() {
    std::unique_lock lock(mutex_);
    if (wipes_.empty()) return {};
    const NodeId first = wipes_.front().owner;
    checked_.wait(lock, [&] { return is_quiet(first); });
    const auto later = std::stable_partition(wipes_.begin(), wipes_.end(),
                                             [&](const Wipe& wipe) { return is_quiet(wipe.owner); });
    std::vector<Wipe> ready(std::make_move_iterator(wipes_.begin()), std::make_move_iterator(later));
    wipes_.erase(wipes_.begin(), later);
    return ready;
}

void EnsembleSeeds::prepare_snapshot() {
    next_snapshot_.expires_after(kSnapshotAfter);
    next_snapshot_.async_wait([this](const boost::system::error_code& cancelled) {
        if (cancelled) return;
        without_fail([this] { static_cast<void>(ensemble_.snapshot()); });
        wipe_computing_stack();
        // The seed's memory was in the middle of the heap, where glibc would keep it.
        learning::release_memory();
    });
}

void EnsembleSeeds::replace_own(std::shared_ptr<const learning::OwnPart> own, const Judged& judged) {
    ensemble_.replace_own(std::move(own), [&](const learning::Rejudged& changed) {
        // The bytes are those of a NodeId, because `check` got them from one.
        judged(*NodeId::from_bytes(changed.id), SeedVersion{changed.version}, changed.aside);
    });
    wipe_computing_stack();
}

}  // namespace unlearn::daemon
