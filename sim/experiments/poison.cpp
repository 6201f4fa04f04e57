#include "sim/experiments/poison.hpp"

#include <algorithm>

#include "node/learning/data/random.hpp"
#include "node/learning/data/safetensors.hpp"

namespace unlearn::sim::experiments {
namespace {

/// Returns the new position of the row of a class.
std::size_t place_of(PoisonSettings::Kind kind, std::size_t row, std::size_t rows) {
    if (kind == PoisonSettings::Kind::rotate) return (row + 1) % rows;
    return row < 2 ? 1 - row : row;
}

void move_rows(PoisonSettings::Kind kind, learning::NamedTensor& tensor) {
    const auto rows = static_cast<std::size_t>(tensor.shape.front());
    const std::size_t width = tensor.values.size() / rows;
    const auto before = tensor.values;
    for (std::size_t row = 0; row < rows; ++row)
        std::copy_n(before.begin() + static_cast<std::ptrdiff_t>(row * width), width,
                    tensor.values.begin() + static_cast<std::ptrdiff_t>(place_of(kind, row, rows) * width));
}

}  // namespace

std::set<std::string> poisoned_nodes(const PoisonSettings& settings, std::vector<std::string> names,
                                     std::uint64_t scenario_seed) {
    std::sort(names.begin(), names.end());
    learning::RandomStream random(learning::stream_seed(scenario_seed, "", "poison"));
    random.shuffle(std::span(names));
    names.resize(std::min<std::size_t>(names.size(), settings.nodes));
    return {names.begin(), names.end()};
}

std::vector<std::uint8_t> poisoned_payload(PoisonSettings::Kind kind, std::span<const std::uint8_t> payload) {
    auto tensors = learning::read_safetensors(payload);
    if (!tensors || tensors->size() < 2) return {payload.begin(), payload.end()};
    // Every architecture of the registry ends with the weights and the bias of a fully connected layer.
    move_rows(kind, (*tensors)[tensors->size() - 2]);
    move_rows(kind, tensors->back());
    return learning::write_safetensors(*tensors);
}

}  // namespace unlearn::sim::experiments
