#include "node/learning/features/map_tensors.hpp"

#include <algorithm>
#include <utility>

namespace unlearn::learning {
namespace {

NamedTensor matrix_tensor(std::string name, std::size_t rows, std::vector<float> values) {
    const auto columns = static_cast<std::int64_t>(values.size() / rows);
    return {std::move(name), {static_cast<std::int64_t>(rows), columns}, std::move(values)};
}

Filters read_filters(const FeatureRecipe& recipe, const InputShape& shape, TensorReader& reader) {
    const std::int64_t pixels = shape.channels * recipe.side * recipe.side;
    const auto values = reader.take("filters", {recipe.count, pixels}, -127.0F, 127.0F);
    Filters filters{static_cast<std::size_t>(recipe.count), static_cast<std::size_t>(pixels), {}, {}};
    int sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        filters.values.push_back(static_cast<std::int8_t>(values[i]));
        if (static_cast<float>(filters.values.back()) != values[i]) reader.refuse("a filter is not whole");
        sum += filters.values.back();
        if ((i + 1) % filters.pixels == 0 && sum != 0) reader.refuse("a filter does not sum to 0");
    }
    filters.scales = reader.take("scales", {recipe.count}, 0.0F, kLargestMapNumber);
    return filters;
}

}  // namespace

NamedTensor vector_tensor(std::string name, const std::vector<float>& values) {
    return {std::move(name), {static_cast<std::int64_t>(values.size())}, values};
}

std::vector<NamedTensor> tensors_of(const PatchFeatures& features) {
    const Filters& filters = features.filters();
    return {matrix_tensor("filters", filters.count, {filters.values.begin(), filters.values.end()}),
            vector_tensor("scales", filters.scales)};
}

std::vector<NamedTensor> tensors_of(const FourierFeatures& features) {
    return {matrix_tensor("frequencies", features.phases().size(), features.frequencies()),
            vector_tensor("phases", features.phases())};
}

std::vector<float> TensorReader::take(std::string_view name, const std::vector<std::int64_t>& shape,
                                      float least, float most) {
    std::int64_t size = 1;
    for (const std::int64_t length : shape)
        size *= length;
    std::vector<float> zeros(static_cast<std::size_t>(size), 0.0F);
    if (next_ == tensors_.size() || tensors_[next_].name != name) {
        refuse("has no tensor \"" + std::string(name) + "\" in its place");
        return zeros;
    }
    NamedTensor& tensor = tensors_[next_++];
    if (tensor.shape != shape) {
        refuse("tensor \"" + tensor.name + "\" has the wrong shape");
        return zeros;
    }
    if (!std::ranges::all_of(tensor.values, [&](float value) { return value >= least && value <= most; })) {
        refuse("tensor \"" + tensor.name + "\" has a number that no map has");
        return zeros;
    }
    return std::move(tensor.values);
}

void TensorReader::refuse(std::string problem) {
    if (!problem_) problem_ = std::move(problem);
}

Result<void> TensorReader::end() const {
    if (problem_) return fail("feature map: " + *problem_);
    if (next_ != tensors_.size()) return fail("feature map: has tensors that do not belong to it");
    return {};
}

std::variant<PatchFeatures, FourierFeatures> read_extractor(const FeatureRecipe& recipe,
                                                            const InputShape& shape, TensorReader& reader) {
    if (recipe.kind == FeatureKind::patches)
        return PatchFeatures(recipe, shape, read_filters(recipe, shape, reader));
    auto frequencies =
        reader.take("frequencies", {recipe.count, shape.size()}, -kLargestMapNumber, kLargestMapNumber);
    auto phases = reader.take("phases", {recipe.count}, 0.0F, 1.0F);
    return FourierFeatures(std::move(frequencies), std::move(phases));
}

}  // namespace unlearn::learning
