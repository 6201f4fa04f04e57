#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "node/learning/data/table.hpp"

namespace unlearn::learning {

// Labelled examples as tensors. They can come from a table only, that is from a file, and never from a
// model's predictions: what is trained on a Dataset has learnt from nothing else. Immutable; copies share
// memory.
class Dataset {
  public:
    [[nodiscard]] static Dataset from_table(const LabelledData& table);
    // Only these rows, in this order.
    [[nodiscard]] static Dataset from_table(const LabelledData& table, std::span<const std::size_t> rows);

    [[nodiscard]] const at::Tensor& inputs() const {
        return inputs_;
    }  // [N, channels, height, width] float32
    [[nodiscard]] const at::Tensor& labels() const { return labels_; }  // [N] int64
    [[nodiscard]] std::int64_t size() const { return labels_.size(0); }
    [[nodiscard]] std::int64_t classes() const { return classes_; }
    [[nodiscard]] const InputShape& shape() const { return shape_; }

    [[nodiscard]] Dataset subset(std::span<const std::size_t> rows) const;
    // The share of each class among the labels; zeros for an empty set.
    [[nodiscard]] std::vector<double> class_distribution() const;

  private:
    Dataset(at::Tensor inputs, at::Tensor labels, std::int64_t classes, const InputShape& shape);

    at::Tensor inputs_;
    at::Tensor labels_;
    std::int64_t classes_;
    InputShape shape_;
};

// Rows of examples, one after the other, as [rows, channels, height, width] float32.
[[nodiscard]] at::Tensor inputs_of(std::span<const float> features, const InputShape& shape);

struct ValidationSplit {
    Dataset train;
    Dataset validation;
};

// Sets aside about `fraction` of every class for validation (rounded; at least one example of a class that
// has two). Which ones is drawn from the stream of that seed and depends on this data alone.
[[nodiscard]] ValidationSplit split_validation(const Dataset& own, double fraction, std::uint64_t seed);

// The public examples without labels on which seeds are distilled. It is drawn before any node gets data, is
// held out of everybody's training data, and is the same at all nodes of a network.
class ReferenceSet {
  public:
    [[nodiscard]] static ReferenceSet from_table(const LabelledData& table);
    [[nodiscard]] static ReferenceSet from_table(const LabelledData& table,
                                                 std::span<const std::size_t> rows);

    [[nodiscard]] const at::Tensor& inputs() const {
        return inputs_;
    }  // [R, channels, height, width] float32
    [[nodiscard]] std::int64_t size() const { return inputs_.size(0); }
    // A copy of the first rows, at most that many, in memory of its own: kMassRows are all that an OwnPart
    // needs, so that a daemon keeps the whole set only while it distils.
    [[nodiscard]] ReferenceSet head(std::int64_t rows) const;

  private:
    explicit ReferenceSet(at::Tensor inputs);

    at::Tensor inputs_;
};

}  // namespace unlearn::learning
