#pragma once

#include <cstdint>
#include <string_view>

#include "node/learning/data/random.hpp"

namespace unlearn::sim::scenario {

/// Where a world gets the seeds of its random streams. The honest source is NamedStreams. The other one
/// breaks this rule, and the simulator uses it on purpose.
class StreamSource {
  public:
    virtual ~StreamSource() = default;
    [[nodiscard]] virtual std::uint64_t seed(std::string_view node_name, std::string_view purpose) = 0;
};

/// Derives every seed from names: stream_seed() of the scenario, the node and the purpose.
class NamedStreams final : public StreamSource {
  public:
    explicit NamedStreams(std::uint64_t scenario_seed) : scenario_seed_(scenario_seed) {}
    [[nodiscard]] std::uint64_t seed(std::string_view node_name, std::string_view purpose) override {
        return learning::stream_seed(scenario_seed_, node_name, purpose);
    }

  private:
    std::uint64_t scenario_seed_;
};

}  // namespace unlearn::sim::scenario
