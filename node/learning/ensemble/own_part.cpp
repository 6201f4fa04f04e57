#include "node/learning/ensemble/own_part.hpp"

#include <utility>

#include <ATen/ATen.h>

namespace unlearn::learning {
namespace {

// A class counts as known if it makes up more than this part of an equal share of the node's data.
constexpr double kKnownShare = 0.05;

}  // namespace

std::vector<float> to_vector(const at::Tensor& tensor) {
    const at::Tensor packed = tensor.contiguous();
    const float* values = packed.data_ptr<float>();
    return {values, values + packed.numel()};
}

std::shared_ptr<const OwnPart> OwnPart::make(MainModel main, const Dataset& own_data, Dataset validation,
                                             ReferenceSet reference) {
    return std::shared_ptr<const OwnPart>(
        new OwnPart(std::move(main), own_data, std::move(validation), std::move(reference)));
}

OwnPart::OwnPart(MainModel main, const Dataset& own_data, Dataset validation, ReferenceSet reference)
    : main_(std::move(main)),
      validation_(std::move(validation)),
      reference_(std::move(reference)),
      distribution_(own_data.class_distribution()),
      validation_logits_(to_vector(predict_logits(main_.model(), validation_.inputs()))) {
    for (const double share : distribution_) {
        known_classes_.push_back(share * static_cast<double>(distribution_.size()) > kKnownShare);
    }
    calibration_ = calibrate(validation_voter(), validation_labels());
}

std::span<const std::int64_t> OwnPart::validation_labels() const {
    return {validation_.labels().data_ptr<std::int64_t>(), static_cast<std::size_t>(validation_.size())};
}

}  // namespace unlearn::learning
