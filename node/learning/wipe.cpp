#include "node/learning/wipe.hpp"

#include <string.h>

namespace unlearn::learning {

void wipe(const at::Tensor& tensor) {
    if (!tensor.defined() || !tensor.has_storage()) return;
    // The whole storage: a view would otherwise leave its neighbours behind.
    const void* memory = tensor.storage().data();
    if (memory != nullptr) explicit_bzero(const_cast<void*>(memory), tensor.storage().nbytes());
}

void wipe(std::vector<float>& values) {
    explicit_bzero(values.data(), values.size() * sizeof(float));
}

void wipe(std::vector<NamedTensor>& tensors) {
    for (NamedTensor& tensor : tensors)
        wipe(tensor.values);
}

}  // namespace unlearn::learning
