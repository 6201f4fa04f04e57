#pragma once

#include <filesystem>
#include <memory>

#include <ATen/core/Tensor.h>

#include "node/learning/models.hpp"

namespace unlearn::learning {

/// Loads a TorchScript module of the user (saved by torch.jit.save) that turns [B, channels, height, width]
/// float32 into logits [B, classes]. It is put into evaluation mode and run without LibTorch's run-time
/// optimisations, which would make the bits of an answer depend on how often it was asked before.
///
/// `trial` holds rows of real data, [N, channels, height, width]. The module is tried on them in batches of
/// several sizes. Fails, naming the file and the cause, if the file cannot be read, if the module does not
/// answer with finite logits of that shape, if it answers the same input differently each time, if a row's
/// answer depends on the other rows, or if answering changes its own parameters or buffers.
///
/// The module can still throw at a later input, or give an answer of another shape or with numbers that are
/// not finite. forward() then throws a std::runtime_error whose text is one line that names the file.
[[nodiscard]] Result<std::shared_ptr<const Classifier>> load_script(const std::filesystem::path& file,
                                                                    const InputShape& shape,
                                                                    std::int64_t classes,
                                                                    const at::Tensor& trial);

}  // namespace unlearn::learning
