#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "node/learning/aggregation/calibration.hpp"
#include "node/learning/aggregation/voter.hpp"
#include "node/learning/dataset.hpp"
#include "node/learning/training.hpp"

namespace unlearn::learning {

/// What a node itself contributes to its ensemble: its main model, its validation data, its own class
/// distribution, and the public reference set. Nothing in it comes from a peer. Immutable and shared; a new
/// main model or a deleted record makes a new one.
class OwnPart {
  public:
    /// `own_data` is all of the node's labelled data. It determines the own distribution and the classes that
    /// the main model knows. `validation` is the part of it that the main model was not trained on; it may be
    /// empty.
    [[nodiscard]] static std::shared_ptr<const OwnPart> make(MainModel main, const Dataset& own_data,
                                                             Dataset validation, ReferenceSet reference);

    [[nodiscard]] const MainModel& main() const { return main_; }
    [[nodiscard]] const Dataset& validation() const { return validation_; }
    [[nodiscard]] const ReferenceSet& reference() const { return reference_; }
    /// The share of each class in the own data, [classes]; sums to 1.
    [[nodiscard]] const std::vector<double>& distribution() const { return distribution_; }
    [[nodiscard]] std::size_t classes() const { return distribution_.size(); }
    [[nodiscard]] const InputShape& shape() const { return main_.model().input_shape(); }

    /// The main model as a voter on the validation rows, and the labels of those rows.
    [[nodiscard]] Voter validation_voter() const { return {validation_logits_, &known_classes_}; }
    [[nodiscard]] std::span<const std::int64_t> validation_labels() const;
    [[nodiscard]] const ClassMask& known_classes() const { return known_classes_; }
    /// The calibration of the main model.
    [[nodiscard]] const Calibration& calibration() const { return calibration_; }

  private:
    OwnPart(MainModel main, const Dataset& own_data, Dataset validation, ReferenceSet reference);

    MainModel main_;
    Dataset validation_;
    ReferenceSet reference_;
    std::vector<double> distribution_;
    ClassMask known_classes_;
    std::vector<float> validation_logits_;
    Calibration calibration_;
};

/// Returns a float32 tensor [N, classes] as plain numbers, row-major.
[[nodiscard]] std::vector<float> to_vector(const at::Tensor& tensor);

}  // namespace unlearn::learning
