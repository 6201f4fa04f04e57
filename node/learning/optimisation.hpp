#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include "node/learning/data/result.hpp"
#include "node/learning/data/training_options.hpp"
#include "node/learning/models.hpp"

namespace unlearn::learning {

// After every epoch; called in the thread that trains.
struct EpochReport {
    std::int64_t epoch = 0;  // counted from 1
    std::int64_t epochs = 0;
    double mean_loss = 0.0;
};
using Progress = std::function<void(const EpochReport&)>;

// Set by another thread to stop at the next step; nullptr if nobody will.
using CancelFlag = const std::atomic<bool>*;

// The mean loss of one batch, given which examples it holds ([B] int64); differentiable in the model's
// weights.
using BatchLoss = std::function<at::Tensor(const at::Tensor& rows)>;

// The loop shared by train() and distil(); call those. Every epoch sees each of `examples` once, in an order
// drawn from the generator. Fails if cancelled or if the loss is no longer finite, with the weights somewhere
// on the way.
[[nodiscard]] Result<void> optimise(const Model& model, std::int64_t examples, const BatchLoss& batch_loss,
                                    const OptimisationOptions& options, at::Generator generator,
                                    const Progress& progress, CancelFlag cancel);

}  // namespace unlearn::learning
