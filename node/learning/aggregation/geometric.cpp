#include "node/learning/aggregation/geometric.hpp"

#include <algorithm>
#include <cmath>

namespace unlearn::learning {
namespace {

constexpr int kMaxIterations = 50;
constexpr double kTolerance = 1e-6;

double median_of(std::vector<double>& values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    if (values.size() % 2 == 1) return *middle;
    return (*middle + *std::max_element(values.begin(), middle)) / 2.0;
}

}  // namespace

GeometricMixture::GeometricMixture(std::size_t classes, const Voter& main, std::span<const Voter> seeds)
    : Mixture(classes, main, seeds), main_known_(*main.known), class_weight_(classes) {
    for (std::size_t row = 0; row < rows(); ++row)
        vote_log_probabilities(main, row, main_vote(row));
}

void GeometricMixture::add_seeds(const ClassMask& known, double weight) {
    const auto same = std::ranges::find(seed_groups_, known, &Group::known);
    if (same == seed_groups_.end())
        seed_groups_.push_back({known, weight});
    else
        same->weight += weight;
}

void GeometricMixture::prepare_weights(double rho) {
    if (rho == prepared_rho_) return;
    prepared_rho_ = rho;
    groups_.assign(1, {main_known_, 1.0 - rho});
    for (const auto& group : seed_groups_)
        groups_.push_back({group.known, rho * group.weight});
    std::fill(class_weight_.begin(), class_weight_.end(), 0.0);
    for (const auto& group : groups_) {
        for (std::size_t c = 0; c < class_weight_.size(); ++c) {
            if (group.known[c]) class_weight_[c] += group.weight;
        }
    }
}

void GeometricMixture::mix_row(std::size_t row, double rho, std::span<double> q) {
    prepare_weights(rho);
    const auto main = main_vote(row);
    const auto seeds = seeds_vote(row);
    std::vector<double> votes(q.size());
    std::vector<double> next(q.size());
    for (std::size_t c = 0; c < q.size(); ++c)
        votes[c] = (1.0 - rho) * main[c] + rho * seeds[c];
    for (int iteration = 0; iteration < kMaxIterations; ++iteration) {
        next = votes;
        for (const auto& group : groups_) {
            double known_mass = 1e-12;
            for (std::size_t c = 0; c < q.size(); ++c)
                known_mass += group.known[c] ? q[c] : 0.0;
            const double share = group.weight * std::log(known_mass);
            for (std::size_t c = 0; c < q.size(); ++c)
                next[c] += group.known[c] ? share : 0.0;
        }
        for (std::size_t c = 0; c < q.size(); ++c)
            next[c] = class_weight_[c] > 0.0 ? std::exp(next[c] / class_weight_[c]) : 0.0;
        normalise(next);
        double change = 0.0;
        for (std::size_t c = 0; c < q.size(); ++c)
            change += std::fabs(next[c] - q[c]);
        std::copy(next.begin(), next.end(), q.begin());
        if (change < kTolerance) break;
    }
}

KnownClassesMixture::KnownClassesMixture(std::size_t classes, const Voter& main, std::span<const Voter> seeds)
    : GeometricMixture(classes, main, seeds) {
    const double total = total_weight(seeds);
    std::vector<double> votes(classes);
    for (const Voter& seed : seeds) {
        const double weight = seed.weight / total;
        add_seeds(*seed.known, weight);
        for (std::size_t row = 0; row < rows(); ++row) {
            vote_log_probabilities(seed, row, votes);
            const auto sum = seeds_vote(row);
            for (std::size_t c = 0; c < classes; ++c)
                sum[c] += weight * votes[c];
        }
    }
}

MedianMixture::MedianMixture(std::size_t classes, const Voter& main, std::span<const Voter> seeds)
    : GeometricMixture(classes, main, seeds) {
    if (seeds.empty()) return;
    ClassMask known(classes, false);
    for (const Voter& seed : seeds) {
        for (std::size_t c = 0; c < classes; ++c)
            known[c] = known[c] || (*seed.known)[c];
    }
    add_seeds(known, 1.0);
    std::vector<double> votes(classes * seeds.size());
    std::vector<double> of_class;
    for (std::size_t row = 0; row < rows(); ++row) {
        for (std::size_t k = 0; k < seeds.size(); ++k)
            vote_log_probabilities(seeds[k], row, std::span(votes).subspan(k * classes, classes));
        const auto result = seeds_vote(row);
        for (std::size_t c = 0; c < classes; ++c) {
            of_class.clear();
            for (std::size_t k = 0; k < seeds.size(); ++k) {
                if ((*seeds[k].known)[c]) of_class.push_back(votes[k * classes + c]);
            }
            if (!of_class.empty()) result[c] = median_of(of_class);
        }
    }
}

}  // namespace unlearn::learning
