#pragma once

#include <filesystem>
#include <memory>

#include "node/learning/models.hpp"

namespace unlearn::learning {

// A TorchScript module of the user's (torch.jit.save): takes [B, channels, height, width] float32 and gives
// logits [B, classes]. It is put into evaluation mode and run without LibTorch's run-time optimisations,
// which would make the bits of an answer depend on how often it was asked before. A prediction may throw what
// the module throws.
//
// Fails, naming the file, when it cannot be read or does not answer a trial of two rows with finite logits of
// that shape.
[[nodiscard]] Result<std::shared_ptr<const Classifier>> load_script(const std::filesystem::path& file,
                                                                    const InputShape& shape,
                                                                    std::int64_t classes);

}  // namespace unlearn::learning
