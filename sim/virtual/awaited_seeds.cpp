#include "sim/virtual/awaited_seeds.hpp"

#include <future>
#include <utility>

namespace unlearn::sim::virtual_world {

void AwaitedSeeds::check(const protocol::NodeId& owner, protocol::SeedVersion version,
                         const std::string& architecture, protocol::SharedSeedBytes payload,
                         std::function<void(runtime::SeedVerdict)> done) {
    std::promise<runtime::SeedVerdict> verdict;
    seeds_.check(owner, version, architecture, std::move(payload),
                 [&verdict](runtime::SeedVerdict told) { verdict.set_value(std::move(told)); });
    host_->run_later(kThinkingTime,
                     [told = verdict.get_future().get(), done = std::move(done)] { done(told); });
}

void AwaitedSeeds::wipe(const protocol::NodeId& owner, std::function<void()> done) {
    std::promise<void> wiped;
    seeds_.wipe(owner, [&wiped] { wiped.set_value(); });
    wiped.get_future().get();
    host_->run_later(kThinkingTime, std::move(done));
}

}  // namespace unlearn::sim::virtual_world
