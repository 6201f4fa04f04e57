#include "node/daemon/late_seeds.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace unlearn::daemon {

using protocol::NodeId;
using protocol::SeedVersion;

void LateSeeds::ready(runtime::SeedHolder& seeds) {
    seeds_ = &seeds;
    for (auto& check : std::exchange(waiting_, {}))
        seeds.check(check.owner, check.version, check.architecture, std::move(check.payload),
                    std::move(check.done));
}

void LateSeeds::check(const NodeId& owner, SeedVersion version, const std::string& architecture,
                      protocol::SharedSeedBytes payload, std::function<void(runtime::SeedVerdict)> done) {
    if (seeds_ != nullptr)
        return seeds_->check(owner, version, architecture, std::move(payload), std::move(done));
    waiting_.push_back({owner, version, architecture, std::move(payload), std::move(done)});
}

void LateSeeds::install(const NodeId& owner, SeedVersion version) {
    if (seeds_ != nullptr) seeds_->install(owner, version);
}

void LateSeeds::suspend(const NodeId& owner, SeedVersion version) {
    if (seeds_ != nullptr) seeds_->suspend(owner, version);
}

void LateSeeds::drop(const NodeId& owner) {
    if (seeds_ != nullptr) return seeds_->drop(owner);
    const auto first = std::stable_partition(waiting_.begin(), waiting_.end(),
                                             [&](const Check& check) { return check.owner != owner; });
    std::vector<Check> dropped(std::make_move_iterator(first), std::make_move_iterator(waiting_.end()));
    waiting_.erase(first, waiting_.end());
    for (auto& check : dropped) {
        check.payload.reset();
        check.done({"its owner was dropped before it was judged", std::nullopt});
    }
}

void LateSeeds::wipe(const NodeId& owner, std::function<void()> done) {
    if (seeds_ != nullptr) return seeds_->wipe(owner, std::move(done));
    // drop() released the bytes, which wipe themselves.
    done();
}

}  // namespace unlearn::daemon
