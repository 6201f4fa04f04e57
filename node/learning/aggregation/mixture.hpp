#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "node/learning/aggregation/voter.hpp"
#include "node/learning/data/ensemble_options.hpp"

namespace unlearn::learning {

/// Mixes the main model with the seeds, row by row. Each aggregation is a derived class. Everything that does
/// not depend on rho, the weight of the seeds, is computed once, from scratch and in the order of the seeds.
/// A mixture keeps scratch memory, so it belongs to one thread.
class Mixture {
  public:
    /// Makes the mixture of the given kind. All voters must vote on the same rows.
    [[nodiscard]] static std::unique_ptr<Mixture> make(Aggregation aggregation, std::size_t classes,
                                                       const Voter& main, std::span<const Voter> seeds);

    virtual ~Mixture() = default;
    Mixture(const Mixture&) = delete;
    Mixture& operator=(const Mixture&) = delete;

    /// Returns the probabilities [classes] of a row. They are valid until the next call for the same row.
    /// Without seeds, rho counts as 0.
    [[nodiscard]] std::span<const double> mix(std::size_t row, double rho);

    [[nodiscard]] std::size_t classes() const { return classes_; }
    [[nodiscard]] std::size_t rows() const { return rows_; }
    [[nodiscard]] bool has_seeds() const { return has_seeds_; }

  protected:
    Mixture(std::size_t classes, const Voter& main, std::span<const Voter> seeds);

    /// The main model's vote on a row, and the joint vote of the seeds, [classes] each. The aggregation
    /// decides what the numbers mean.
    [[nodiscard]] std::span<double> main_vote(std::size_t row) { return row_of(main_votes_, row); }
    [[nodiscard]] std::span<double> seeds_vote(std::size_t row) { return row_of(seed_votes_, row); }

  private:
    /// `result` [classes] holds the previous result for this row, uniform at first. An iteration may start
    /// from it.
    virtual void mix_row(std::size_t row, double rho, std::span<double> result) = 0;

    [[nodiscard]] std::span<double> row_of(std::vector<double>& table, std::size_t row) const {
        return std::span(table).subspan(row * classes_, classes_);
    }

    std::size_t classes_;
    std::size_t rows_;
    bool has_seeds_;
    std::vector<double> main_votes_;  ///< [rows, classes], like the next two
    std::vector<double> seed_votes_;
    std::vector<double> results_;
};

/// Multiplies the probabilities by the distribution and normalises them again. Changes nothing if the sum
/// would be 0.
void apply_prior(std::span<double> probabilities, std::span<const double> distribution);

/// The rho towards which choose_rho() is pulled.
constexpr double kDefaultRho = 0.6;
/// Returns the rho that makes the owner's validation labels most likely under its own class distribution. A
/// weak pull towards kDefaultRho decides when there is little or no validation data. `mixture` must hold the
/// votes on the validation rows, and `labels` their labels. Returns 0 without seeds.
[[nodiscard]] double choose_rho(Mixture& mixture, std::span<const std::int64_t> labels,
                                std::span<const double> own_distribution);

}  // namespace unlearn::learning
