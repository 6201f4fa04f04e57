#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "node/learning/data/ensemble_options.hpp"
#include "node/learning/data/prior.hpp"

namespace unlearn::learning {

using ClassMask = std::vector<bool>;  // one element per class

// What one model says about some rows.
struct Voter {
    std::span<const float> logits;  // rows x classes
    const ClassMask* known = nullptr;
    double temperature = 1.0;  // what the logits are divided by
    double weight = 1.0;       // against the other seeds; the median knows no weights
};

// All that the mixture needs to know of the seeds for some rows, whatever rho will be. It is computed from
// scratch, in the order of the voters.
class SeedVotes {
  public:
    SeedVotes(Aggregation aggregation, std::size_t classes, std::size_t rows, std::span<const Voter> seeds);

    [[nodiscard]] Aggregation aggregation() const { return aggregation_; }
    [[nodiscard]] std::size_t classes() const { return classes_; }
    [[nodiscard]] std::size_t rows() const { return rows_; }
    [[nodiscard]] bool empty() const { return groups_.empty(); }

  private:
    friend class Mixer;
    // Seeds that know the same classes; together they hold `weight` of the seeds' weight of 1.
    struct Group {
        ClassMask known;
        double weight = 0.0;
    };

    void add_means(std::span<const Voter> seeds);
    void add_log_votes(std::span<const Voter> seeds);
    void add_medians(std::span<const Voter> seeds);

    Aggregation aggregation_;
    std::size_t classes_;
    std::size_t rows_;
    std::vector<double> summary_;  // rows x classes; its meaning depends on the aggregation
    std::vector<Group> groups_;
};

// Mixes the main model with the seeds, row by row. Keeps scratch memory, so it belongs to one thread.
class Mixer {
  public:
    Mixer(const Voter& main, const SeedVotes& seeds);

    // The probabilities [classes] of a row; a row's last result is where the search for its next one begins.
    [[nodiscard]] std::span<const double> mix(std::size_t row, double rho);

  private:
    void prepare_weights(double rho);
    void find_fixed_point(std::size_t row, double rho, std::span<double> result) const;

    const SeedVotes& seeds_;
    std::vector<double> main_;    // rows x classes: logits, probabilities or log votes
    std::vector<double> result_;  // rows x classes
    ClassMask main_known_;
    std::vector<SeedVotes::Group> groups_;  // the main model first
    std::vector<double> class_weight_;
    double prepared_rho_ = -1.0;
};

// Multiplies by the distribution and normalises again. Leaves a row alone in which nothing would remain.
void apply_prior(std::span<double> probabilities, std::span<const double> distribution);

// The rho that makes the owner's validation labels most likely under its own class distribution, found to
// about 1e-4, with a weak pull towards kDefaultRho that decides when there is little or no validation data.
constexpr double kDefaultRho = 0.6;
[[nodiscard]] double choose_rho(const Voter& main, const SeedVotes& seeds,
                                std::span<const std::int64_t> labels,
                                std::span<const double> own_distribution);

}  // namespace unlearn::learning
