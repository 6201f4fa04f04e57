#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "node/learning/data/result.hpp"
#include "node/learning/data/safetensors.hpp"
#include "node/learning/data/table.hpp"

namespace unlearn::learning {

/// The kinds of models in the registry.
enum class ArchitectureKind { linear, mlp, cnn, resnet, ridge, head };

/// The kinds that a main model may have.
inline constexpr std::array kMainArchitectures{ArchitectureKind::linear, ArchitectureKind::mlp,
                                               ArchitectureKind::cnn, ArchitectureKind::resnet,
                                               ArchitectureKind::ridge};
/// The kinds that a seed may have. Every node must be able to check and run the seeds of its peers, so peers
/// of earlier versions refuse a kind that is added here.
inline constexpr std::array kSeedArchitectures{ArchitectureKind::linear, ArchitectureKind::mlp,
                                               ArchitectureKind::cnn, ArchitectureKind::resnet,
                                               ArchitectureKind::head};

/// A model of the registry. An architecture has exactly one text: text() returns what parse_architecture()
/// accepts.
///
// clang-format off
/// | text                  | model                                                                            |
/// |-----------------------|----------------------------------------------------------------------------------|
/// | `linear`              | softmax regression                                                               |
/// | `mlp:100`, `mlp:64x32`| fully connected hidden layers of these widths, ReLU                              |
/// | `cnn:16x32`           | 3x3 convolutions with these numbers of channels, each followed by ReLU and 2x2 max pooling |
/// | `cnn:16x32+64`        | the same with one hidden fully connected layer of 64                             |
/// | `resnet:16x32x64+3`   | residual stages of these widths, 3 blocks each (He et al., arXiv 1512.03385, for CIFAR), group normalisation |
/// | `ridge`               | a linear model on public features, by ridge regression                           |
/// | `head`                | a linear model on public features, as a seed                                     |
///
/// For 28x28 images of ten classes resnet:16x32x64+3 has 272 thousand weights, and resnet:8x12+1 has 4 thousand.
// clang-format on
struct Architecture {
    ArchitectureKind kind = ArchitectureKind::linear;
    std::vector<std::int64_t> widths;
    std::int64_t extra = 0;  ///< cnn: the hidden layer's width, 0 for none; resnet: blocks per stage

    [[nodiscard]] std::string text() const;
    /// Whether it sees public features instead of the values themselves. Then it is a linear model of them.
    [[nodiscard]] bool sees_features() const {
        return kind == ArchitectureKind::ridge || kind == ArchitectureKind::head;
    }
    friend bool operator==(const Architecture&, const Architecture&) = default;
};

/// The name and shape of one tensor of a model.
struct TensorShape {
    std::string name;
    std::vector<std::int64_t> shape;

    [[nodiscard]] std::int64_t elements() const;
    friend bool operator==(const TensorShape&, const TensorShape&) = default;
};

/// The limits on the size of a model, and in particular of a peer's seed.
struct ArchitectureLimits {
    std::int64_t parameters = 4'000'000;
    std::int64_t classes = 1'000;
    std::size_t tensors = 4'096;
};
constexpr ArchitectureLimits kMainLimits{};
/// Peers read no payload with more tensors.
constexpr ArchitectureLimits kSeedLimits{
    .parameters = 1'000'000, .classes = 1'000, .tensors = SafetensorsLimits{}.tensors};

/// Parses the text of an architecture. Fails if it is not one or if its kind is not allowed; the message
/// gives examples of the allowed kinds.
[[nodiscard]] Result<Architecture> parse_architecture(
    std::string_view text, std::span<const ArchitectureKind> allowed = kMainArchitectures);

/// Returns the tensors of such a model in the order in which they are written. Fails if such a model cannot
/// exist for this input, for example because an image is too small to be pooled or because there are too many
/// weights or tensors.
[[nodiscard]] Result<std::vector<TensorShape>> expected_tensors(
    const Architecture& architecture, const InputShape& input, std::int64_t classes,
    const ArchitectureLimits& limits = kMainLimits);

/// Returns the number of weights of such a model. Fails like expected_tensors().
[[nodiscard]] Result<std::int64_t> parameter_count(const Architecture& architecture, const InputShape& input,
                                                   std::int64_t classes);

/// The largest magnitude of a weight. Beyond it a layer could overflow.
constexpr float kMaxWeight = 1e4F;
/// Checks that these are exactly the tensors of such a model: names, order, shapes and counts, with all
/// values finite and within +-kMaxWeight.
[[nodiscard]] Result<void> check_tensors(const Architecture& architecture, const InputShape& input,
                                         std::int64_t classes, std::span<const NamedTensor> tensors,
                                         const ArchitectureLimits& limits = kMainLimits);

/// A peer's seed that passed check_seed_payload().
struct CheckedSeed {
    Architecture architecture;
    std::vector<NamedTensor> tensors;
};

/// Checks everything that can be checked about a peer's seed without running it: its descriptor, its size,
/// and that the payload (safetensors) holds exactly the tensors of that descriptor.
[[nodiscard]] Result<CheckedSeed> check_seed_payload(std::string_view architecture, const InputShape& input,
                                                     std::int64_t classes,
                                                     std::span<const std::uint8_t> payload);

}  // namespace unlearn::learning
