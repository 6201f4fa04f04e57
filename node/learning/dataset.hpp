#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "node/learning/data/table.hpp"

namespace unlearn::learning {

/// Labelled examples as tensors. A Dataset is made only from a table, that is, from a file, and never from a
/// model's predictions. A model trained on one has therefore learnt from nothing else. Immutable; copies
/// share memory.
class Dataset {
  public:
    [[nodiscard]] static Dataset from_table(const LabelledData& table);
    /// Takes only these rows, in this order.
    [[nodiscard]] static Dataset from_table(const LabelledData& table, std::span<const std::size_t> rows);

    /// The inputs, [N, channels, height, width] float32.
    [[nodiscard]] const at::Tensor& inputs() const { return inputs_; }
    /// The labels, [N] int64.
    [[nodiscard]] const at::Tensor& labels() const { return labels_; }
    [[nodiscard]] std::int64_t size() const { return labels_.size(0); }
    [[nodiscard]] std::int64_t classes() const { return classes_; }
    [[nodiscard]] const InputShape& shape() const { return shape_; }

    [[nodiscard]] Dataset subset(std::span<const std::size_t> rows) const;
    /// Returns the share of each class among the labels; zeros for an empty set.
    [[nodiscard]] std::vector<double> class_distribution() const;

  private:
    Dataset(at::Tensor inputs, at::Tensor labels, std::int64_t classes, const InputShape& shape);

    at::Tensor inputs_;
    at::Tensor labels_;
    std::int64_t classes_;
    InputShape shape_;
};

/// Copies consecutive examples into a tensor [rows, channels, height, width] float32.
[[nodiscard]] at::Tensor inputs_of(std::span<const float> features, const InputShape& shape);

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
    [[nodiscard]] static ReferenceSet from_table(const LabelledData& table);
    [[nodiscard]] static ReferenceSet from_table(const LabelledData& table,
                                                 std::span<const std::size_t> rows);

    /// The inputs, [R, channels, height, width] float32.
    [[nodiscard]] const at::Tensor& inputs() const { return inputs_; }
    [[nodiscard]] std::int64_t size() const { return inputs_.size(0); }
    /// Returns a copy of the first rows, at most that many, in memory of its own. An OwnPart needs only
    /// kMassRows of them, so a daemon keeps the whole set only while it distils.
    [[nodiscard]] ReferenceSet head(std::int64_t rows) const;

  private:
    explicit ReferenceSet(at::Tensor inputs);

    at::Tensor inputs_;
};

}  // namespace unlearn::learning
