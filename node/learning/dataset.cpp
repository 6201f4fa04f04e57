#include "node/learning/dataset.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include <ATen/ATen.h>

#include "node/learning/data/assert.hpp"
#include "node/learning/data/random.hpp"

namespace unlearn::learning {
namespace {

std::vector<std::size_t> all_rows(const LabelledData& table) {
    std::vector<std::size_t> rows(table.count);
    std::iota(rows.begin(), rows.end(), std::size_t{0});
    return rows;
}

Inputs copy_inputs(const LabelledData& table, std::span<const std::size_t> rows, const FeatureMap* map) {
    const auto width = static_cast<std::size_t>(table.shape.size());
    UNLEARN_ASSERT(table.features.size() == table.count * width);
    auto inputs = at::empty(
        {static_cast<std::int64_t>(rows.size()), table.shape.channels, table.shape.height, table.shape.width},
        at::kFloat);
    float* target = inputs.data_ptr<float>();
    for (const std::size_t row : rows) {
        UNLEARN_ASSERT(row < table.count);
        std::memcpy(target, table.features.data() + row * width, width * sizeof(float));
        target += width;
    }
    return with_features(std::move(inputs), map);
}

}  // namespace

Dataset::Dataset(Inputs inputs, at::Tensor labels, std::int64_t classes)
    : inputs_(std::move(inputs)), labels_(std::move(labels)), classes_(classes) {
    UNLEARN_ASSERT(inputs_.size() == labels_.size(0));
}

Dataset Dataset::from_table(const LabelledData& table, const FeatureMap* map) {
    return from_table(table, all_rows(table), map);
}

Dataset Dataset::from_table(const LabelledData& table, std::span<const std::size_t> rows,
                            const FeatureMap* map) {
    auto inputs = copy_inputs(table, rows, map);
    auto labels = at::empty({static_cast<std::int64_t>(rows.size())}, at::kLong);
    auto* target = labels.data_ptr<std::int64_t>();
    for (const std::size_t row : rows)
        *target++ = table.labels[row];
    return {std::move(inputs), std::move(labels), static_cast<std::int64_t>(table.class_names.size())};
}

Dataset Dataset::subset(std::span<const std::size_t> rows) const {
    auto index = at::empty({static_cast<std::int64_t>(rows.size())}, at::kLong);
    auto* target = index.data_ptr<std::int64_t>();
    for (const std::size_t row : rows)
        *target++ = static_cast<std::int64_t>(row);
    return {inputs_.index_select(index), labels_.index_select(0, index), classes_};
}

std::vector<double> Dataset::class_distribution() const {
    std::vector<double> shares(static_cast<std::size_t>(classes_), 0.0);
    if (size() == 0) return shares;
    const auto* labels = labels_.data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < size(); ++i)
        shares[static_cast<std::size_t>(labels[i])] += 1.0;
    for (double& share : shares)
        share /= static_cast<double>(size());
    return shares;
}

ValidationSplit split_validation(const Dataset& own, double fraction, std::uint64_t seed) {
    UNLEARN_ASSERT(fraction >= 0.0 && fraction < 1.0);
    std::vector<std::vector<std::size_t>> by_class(static_cast<std::size_t>(own.classes()));
    const auto* labels = own.labels().data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < own.size(); ++i) {
        by_class[static_cast<std::size_t>(labels[i])].push_back(static_cast<std::size_t>(i));
    }
    RandomStream random(seed);
    std::vector<std::size_t> train;
    std::vector<std::size_t> validation;
    for (auto& rows : by_class) {
        random.shuffle(std::span(rows));
        auto held_out = static_cast<std::size_t>(std::lround(fraction * static_cast<double>(rows.size())));
        if (fraction > 0.0 && rows.size() >= 2)
            held_out = std::clamp<std::size_t>(held_out, 1, rows.size() - 1);
        const auto cut = rows.begin() + static_cast<std::ptrdiff_t>(held_out);
        validation.insert(validation.end(), rows.begin(), cut);
        train.insert(train.end(), cut, rows.end());
    }
    std::sort(train.begin(), train.end());
    std::sort(validation.begin(), validation.end());
    return {own.subset(train), own.subset(validation)};
}

ReferenceSet::ReferenceSet(Inputs inputs) : inputs_(std::move(inputs)) {}

ReferenceSet ReferenceSet::from_table(const LabelledData& table, const FeatureMap* map) {
    return from_table(table, all_rows(table), map);
}

ReferenceSet ReferenceSet::from_table(const LabelledData& table, std::span<const std::size_t> rows,
                                      const FeatureMap* map) {
    return ReferenceSet(copy_inputs(table, rows, map));
}

ReferenceSet ReferenceSet::head(std::int64_t rows) const {
    return ReferenceSet(inputs_.narrow(0, std::min(rows, size())).clone());
}

}  // namespace unlearn::learning
