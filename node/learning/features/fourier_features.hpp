#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "node/learning/data/random.hpp"

namespace unlearn::learning {

/// The part of a feature map that sees rows of tables: their columns, and random Fourier features of them
/// (Rahimi and Recht, 2007): sqrt(2) cos(2 pi (w x + b)). Immutable.
class FourierFeatures {
  public:
    /// `frequencies` is [features, columns], row-major, in turns per unit; `phases` is [features], in turns.
    FourierFeatures(std::vector<float> frequencies, std::vector<float> phases);
    /// Draws frequencies for the Gaussian kernel whose width is the median distance between rows of the
    /// reference set, given as [rows, columns].
    [[nodiscard]] static FourierFeatures draw(std::span<const float> reference, std::size_t columns,
                                              std::size_t features, RandomStream& stream);

    [[nodiscard]] std::size_t size() const { return columns() + phases_.size(); }
    [[nodiscard]] const std::vector<float>& frequencies() const { return frequencies_; }
    [[nodiscard]] const std::vector<float>& phases() const { return phases_; }
    /// Writes the columns of one row, and then the Fourier features.
    void apply(const float* row, std::span<float> features) const;

  private:
    [[nodiscard]] std::size_t columns() const { return frequencies_.size() / phases_.size(); }

    std::vector<float> frequencies_;
    std::vector<float> phases_;
};

}  // namespace unlearn::learning
