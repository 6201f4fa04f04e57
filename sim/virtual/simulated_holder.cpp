#include "sim/virtual/simulated_holder.hpp"

namespace unlearn::sim::virtual_world {

using namespace protocol;

void SimulatedHolder::check(const NodeId& owner, SeedVersion, const std::string&, SharedSeedBytes payload,
                            std::function<void(runtime::SeedVerdict)> done) {
    auto verdict = hooks_.judge(owner, payload->view());
    host_->run_later(hooks_.thinking_time(),
                     [verdict = std::move(verdict), done = std::move(done)] { done(verdict); });
}

void SimulatedHolder::install(const NodeId& owner, SeedVersion version) {
    in_use_[owner] = version;
    hooks_.installed(owner, version);
}

void SimulatedHolder::wipe(const NodeId&, std::function<void()> done) {
    host_->run_later(hooks_.thinking_time(), std::move(done));
}

}  // namespace unlearn::sim::virtual_world
