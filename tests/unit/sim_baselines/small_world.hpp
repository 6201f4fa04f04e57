#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/baselines/decentralised_sgd.hpp"
#include "sim/baselines/federated_averaging.hpp"
#include "topologies/generators.hpp"

// Participants that learn in a blink: points around one centre per class, seen as images of 1 x 4 x 4 pixels.
namespace small_world {

using namespace unlearn;
using namespace unlearn::sim::baselines;

constexpr std::int64_t kClasses = 4;

/// Points of all classes, or of those that are not `missing`.
learning::Dataset points(std::size_t per_class, std::uint64_t seed, std::int64_t missing = -1);

/// One for each name, with data that depends on its name, and lacking one class; `changed` gets other data.
std::vector<Participant> participants(const std::vector<std::string>& names, const std::string& changed = "");

at::Tensor fresh_parameters(const ModelKind& kind, std::uint64_t seed);

LocalOptions local_options(const std::string& architecture = "mlp:12");

/// A network on that graph; `changed` as above.
DecentralisedSgd network(const topologies::Graph& graph, Team& team, const DecentralisedOptions& options,
                         const std::string& changed = "");
FederatedAveraging server(std::uint32_t clients, Team& team, const FederatedOptions& options,
                          const std::string& changed = "");

Evaluation evaluation();

/// Runs it, and fails the test on an error.
template <typename Network>
void run(Network& network, std::int64_t rounds);

bool same_bits(const at::Tensor& a, const at::Tensor& b);

}  // namespace small_world
