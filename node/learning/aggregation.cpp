#include "node/learning/aggregation.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "node/learning/data/assert.hpp"
#include "node/learning/minimise.hpp"

namespace unlearn::learning {
namespace {

constexpr double kFloor = -9.0;  // log p of a vote is at least this: about 1 in 8,000
constexpr int kMaxIterations = 50;
constexpr double kTolerance = 1e-6;

std::span<const float> row_of(const Voter& voter, std::size_t row, std::size_t classes) {
    return voter.logits.subspan(row * classes, classes);
}

bool all_finite(std::span<const float> logits) {
    return std::all_of(logits.begin(), logits.end(), [](float z) { return std::isfinite(z); });
}

// log softmax over the known classes; 0 elsewhere. A row that is not finite says nothing: all known classes
// alike.
void log_votes(const Voter& voter, std::size_t row, std::span<double> votes) {
    const auto logits = row_of(voter, row, votes.size());
    const ClassMask& known = *voter.known;
    const bool usable = all_finite(logits);
    double most = -1e300;
    for (std::size_t c = 0; c < votes.size(); ++c) {
        votes[c] = usable && known[c] ? logits[c] / voter.temperature : 0.0;
        if (known[c]) most = std::max(most, votes[c]);
    }
    double sum = 0.0;
    for (std::size_t c = 0; c < votes.size(); ++c) {
        if (known[c]) sum += std::exp(votes[c] - most);
    }
    const double normaliser = most + std::log(sum);
    for (std::size_t c = 0; c < votes.size(); ++c)
        votes[c] = known[c] ? std::max(votes[c] - normaliser, kFloor) : 0.0;
}

void normalise(std::span<double> values) {
    double sum = 0.0;
    for (const double value : values)
        sum += value;
    if (!(sum > 0.0)) return;
    for (double& value : values)
        value /= sum;
}

void softmax(std::span<double> values) {
    const double most = *std::max_element(values.begin(), values.end());
    for (double& value : values)
        value = std::exp(value - most);
    normalise(values);
}

// What a voter says in a published aggregation, which knows no masks: its logits, or their softmax.
void plain_vote(const Voter& voter, std::size_t row, bool as_probabilities, std::span<double> vote) {
    const auto logits = row_of(voter, row, vote.size());
    const bool usable = all_finite(logits);
    for (std::size_t c = 0; c < vote.size(); ++c)
        vote[c] = usable ? logits[c] / voter.temperature : 0.0;
    if (as_probabilities) softmax(vote);
}

double total_weight(std::span<const Voter> voters) {
    double sum = 0.0;
    for (const Voter& voter : voters)
        sum += voter.weight;
    return sum;
}

double median_of(std::vector<double>& values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    if (values.size() % 2 == 1) return *middle;
    return (*middle + *std::max_element(values.begin(), middle)) / 2.0;
}

}  // namespace

SeedVotes::SeedVotes(Aggregation aggregation, std::size_t classes, std::size_t rows,
                     std::span<const Voter> seeds)
    : aggregation_(aggregation), classes_(classes), rows_(rows), summary_(classes * rows, 0.0) {
    for (const Voter& seed : seeds)
        UNLEARN_ASSERT(seed.logits.size() == rows * classes);
    if (seeds.empty()) return;
    if (!is_geometric(aggregation)) add_means(seeds);
    if (aggregation == Aggregation::known_classes) add_log_votes(seeds);
    if (aggregation == Aggregation::median) add_medians(seeds);
}

void SeedVotes::add_means(std::span<const Voter> seeds) {
    groups_.push_back({ClassMask(classes_, true), 1.0});
    const double total = total_weight(seeds);
    std::vector<double> vote(classes_);
    for (const Voter& seed : seeds) {
        const double weight = seed.weight / total;
        for (std::size_t row = 0; row < rows_; ++row) {
            plain_vote(seed, row, aggregation_ == Aggregation::mean_probabilities, vote);
            for (std::size_t c = 0; c < classes_; ++c)
                summary_[row * classes_ + c] += weight * vote[c];
        }
    }
}

void SeedVotes::add_log_votes(std::span<const Voter> seeds) {
    const double total = total_weight(seeds);
    std::vector<double> votes(classes_);
    for (const Voter& seed : seeds) {
        const double weight = seed.weight / total;
        const auto same = std::find_if(groups_.begin(), groups_.end(),
                                       [&](const Group& group) { return group.known == *seed.known; });
        if (same == groups_.end()) {
            groups_.push_back({*seed.known, weight});
        } else {
            same->weight += weight;
        }
        for (std::size_t row = 0; row < rows_; ++row) {
            log_votes(seed, row, votes);
            for (std::size_t c = 0; c < classes_; ++c)
                summary_[row * classes_ + c] += weight * votes[c];
        }
    }
}

void SeedVotes::add_medians(std::span<const Voter> seeds) {
    ClassMask known(classes_, false);
    for (const Voter& seed : seeds) {
        for (std::size_t c = 0; c < classes_; ++c)
            known[c] = known[c] || (*seed.known)[c];
    }
    std::vector<double> votes(classes_ * seeds.size());
    std::vector<double> of_class;
    for (std::size_t row = 0; row < rows_; ++row) {
        for (std::size_t k = 0; k < seeds.size(); ++k) {
            log_votes(seeds[k], row, std::span(votes).subspan(k * classes_, classes_));
        }
        for (std::size_t c = 0; c < classes_; ++c) {
            of_class.clear();
            for (std::size_t k = 0; k < seeds.size(); ++k) {
                if ((*seeds[k].known)[c]) of_class.push_back(votes[k * classes_ + c]);
            }
            if (!of_class.empty()) summary_[row * classes_ + c] = median_of(of_class);
        }
    }
    groups_.push_back({std::move(known), 1.0});
}

Mixer::Mixer(const Voter& main, const SeedVotes& seeds)
    : seeds_(seeds),
      main_(seeds.rows_ * seeds.classes_),
      result_(main_.size(), 1.0 / static_cast<double>(seeds.classes_)),
      main_known_(*main.known),
      class_weight_(seeds.classes_) {
    UNLEARN_ASSERT(main.logits.size() == main_.size());
    const std::size_t classes = seeds.classes_;
    for (std::size_t row = 0; row < seeds.rows_; ++row) {
        const auto target = std::span(main_).subspan(row * classes, classes);
        if (is_geometric(seeds.aggregation_)) {
            log_votes(main, row, target);
        } else {
            plain_vote(main, row, seeds.aggregation_ == Aggregation::mean_probabilities, target);
        }
    }
}

void Mixer::prepare_weights(double rho) {
    if (rho == prepared_rho_) return;
    prepared_rho_ = rho;
    groups_.assign(1, {main_known_, 1.0 - rho});
    for (const auto& group : seeds_.groups_)
        groups_.push_back({group.known, rho * group.weight});
    std::fill(class_weight_.begin(), class_weight_.end(), 0.0);
    for (const auto& group : groups_) {
        for (std::size_t c = 0; c < class_weight_.size(); ++c) {
            if (group.known[c]) class_weight_[c] += group.weight;
        }
    }
}

void Mixer::find_fixed_point(std::size_t row, double rho, std::span<double> q) const {
    const std::size_t classes = seeds_.classes_;
    std::vector<double> votes(classes);
    std::vector<double> next(classes);
    for (std::size_t c = 0; c < classes; ++c) {
        votes[c] = (1.0 - rho) * main_[row * classes + c] + rho * seeds_.summary_[row * classes + c];
    }
    for (int iteration = 0; iteration < kMaxIterations; ++iteration) {
        next = votes;
        for (const auto& group : groups_) {
            double known_mass = 1e-12;
            for (std::size_t c = 0; c < classes; ++c)
                known_mass += group.known[c] ? q[c] : 0.0;
            const double share = group.weight * std::log(known_mass);
            for (std::size_t c = 0; c < classes; ++c)
                next[c] += group.known[c] ? share : 0.0;
        }
        for (std::size_t c = 0; c < classes; ++c) {
            next[c] = class_weight_[c] > 0.0 ? std::exp(next[c] / class_weight_[c]) : 0.0;
        }
        normalise(next);
        double change = 0.0;
        for (std::size_t c = 0; c < classes; ++c)
            change += std::fabs(next[c] - q[c]);
        std::copy(next.begin(), next.end(), q.begin());
        if (change < kTolerance) break;
    }
}

std::span<const double> Mixer::mix(std::size_t row, double rho) {
    const std::size_t classes = seeds_.classes_;
    const auto result = std::span(result_).subspan(row * classes, classes);
    if (seeds_.empty()) rho = 0.0;
    if (is_geometric(seeds_.aggregation_)) {
        prepare_weights(rho);
        find_fixed_point(row, rho, result);
        return result;
    }
    for (std::size_t c = 0; c < classes; ++c) {
        result[c] = (1.0 - rho) * main_[row * classes + c] + rho * seeds_.summary_[row * classes + c];
    }
    if (seeds_.aggregation_ == Aggregation::hdus) softmax(result);
    return result;
}

void apply_prior(std::span<double> probabilities, std::span<const double> distribution) {
    UNLEARN_ASSERT(probabilities.size() == distribution.size());
    double sum = 0.0;
    for (std::size_t c = 0; c < probabilities.size(); ++c)
        sum += probabilities[c] * distribution[c];
    if (!(sum > 0.0)) return;
    for (std::size_t c = 0; c < probabilities.size(); ++c)
        probabilities[c] *= distribution[c] / sum;
}

double choose_rho(const Voter& main, const SeedVotes& seeds, std::span<const std::int64_t> labels,
                  std::span<const double> own_distribution) {
    // As if a handful of examples had been predicted better with the seeds and some with the main model: the
    // cost has its minimum strictly between 0 and 1, so that rho always answers to a change of the members.
    constexpr double kExamplesForSeeds = 3.0;
    constexpr double kExamplesForMain = 2.0;
    static_assert(kExamplesForSeeds / (kExamplesForSeeds + kExamplesForMain) == kDefaultRho);
    constexpr double kLowest = 0.001;
    constexpr double kHighest = 0.999;
    constexpr double kPrecision = 1e-5;
    UNLEARN_ASSERT(labels.size() == seeds.rows());
    if (seeds.empty()) return 0.0;

    Mixer mixer(main, seeds);
    std::vector<double> asked(seeds.classes());
    const auto cost = [&](double rho) {
        double sum = -kExamplesForSeeds * std::log(rho) - kExamplesForMain * std::log(1.0 - rho);
        for (std::size_t row = 0; row < labels.size(); ++row) {
            const auto mixed = mixer.mix(row, rho);
            asked.assign(mixed.begin(), mixed.end());
            apply_prior(asked, own_distribution);
            sum -= std::log(asked[static_cast<std::size_t>(labels[row])] + 1e-6);
        }
        return sum;
    };

    return minimise(kLowest, kHighest, kPrecision, cost);
}

}  // namespace unlearn::learning
