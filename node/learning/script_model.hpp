#pragma once

#include <filesystem>
#include <memory>

#include <ATen/core/Tensor.h>

#include "node/learning/models.hpp"

namespace unlearn::learning {

/// A TorchScript module of the user's (torch.jit.save): takes [B, channels, height, width] float32 and gives
/// logits [B, classes]. It is put into evaluation mode and run without LibTorch's run-time optimisations,
/// which would make the bits of an answer depend on how often it was asked before.
///
/// `trial` are rows of real data, [N, channels, height, width]; the module is tried on them in batches of
/// several sizes. Fails, naming the file and the cause, when it cannot be read, when it does not answer with
/// finite logits of that shape, when it answers the same input differently each time, when a row's answer
/// depends on the rows beside it, and when it changes its own parameters or buffers by answering.
///
/// A module can still throw at a later input; forward() then throws a std::runtime_error whose text is one
/// line that names the file. The same happens when an answer has another shape or is not finite.
[[nodiscard]] Result<std::shared_ptr<const Classifier>> load_script(const std::filesystem::path& file,
                                                                    const InputShape& shape,
                                                                    std::int64_t classes,
                                                                    const at::Tensor& trial);

}  // namespace unlearn::learning
