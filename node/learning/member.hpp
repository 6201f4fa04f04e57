#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "node/learning/aggregation.hpp"
#include "node/learning/calibration.hpp"
#include "node/learning/data/result.hpp"
#include "node/learning/models.hpp"
#include "node/learning/own_part.hpp"

namespace unlearn::learning {

// Who a seed belongs to: the bytes of its owner's NodeId. Members are always taken in the order of their ids.
using MemberId = std::array<std::uint8_t, 32>;

// One held seed and everything that was computed from it: parameters, what it says about the owner's
// validation data, how its votes on the reference set spread over the classes, the classes it knows by that,
// and whether it is fit for use. All of it is computed with this member alone, lives in this object, and is
// zeroed by wipe() or when it dies. Nothing about a member is relative to others.
class Member {
  public:
    // From what a peer sent: checks everything (check_seed_payload), and that the seed gives finite answers
    // on the reference set and the validation data; judges whether it is to be held aside. Takes some
    // milliseconds, for convolutional seeds tenths of a second. `own` supplies the reference set and the
    // validation data; use refreshed() when it changes.
    [[nodiscard]] static Result<std::shared_ptr<Member>> from_payload(const MemberId& id,
                                                                      std::uint64_t version,
                                                                      std::string_view architecture,
                                                                      std::span<const std::uint8_t> payload,
                                                                      const OwnPart& own);
    // The same seed for a node whose own part has changed; held aside if its answers are not finite there.
    // This one still has to be wiped.
    [[nodiscard]] std::shared_ptr<Member> refreshed(const OwnPart& own) const;

    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;
    ~Member();

    [[nodiscard]] const MemberId& id() const { return id_; }
    [[nodiscard]] std::uint64_t version() const { return version_; }
    [[nodiscard]] const Model& model() const { return model_; }
    // The mean of the seed's softmax over the reference set, [classes].
    [[nodiscard]] const std::vector<float>& class_mass() const { return class_mass_; }
    // The classes that get more than kKnownMass of an equal share of that mass.
    [[nodiscard]] const ClassMask& known_classes() const { return known_classes_; }
    // Why this seed would do harm, in one line with the figures; nothing for one that may be used.
    [[nodiscard]] const std::optional<std::string>& aside() const { return aside_; }
    [[nodiscard]] Voter validation_voter() const { return {validation_logits_, &known_classes_}; }
    [[nodiscard]] const Calibration& calibration() const { return calibration_; }

    // Overwrites parameters and everything derived from them with zeros. Nobody may be predicting with it
    // (EnsembleHolder sees to that).
    void wipe();

  private:
    Member(const MemberId& id, std::uint64_t version, Model model);
    // Computes everything from the own part. False if some answer is not finite.
    [[nodiscard]] bool evaluate(const OwnPart& own);

    MemberId id_;
    std::uint64_t version_;
    Model model_;
    std::vector<float> class_mass_;
    ClassMask known_classes_;
    std::vector<float> validation_logits_;
    Calibration calibration_;
    std::optional<std::string> aside_;
};

constexpr double kKnownMass = 0.2;
// A seed is evaluated on this many reference examples at most, the first ones: an own part needs no more.
constexpr std::int64_t kMassRows = 2048;

}  // namespace unlearn::learning
