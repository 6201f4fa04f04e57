#include "tests/unit/sim_baselines/small_world.hpp"

#include <cstring>

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include "node/learning/data/random.hpp"
#include "node/learning/generator.hpp"

namespace small_world {

learning::Dataset points(std::size_t per_class, std::uint64_t seed, std::int64_t missing) {
    learning::LabelledData data;
    data.shape = {1, 4, 4};
    data.class_names.resize(kClasses);
    learning::RandomStream centres(99);
    std::vector<double> centre(kClasses * 16);
    for (double& value : centre)
        value = centres.uniform();
    learning::RandomStream random(seed);
    for (std::size_t i = 0; i < per_class; ++i) {
        for (std::int64_t label = 0; label < kClasses; ++label) {
            if (label == missing) continue;
            for (std::size_t pixel = 0; pixel < 16; ++pixel)
                data.features.push_back(static_cast<float>(
                    centre[static_cast<std::size_t>(label) * 16 + pixel] + 0.3 * random.normal()));
            data.labels.push_back(label);
        }
    }
    data.count = data.labels.size();
    return learning::Dataset::from_table(data);
}

std::vector<Participant> participants(const std::vector<std::string>& names, const std::string& changed) {
    std::vector<Participant> out;
    for (const std::string& name : names) {
        const auto seed = learning::stream_seed(name == changed ? 2 : 1, name, "points");
        out.push_back(participant(name, points(10, seed, static_cast<std::int64_t>(seed % kClasses))));
    }
    return out;
}

at::Tensor fresh_parameters(const ModelKind& kind, std::uint64_t seed) {
    const auto parameters = initial_parameters(kind, learning::make_generator(seed));
    REQUIRE_MESSAGE(parameters, parameters.error().message);
    return *parameters;
}

LocalOptions local_options(const std::string& architecture) {
    LocalOptions options;
    options.architecture = *learning::parse_architecture(architecture);
    options.batch = 8;
    options.learning_rate = 0.1;
    return options;
}

DecentralisedSgd network(const topologies::Graph& graph, Team& team, const DecentralisedOptions& options,
                         const std::string& changed) {
    auto made = DecentralisedSgd::create(graph, participants(graph.names, changed), options, 7, team);
    REQUIRE_MESSAGE(made, made.error().message);
    return std::move(*made);
}

FederatedAveraging server(std::uint32_t clients, Team& team, const FederatedOptions& options,
                          const std::string& changed) {
    auto made = FederatedAveraging::create(participants(topologies::default_names(clients), changed), options,
                                           7, team);
    REQUIRE_MESSAGE(made, made.error().message);
    return std::move(*made);
}

Evaluation evaluation() {
    return {points(50, 4321), {}};
}

template <typename Network>
void run(Network& network, std::int64_t rounds) {
    const auto done = network.run(rounds);
    REQUIRE_MESSAGE(done, done.error().message);
}
template void run(DecentralisedSgd&, std::int64_t);
template void run(FederatedAveraging&, std::int64_t);

bool same_bits(const at::Tensor& a, const at::Tensor& b) {
    return a.sizes() == b.sizes() && a.is_contiguous() && b.is_contiguous() &&
           std::memcmp(a.data_ptr(), b.data_ptr(), a.nbytes()) == 0;
}

}  // namespace small_world
