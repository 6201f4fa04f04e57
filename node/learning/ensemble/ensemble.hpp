#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "node/learning/aggregation/mixture.hpp"
#include "node/learning/data/ensemble_options.hpp"
#include "node/learning/data/prior.hpp"
#include "node/learning/data/result.hpp"
#include "node/learning/ensemble/fused_mlp.hpp"
#include "node/learning/ensemble/member.hpp"
#include "node/learning/ensemble/own_part.hpp"

namespace unlearn::learning {

/// A seed that took part in a prediction.
struct Participant {
    MemberId id{};
    std::uint64_t version = 0;
    friend bool operator==(const Participant&, const Participant&) = default;
};

/// Class probabilities for some rows, and the seeds that took part.
struct Prediction {
    at::Tensor probabilities;  ///< [B, classes] float32, rows sum to 1
    std::vector<Participant> participants;
};

/// A snapshot of what a node predicts with: its main model and the seeds it holds. It is built from scratch
/// whenever the set of seeds changes: members are sorted by id, rho is chosen anew, and nothing is added to
/// or subtracted from an earlier snapshot. An ensemble that dropped a member therefore equals, bit for bit,
/// one that never had it.
///
/// Immutable and shared; any thread may predict. Results are repeatable bit for bit for the same number of
/// rows, machine and thread count. Members of one fully connected architecture are evaluated together by
/// batched products, which give each member the bits it would get alone. The copies of their weights that
/// this needs belong to the snapshot and are zeroed with it.
class Ensemble {
  public:
    [[nodiscard]] static std::shared_ptr<const Ensemble> build(
        std::shared_ptr<const OwnPart> own, std::vector<std::shared_ptr<const Member>> members,
        const EnsembleOptions& options);
    Ensemble(const Ensemble&) = delete;
    Ensemble& operator=(const Ensemble&) = delete;
    ~Ensemble();

    /// Predicts for B rows. Fails if they have another shape or lack the features of the network's map, or if
    /// the snapshot was revoked meanwhile. In the second case ask the current snapshot, as
    /// EnsembleHolder::predict does.
    [[nodiscard]] Result<Prediction> predict(const Inputs& inputs, Prior prior) const;
    /// Predicts under several priors for the cost of one: every model is evaluated only once.
    [[nodiscard]] Result<std::vector<Prediction>> predict_under(const Inputs& inputs,
                                                                std::span<const Prior> priors) const;
    /// Combines logits that are known already: those of the main model and, in the order of members(), of
    /// each member, all row-major [rows, classes]. Returns one row-major table of probabilities [rows,
    /// classes] per prior.
    [[nodiscard]] std::vector<std::vector<float>> combine(std::span<const float> main_logits,
                                                          std::span<const std::span<const float>> logits,
                                                          std::span<const Prior> priors) const;
    /// Predicts with the main model alone. Without a prior this is its plain softmax. Prior::own gives the
    /// same, because the model was trained under it; Prior::uniform divides the own distribution out.
    [[nodiscard]] Result<Prediction> predict_main(const Inputs& inputs,
                                                  std::optional<Prior> prior = std::nullopt) const;

    [[nodiscard]] double rho() const { return rho_; }
    [[nodiscard]] const OwnPart& own() const { return *own_; }
    [[nodiscard]] const EnsembleOptions& options() const { return options_; }
    [[nodiscard]] const std::vector<std::shared_ptr<const Member>>& members() const { return members_; }
    [[nodiscard]] std::vector<Participant> participants() const;
    [[nodiscard]] bool holds(const MemberId& id) const;

    /// Ends this snapshot's use of its members. Predictions under way stop at their next chunk of rows and
    /// fail; later ones fail at once. When this returns, the snapshot's copies of weights are zeroed and the
    /// members themselves may be wiped. Only EnsembleHolder calls this.
    void revoke() const;
    [[nodiscard]] bool is_revoked() const { return revoked_.load(); }

  private:
    /// Members of one fully connected architecture, and their places in members_.
    struct Fused {
        std::vector<std::size_t> places;
        std::unique_ptr<FusedMlp> models;
    };

    Ensemble(std::shared_ptr<const OwnPart> own, std::vector<std::shared_ptr<const Member>> members,
             const EnsembleOptions& options);
    void fuse();
    [[nodiscard]] double validated_rho() const;
    /// Returns the row-major logits of every member for one chunk of rows, in the order of members_.
    [[nodiscard]] std::vector<std::vector<float>> member_logits(const Inputs& rows) const;
    void combine_into(std::span<const float> main_logits, std::span<const std::span<const float>> logits,
                      std::span<const Prior> priors, std::span<float* const> probabilities) const;
    [[nodiscard]] Result<void> check_inputs(const Inputs& inputs) const;

    std::shared_ptr<const OwnPart> own_;
    std::vector<std::shared_ptr<const Member>> members_;
    EnsembleOptions options_;
    double rho_ = 0.0;
    std::vector<Fused> fused_;
    std::vector<std::size_t> single_;  ///< the places of all other members
    /// Shared by predictions for one chunk at a time; exclusive to revoke().
    mutable std::shared_mutex in_use_;
    mutable std::atomic<bool> revoked_ = false;
};

}  // namespace unlearn::learning
