#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "node/learning/data/table.hpp"
#include "node/learning/inputs.hpp"

namespace unlearn::learning {

/// Labelled examples as tensors. A Dataset is made only from a table, that is, from a file, and never from a
/// model's predictions. A model trained on one has therefore learnt from nothing else. Immutable; copies
/// share memory.
class Dataset {
  public:
    /// With a map, the examples get their public features.
    [[nodiscard]] static Dataset from_table(const LabelledData& table, const FeatureMap* map = nullptr);
    /// Takes only these rows, in this order.
    [[nodiscard]] static Dataset from_table(const LabelledData& table, std::span<const std::size_t> rows,
                                            const FeatureMap* map = nullptr);

    /// The inputs of N examples.
    [[nodiscard]] const Inputs& inputs() const { return inputs_; }
    /// The labels, [N] int64.
    [[nodiscard]] const at::Tensor& labels() const { return labels_; }
    [[nodiscard]] std::int64_t size() const { return labels_.size(0); }
    [[nodiscard]] std::int64_t classes() const { return classes_; }
    [[nodiscard]] InputShape shape() const { return inputs_.shape(); }

    [[nodiscard]] Dataset subset(std::span<const std::size_t> rows) const;
    /// Returns the share of each class among the labels; zeros for an empty set.
    [[nodiscard]] std::vector<double> class_distribution() const;

  private:
    Dataset(Inputs inputs, at::Tensor labels, std::int64_t classes);

    Inputs inputs_;
    at::Tensor labels_;
    std::int64_t classes_;
};

/// A node's own data, split for training and validation.
struct ValidationSplit {
    Dataset train;
    Dataset validation;
};

/// Sets aside about `fraction` of every class for validation, rounded; at least one example of a class that
/// has two. The choice is drawn from the stream of that seed and depends on no other data.
[[nodiscard]] ValidationSplit split_validation(const Dataset& own, double fraction, std::uint64_t seed);

/// The public examples without labels on which seeds are distilled. The reference set is drawn before any
/// node gets data, is kept out of all training data, and is the same at all nodes of a network.
class ReferenceSet {
  public:
    [[nodiscard]] static ReferenceSet from_table(const LabelledData& table, const FeatureMap* map = nullptr);
    [[nodiscard]] static ReferenceSet from_table(const LabelledData& table, std::span<const std::size_t> rows,
                                                 const FeatureMap* map = nullptr);

    /// The inputs of R examples.
    [[nodiscard]] const Inputs& inputs() const { return inputs_; }
    [[nodiscard]] std::int64_t size() const { return inputs_.size(); }
    /// Returns a copy of the first rows, at most that many, in memory of its own. An OwnPart needs only
    /// kMassRows of them, so a daemon keeps the whole set only while it distils.
    [[nodiscard]] ReferenceSet head(std::int64_t rows) const;

  private:
    explicit ReferenceSet(Inputs inputs);

    Inputs inputs_;
};

}  // namespace unlearn::learning
