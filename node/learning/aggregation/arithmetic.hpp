#pragma once

#include "node/learning/aggregation/mixture.hpp"

namespace unlearn::learning {

/// Mixes (1 - rho) main + rho (weighted mean of the seeds), as both published aggregations do. It ignores
/// which classes a voter knows.
class ArithmeticMixture : public Mixture {
  protected:
    using Vote = void(const Voter& voter, std::size_t row, std::span<double> vote);
    ArithmeticMixture(std::size_t classes, const Voter& main, std::span<const Voter> seeds, Vote& vote);

    void mix_row(std::size_t row, double rho, std::span<double> result) override;
};

/// HDUS as published (Ye et al., arXiv 2308.13269): the softmax of mixed logits.
class HdusMixture final : public ArithmeticMixture {
  public:
    HdusMixture(std::size_t classes, const Voter& main, std::span<const Voter> seeds);

  private:
    void mix_row(std::size_t row, double rho, std::span<double> result) override;
};

/// Mixes the probabilities of the voters.
class MeanProbabilitiesMixture final : public ArithmeticMixture {
  public:
    MeanProbabilitiesMixture(std::size_t classes, const Voter& main, std::span<const Voter> seeds);
};

}  // namespace unlearn::learning
