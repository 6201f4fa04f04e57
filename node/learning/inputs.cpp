#include "node/learning/inputs.hpp"

#include <algorithm>
#include <utility>

#include <ATen/ATen.h>

#include "node/learning/data/assert.hpp"

namespace unlearn::learning {

Inputs::Inputs(at::Tensor rows) : rows_(std::move(rows)) {}

Inputs::Inputs(at::Tensor rows, at::Tensor features)
    : rows_(std::move(rows)), feature_steps_(std::move(features)) {
    UNLEARN_ASSERT(rows_.size(0) == feature_steps_.size(0));
}

at::Tensor Inputs::features() const {
    UNLEARN_ASSERT(feature_steps_.defined());
    // A power of two divides exactly.
    return feature_steps_.to(at::kFloat).mul_(1.0F / kFeatureSteps);
}

InputShape Inputs::shape() const {
    return {rows_.size(1), rows_.size(2), rows_.size(3),
            feature_steps_.defined() ? feature_steps_.size(1) : 0};
}

Inputs Inputs::narrow(std::int64_t first, std::int64_t count) const {
    const auto rows = rows_.narrow(0, first, count);
    return feature_steps_.defined() ? Inputs(rows, feature_steps_.narrow(0, first, count)) : Inputs(rows);
}

Inputs Inputs::index_select(const at::Tensor& numbers) const {
    const auto rows = rows_.index_select(0, numbers);
    return feature_steps_.defined() ? Inputs(rows, feature_steps_.index_select(0, numbers)) : Inputs(rows);
}

Inputs Inputs::clone() const {
    return feature_steps_.defined() ? Inputs(rows_.clone(), feature_steps_.clone()) : Inputs(rows_.clone());
}

Inputs with_features(at::Tensor rows, const FeatureMap* map) {
    if (map == nullptr) return rows;
    const auto size = static_cast<std::int64_t>(map->size());
    auto features = at::empty({rows.size(0), size}, at::kShort);
    map->apply({rows.data_ptr<float>(), static_cast<std::size_t>(rows.numel())},
               {features.data_ptr<std::int16_t>(), static_cast<std::size_t>(features.numel())});
    return {std::move(rows), std::move(features)};
}

Inputs inputs_of(std::span<const float> values, const InputShape& shape, const FeatureMap* map) {
    const auto width = static_cast<std::size_t>(shape.size());
    UNLEARN_ASSERT(values.size() % width == 0);
    auto rows = at::empty(
        {static_cast<std::int64_t>(values.size() / width), shape.channels, shape.height, shape.width},
        at::kFloat);
    std::copy(values.begin(), values.end(), rows.data_ptr<float>());
    return with_features(std::move(rows), map);
}

}  // namespace unlearn::learning
