#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "node/learning/data/result.hpp"
#include "node/learning/data/safetensors.hpp"
#include "node/learning/data/table.hpp"
#include "node/learning/features/fourier_features.hpp"
#include "node/learning/features/patch_features.hpp"
#include "node/learning/features/recipe.hpp"

/// A feature map as named tensors, which is how it is kept in a file. The order is fixed.
namespace unlearn::learning {

/// The largest magnitude of a number in a map. Learned ones are far below.
constexpr float kLargestMapNumber = 1e6F;

[[nodiscard]] NamedTensor vector_tensor(std::string name, const std::vector<float>& values);
/// Returns the tensors of the part that makes raw features.
[[nodiscard]] std::vector<NamedTensor> tensors_of(const PatchFeatures& features);
[[nodiscard]] std::vector<NamedTensor> tensors_of(const FourierFeatures& features);

/// Takes the tensors of a file one by one and remembers the first thing that is wrong with them.
class TensorReader {
  public:
    explicit TensorReader(std::vector<NamedTensor> tensors) : tensors_(std::move(tensors)) {}

    /// Returns the values of the next tensor, which must have this name and shape, and only values from
    /// `least` to `most`. Otherwise returns as many zeros.
    [[nodiscard]] std::vector<float> take(std::string_view name, const std::vector<std::int64_t>& shape,
                                          float least, float most);
    /// Says that a tensor that was taken is unusable.
    void refuse(std::string problem);
    /// Fails if anything was wrong, or if a tensor is left over.
    [[nodiscard]] Result<void> end() const;

  private:
    std::vector<NamedTensor> tensors_;
    std::size_t next_ = 0;
    std::optional<std::string> problem_;
};

/// Reads what tensors_of() returned. What is wrong is found by reader.end().
[[nodiscard]] std::variant<PatchFeatures, FourierFeatures> read_extractor(const FeatureRecipe& recipe,
                                                                          const InputShape& shape,
                                                                          TensorReader& reader);

}  // namespace unlearn::learning
