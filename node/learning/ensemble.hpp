#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "node/learning/aggregation.hpp"
#include "node/learning/data/ensemble_options.hpp"
#include "node/learning/data/result.hpp"
#include "node/learning/fused_mlp.hpp"
#include "node/learning/member.hpp"
#include "node/learning/own_part.hpp"

namespace unlearn::learning {

// Which seed took part in a prediction.
struct Participant {
    MemberId id{};
    std::uint64_t version = 0;
    friend bool operator==(const Participant&, const Participant&) = default;
};

struct Prediction {
    at::Tensor probabilities;  // [B, classes] float32, rows sum to 1
    std::vector<Participant> participants;
};

// A snapshot of what a node predicts with: its main model and the seeds it holds. Built from scratch whenever
// the set of seeds changes: members in the order of their ids, rho chosen anew, nothing added to or
// subtracted from an earlier snapshot. So an ensemble that dropped a member equals, bit for bit, one that
// never had it.
//
// Immutable and shared; any thread may predict. Bits are repeatable for the same number of rows, machine and
// thread count. Members of one fully connected architecture are evaluated together by batched products, which
// give each the bits it would get alone; the copies of their weights that this needs belong to the snapshot
// and are zeroed with it.
class Ensemble {
  public:
    [[nodiscard]] static std::shared_ptr<const Ensemble> build(
        std::shared_ptr<const OwnPart> own, std::vector<std::shared_ptr<const Member>> members,
        const EnsembleOptions& options);
    Ensemble(const Ensemble&) = delete;
    Ensemble& operator=(const Ensemble&) = delete;
    ~Ensemble();

    // `inputs` [B, channels, height, width] float32. Fails if they have another shape, or if the snapshot was
    // revoked while predicting: then ask the current snapshot (EnsembleHolder::predict does).
    [[nodiscard]] Result<Prediction> predict(const at::Tensor& inputs, Prior prior) const;
    // The same under several priors at once, for the price of one: every model is asked only once.
    [[nodiscard]] Result<std::vector<Prediction>> predict_under(const at::Tensor& inputs,
                                                                std::span<const Prior> priors) const;
    // The same where it is known already what the models say about some rows: row-major logits [rows,
    // classes] of the main model and, in the order of members(), of each member. One row-major table of
    // probabilities [rows, classes] per prior.
    [[nodiscard]] std::vector<std::vector<float>> combine(std::span<const float> main_logits,
                                                          std::span<const std::span<const float>> logits,
                                                          std::span<const Prior> priors) const;
    // The main model alone. No prior: its plain softmax. Prior::own is the same, as it was trained under it;
    // Prior::uniform divides its own distribution out.
    [[nodiscard]] Result<Prediction> predict_main(const at::Tensor& inputs,
                                                  std::optional<Prior> prior = std::nullopt) const;

    [[nodiscard]] double rho() const { return rho_; }
    [[nodiscard]] const OwnPart& own() const { return *own_; }
    [[nodiscard]] const EnsembleOptions& options() const { return options_; }
    [[nodiscard]] const std::vector<std::shared_ptr<const Member>>& members() const { return members_; }
    [[nodiscard]] std::vector<Participant> participants() const;
    [[nodiscard]] bool holds(const MemberId& id) const;

    // Ends this snapshot's use of its members: predictions under way stop at their next chunk of rows and
    // fail, later ones fail at once, and the snapshot's copies of weights are zeroed when this returns. The
    // members themselves may then be wiped. For EnsembleHolder.
    void revoke() const;
    [[nodiscard]] bool is_revoked() const { return revoked_.load(); }

  private:
    // Members of one fully connected architecture, and where they stand in members_.
    struct Fused {
        std::vector<std::size_t> places;
        std::unique_ptr<FusedMlp> models;
    };

    Ensemble(std::shared_ptr<const OwnPart> own, std::vector<std::shared_ptr<const Member>> members,
             const EnsembleOptions& options);
    void fuse();
    [[nodiscard]] double validated_rho() const;
    // Row-major logits of every member for one chunk of rows, in the order of members_.
    [[nodiscard]] std::vector<std::vector<float>> member_logits(const at::Tensor& rows) const;
    void combine_into(std::span<const float> main_logits, std::span<const std::span<const float>> logits,
                      std::span<const Prior> priors, std::span<float* const> probabilities) const;
    [[nodiscard]] Result<void> check_inputs(const at::Tensor& inputs) const;

    std::shared_ptr<const OwnPart> own_;
    std::vector<std::shared_ptr<const Member>> members_;
    EnsembleOptions options_;
    double rho_ = 0.0;
    std::vector<Fused> fused_;
    std::vector<std::size_t> single_;   // the places of all other members
    mutable std::shared_mutex in_use_;  // shared by predictions for one chunk at a time, exclusive to revoke
    mutable std::atomic<bool> revoked_ = false;
};

}  // namespace unlearn::learning
