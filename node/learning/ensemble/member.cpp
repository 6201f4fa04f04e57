#include "node/learning/ensemble/member.hpp"

#include <algorithm>
#include <utility>

#include <ATen/ATen.h>

#include "node/learning/data/assert.hpp"
#include "node/learning/ensemble/judgement.hpp"
#include "node/learning/wipe.hpp"

namespace unlearn::learning {

Member::Member(const MemberId& id, std::uint64_t version, Model model)
    : id_(id), version_(version), model_(std::move(model)) {}

Member::~Member() {
    wipe();
}

void Member::wipe() {
    model_.wipe();
    learning::wipe(class_mass_);
    learning::wipe(validation_logits_);
    std::fill(known_classes_.begin(), known_classes_.end(), false);
    calibration_ = {};
}

Result<std::shared_ptr<Member>> Member::from_payload(const MemberId& id, std::uint64_t version,
                                                     std::string_view architecture,
                                                     std::span<const std::uint8_t> payload,
                                                     const OwnPart& own) {
    const auto classes = static_cast<std::int64_t>(own.classes());
    auto checked = check_seed_payload(architecture, own.shape(), classes, payload);
    if (!checked) return tl::unexpected(checked.error());
    auto model = load_model(checked->architecture, own.shape(), classes, checked->tensors);
    learning::wipe(checked->tensors);
    if (!model) return tl::unexpected(model.error());
    std::shared_ptr<Member> member(new Member(id, version, std::move(*model)));
    if (!member->evaluate(own))
        return fail("seed " + std::string(architecture) + " gives answers that are not finite");
    return member;
}

std::shared_ptr<Member> Member::refreshed(const OwnPart& own) const {
    auto tensors = model_.export_tensors();
    auto model = load_model(model_.architecture(), model_.input_shape(), model_.classes(), tensors);
    learning::wipe(tensors);
    UNLEARN_ASSERT(model);
    std::shared_ptr<Member> member(new Member(id_, version_, std::move(*model)));
    if (!member->evaluate(own)) member->aside_ = "gives answers that are not finite";
    return member;
}

bool Member::evaluate(const OwnPart& own) {
    const Inputs& reference = own.reference().inputs();
    const auto logits = predict_logits(model_, reference.narrow(0, std::min(kMassRows, reference.size())));
    const auto validation = predict_logits(model_, own.validation().inputs());
    class_mass_ = to_vector(at::softmax(logits, 1).mean(0));
    const double threshold = kKnownMass / static_cast<double>(own.classes());
    for (const float mass : class_mass_)
        known_classes_.push_back(mass > threshold);
    validation_logits_ = to_vector(validation);
    const bool is_finite =
        at::isfinite(logits).all().item<bool>() && at::isfinite(validation).all().item<bool>();
    if (is_finite) {
        auto reference_logits = to_vector(logits);
        aside_ = judge_seed({reference_logits, &known_classes_}, validation_voter(), own.validation_labels());
        learning::wipe(reference_logits);
        calibration_ = calibrate(validation_voter(), own.validation_labels());
    }
    learning::wipe(logits);
    learning::wipe(validation);
    return is_finite;
}

}  // namespace unlearn::learning
