#pragma once

#include "node/learning/aggregation/mixture.hpp"

namespace unlearn::learning {

/// Believes each voter only in what it says among the classes that it knows. The result q is the normalised
/// fixed point of
///
///     log q(y) = sum of w_k (log p_k(y | known to k) + log q(known to k)) / sum of w_k
///
/// where both sums run over the voters k that know y. A voter that never saw the right class has little
/// influence where the others see it.
class GeometricMixture : public Mixture {
  protected:
    GeometricMixture(std::size_t classes, const Voter& main, std::span<const Voter> seeds);

    /// Adds `weight` to the seeds that know exactly these classes. All seeds together weigh 1.
    void add_seeds(const ClassMask& known, double weight);

  private:
    struct Group {
        ClassMask known;
        double weight = 0.0;
    };

    void mix_row(std::size_t row, double rho, std::span<double> result) final;
    void prepare_weights(double rho);

    ClassMask main_known_;
    std::vector<Group> seed_groups_;
    /// The groups for `prepared_rho_`, with the main model first, and the total weight of those that know
    /// each class.
    double prepared_rho_ = -1.0;
    std::vector<Group> groups_;
    std::vector<double> class_weight_;
};

/// Treats every seed as a voter of its own.
class KnownClassesMixture final : public GeometricMixture {
  public:
    KnownClassesMixture(std::size_t classes, const Voter& main, std::span<const Voter> seeds);
};

/// Treats the seeds as one voter. For each class its vote is the median of the seeds that know the class.
class MedianMixture final : public GeometricMixture {
  public:
    MedianMixture(std::size_t classes, const Voter& main, std::span<const Voter> seeds);
};

}  // namespace unlearn::learning
