#include "node/learning/ensemble/ensemble.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include <ATen/ATen.h>

#include "node/learning/data/assert.hpp"
#include "node/learning/product_turn.hpp"

namespace unlearn::learning {
namespace {

tl::unexpected<Error> revoked_error() {
    return fail("ensemble: the snapshot was revoked; ask the current one");
}

void divide_prior_out(std::span<float> row, std::span<const double> distribution) {
    double sum = 0.0;
    for (std::size_t c = 0; c < row.size(); ++c) {
        row[c] = distribution[c] > 0.0 ? static_cast<float>(row[c] / distribution[c]) : 0.0F;
        sum += row[c];
    }
    for (float& value : row)
        value = sum > 0.0 ? static_cast<float>(value / sum) : 1.0F / static_cast<float>(row.size());
}

// A part is an OwnPart or a Member: both have known classes and a calibration.
template <typename Part>
Voter voter_of(std::span<const float> logits, const Part& part, const EnsembleOptions& options) {
    return {logits, &part.known_classes(), options.is_calibrated() ? part.calibration().temperature : 1.0,
            options.is_weighted() ? part.calibration().likelihood : 1.0};
}

}  // namespace

std::shared_ptr<const Ensemble> Ensemble::build(std::shared_ptr<const OwnPart> own,
                                                std::vector<std::shared_ptr<const Member>> members,
                                                const EnsembleOptions& options) {
    std::shared_ptr<Ensemble> ensemble(new Ensemble(std::move(own), std::move(members), options));
    ensemble->rho_ = ensemble->validated_rho();
    return ensemble;
}

Ensemble::Ensemble(std::shared_ptr<const OwnPart> own, std::vector<std::shared_ptr<const Member>> members,
                   const EnsembleOptions& options)
    : own_(std::move(own)), members_(std::move(members)), options_(options) {
    std::sort(members_.begin(), members_.end(),
              [](const auto& a, const auto& b) { return a->id() < b->id(); });
    const auto twice = std::adjacent_find(members_.begin(), members_.end(),
                                          [](const auto& a, const auto& b) { return a->id() == b->id(); });
    UNLEARN_ASSERT(twice == members_.end());
    fuse();
}

// No thread uses the snapshot any more when it is destroyed. FusedMlp zeroes its own weights.
Ensemble::~Ensemble() = default;

void Ensemble::fuse() {
    std::map<std::string, std::vector<std::size_t>> places;
    for (std::size_t i = 0; i < members_.size(); ++i) {
        const Architecture& architecture = members_[i]->model().architecture();
        if (FusedMlp::supports(architecture)) {
            places[architecture.text()].push_back(i);
        } else {
            single_.push_back(i);
        }
    }
    for (auto& [text, of_one_kind] : places) {
        std::vector<const Model*> models;
        for (const std::size_t place : of_one_kind)
            models.push_back(&members_[place]->model());
        fused_.push_back({std::move(of_one_kind), std::make_unique<FusedMlp>(models)});
    }
}

double Ensemble::validated_rho() const {
    if (members_.empty()) return 0.0;
    if (options_.fixed_rho) return *options_.fixed_rho;
    std::vector<Voter> voters;
    for (const auto& member : members_)
        voters.push_back(voter_of(member->validation_voter().logits, *member, options_));
    const auto labels = own_->validation_labels();
    const auto mixture = Mixture::make(options_.aggregation, own_->classes(),
                                       voter_of(own_->validation_voter().logits, *own_, options_), voters);
    return choose_rho(*mixture, labels, own_->distribution());
}

std::vector<Participant> Ensemble::participants() const {
    std::vector<Participant> all;
    for (const auto& member : members_)
        all.push_back({member->id(), member->version()});
    return all;
}

bool Ensemble::holds(const MemberId& id) const {
    return std::any_of(members_.begin(), members_.end(),
                       [&](const auto& member) { return member->id() == id; });
}

Result<void> Ensemble::check_inputs(const Inputs& inputs) const {
    const InputShape& shape = own_->shape();
    if (!inputs.rows().defined() || inputs.rows().dim() != 4 || inputs.rows().scalar_type() != at::kFloat ||
        inputs.shape() != shape) {
        const std::string features =
            shape.features > 0 ? " with " + std::to_string(shape.features) + " features" : "";
        return fail("prediction: inputs must be float32 of shape [rows, " + std::to_string(shape.channels) +
                    ", " + std::to_string(shape.height) + ", " + std::to_string(shape.width) + "]" +
                    features);
    }
    return {};
}

std::vector<std::vector<float>> Ensemble::member_logits(const Inputs& rows) const {
    std::vector<std::vector<float>> logits(members_.size());
    const ProductTurn turn;
    at::Tensor features;
    for (const Fused& one : fused_) {
        const bool sees_features = members_[one.places.front()]->model().architecture().sees_features();
        if (sees_features && !features.defined()) features = rows.features();
        const at::Tensor all = one.models->forward(sees_features ? features : rows.rows());
        for (std::size_t i = 0; i < one.places.size(); ++i) {
            logits[one.places[i]] = to_vector(all.select(0, static_cast<std::int64_t>(i)));
        }
    }
    for (const std::size_t place : single_)
        logits[place] = to_vector(members_[place]->model().forward(rows));
    return logits;
}

void Ensemble::combine_into(std::span<const float> main_logits,
                            std::span<const std::span<const float>> logits, std::span<const Prior> priors,
                            std::span<float* const> probabilities) const {
    UNLEARN_ASSERT(logits.size() == members_.size());
    const std::size_t classes = own_->classes();
    const std::size_t rows = main_logits.size() / classes;
    std::vector<Voter> voters;
    for (std::size_t i = 0; i < members_.size(); ++i)
        voters.push_back(voter_of(logits[i], *members_[i], options_));
    const auto mixture =
        Mixture::make(options_.aggregation, classes, voter_of(main_logits, *own_, options_), voters);
    const bool can_move = traits_of(options_.aggregation).geometric;
    std::vector<double> row(classes);
    for (std::size_t i = 0; i < rows; ++i) {
        const auto mixed = mixture->mix(i, rho_);
        for (std::size_t asked = 0; asked < priors.size(); ++asked) {
            row.assign(mixed.begin(), mixed.end());
            if (can_move && priors[asked] == Prior::own) apply_prior(row, own_->distribution());
            std::transform(row.begin(), row.end(), probabilities[asked] + i * classes,
                           [](double value) { return static_cast<float>(value); });
        }
    }
}

std::vector<std::vector<float>> Ensemble::combine(std::span<const float> main_logits,
                                                  std::span<const std::span<const float>> logits,
                                                  std::span<const Prior> priors) const {
    std::vector<std::vector<float>> tables(priors.size(), std::vector<float>(main_logits.size()));
    std::vector<float*> targets;
    for (auto& table : tables)
        targets.push_back(table.data());
    combine_into(main_logits, logits, priors, targets);
    return tables;
}

Result<std::vector<Prediction>> Ensemble::predict_under(const Inputs& inputs,
                                                        std::span<const Prior> priors) const {
    if (auto fine = check_inputs(inputs); !fine) return tl::unexpected(fine.error());
    const at::NoGradGuard no_gradients;
    const auto classes = static_cast<std::int64_t>(own_->classes());
    std::vector<Prediction> predictions;
    for (std::size_t i = 0; i < priors.size(); ++i)
        predictions.push_back({at::empty({inputs.size(), classes}, at::kFloat), participants()});
    for (std::int64_t first = 0; first < inputs.size(); first += kPredictionRows) {
        const auto rows = inputs.narrow(first, std::min(kPredictionRows, inputs.size() - first));
        std::vector<float*> targets;
        for (const auto& prediction : predictions)
            targets.push_back(prediction.probabilities.data_ptr<float>() + first * classes);
        const std::shared_lock in_use(in_use_);
        if (revoked_.load()) return revoked_error();
        const auto logits = member_logits(rows);
        const std::vector<std::span<const float>> views(logits.begin(), logits.end());
        combine_into(to_vector(predict_logits(own_->main().model(), rows)), views, priors, targets);
    }
    if (revoked_.load()) return revoked_error();
    return predictions;
}

Result<Prediction> Ensemble::predict(const Inputs& inputs, Prior prior) const {
    auto predictions = predict_under(inputs, {&prior, 1});
    if (!predictions) return tl::unexpected(predictions.error());
    return std::move(predictions->front());
}

Result<Prediction> Ensemble::predict_main(const Inputs& inputs, std::optional<Prior> prior) const {
    if (auto fine = check_inputs(inputs); !fine) return tl::unexpected(fine.error());
    const at::NoGradGuard no_gradients;
    Prediction prediction{at::softmax(predict_logits(own_->main().model(), inputs), 1), {}};
    if (prior == Prior::uniform) {
        auto* values = prediction.probabilities.data_ptr<float>();
        const std::size_t classes = own_->classes();
        for (std::int64_t row = 0; row < inputs.size(); ++row) {
            divide_prior_out({values + static_cast<std::size_t>(row) * classes, classes},
                             own_->distribution());
        }
    }
    return prediction;
}

void Ensemble::revoke() const {
    revoked_.store(true);
    const std::unique_lock alone(in_use_);
    for (const Fused& one : fused_)
        one.models->wipe();
}

}  // namespace unlearn::learning
