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

/// The state of training after an epoch.
struct EpochReport {
    std::int64_t epoch = 0;  ///< counted from 1
    std::int64_t epochs = 0;
    double mean_loss = 0.0;
};
/// Is called after every epoch, in the thread that trains.
using Progress = std::function<void(const EpochReport&)>;

/// A flag that another thread sets to stop training at the next step; nullptr if there is none.
using CancelFlag = const std::atomic<bool>*;

/// Returns the mean loss of one batch, given the numbers of its examples ([B] int64). The loss is
/// differentiable in the model's weights.
using BatchLoss = std::function<at::Tensor(const at::Tensor& rows)>;

/// The loop shared by train() and distil(); call those instead. Every epoch uses each of `examples` once, in
/// an order drawn from the generator. Fails if cancelled or if the loss is no longer finite; the weights are
/// then partly trained.
[[nodiscard]] Result<void> optimise(const Model& model, std::int64_t examples, const BatchLoss& batch_loss,
                                    const OptimisationOptions& options, at::Generator generator,
                                    const Progress& progress, CancelFlag cancel);

}  // namespace unlearn::learning
