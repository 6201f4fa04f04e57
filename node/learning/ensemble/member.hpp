#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "node/learning/aggregation/calibration.hpp"
#include "node/learning/aggregation/voter.hpp"
#include "node/learning/data/result.hpp"
#include "node/learning/ensemble/own_part.hpp"
#include "node/learning/models.hpp"

namespace unlearn::learning {

/// The bytes of the NodeId of a seed's owner. Members are always taken in the order of their ids.
using MemberId = std::array<std::uint8_t, 32>;

/// One held seed and everything that was computed from it: its parameters, its votes on the holder's
/// validation data, how its votes on the reference set spread over the classes, which classes it therefore
/// knows, and whether it is fit for use. All of it is computed from this member alone, lives in this object,
/// and is zeroed by wipe() or by the destructor. Nothing about a member depends on other members.
class Member {
  public:
    /// Makes a member from what a peer sent. Checks everything (check_seed_payload), and that the seed gives
    /// finite answers on the reference set and the validation data of `own`. Judges whether the seed is to be
    /// held aside. Takes some milliseconds, or tenths of a second for convolutional seeds. When `own`
    /// changes, use refreshed().
    [[nodiscard]] static Result<std::shared_ptr<Member>> from_payload(const MemberId& id,
                                                                      std::uint64_t version,
                                                                      std::string_view architecture,
                                                                      std::span<const std::uint8_t> payload,
                                                                      const OwnPart& own);
    /// Makes the same seed for a node whose own part has changed. It is held aside if its answers are not
    /// finite there. The old member still has to be wiped.
    [[nodiscard]] std::shared_ptr<Member> refreshed(const OwnPart& own) const;

    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;
    ~Member();

    [[nodiscard]] const MemberId& id() const { return id_; }
    [[nodiscard]] std::uint64_t version() const { return version_; }
    [[nodiscard]] const Model& model() const { return model_; }
    /// The mean of the seed's softmax over the reference set, [classes].
    [[nodiscard]] const std::vector<float>& class_mass() const { return class_mass_; }
    /// The classes that get more than kKnownMass of an equal share of that mass.
    [[nodiscard]] const ClassMask& known_classes() const { return known_classes_; }
    /// Why this seed would do harm, in one line with the figures; nothing if it may be used.
    [[nodiscard]] const std::optional<std::string>& aside() const { return aside_; }
    [[nodiscard]] Voter validation_voter() const { return {validation_logits_, &known_classes_}; }
    [[nodiscard]] const Calibration& calibration() const { return calibration_; }

    /// Overwrites the parameters and everything derived from them with zeros. No thread may be predicting
    /// with the member; EnsembleHolder ensures that.
    void wipe();

  private:
    Member(const MemberId& id, std::uint64_t version, Model model);
    /// Computes everything from the own part. Returns false if an answer is not finite.
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

/// A class counts as known above this part of an equal share of the seed's mass.
constexpr double kKnownMass = 0.2;
/// A seed is evaluated on at most this many reference examples, the first ones. An own part needs no more.
constexpr std::int64_t kMassRows = 2048;

}  // namespace unlearn::learning
