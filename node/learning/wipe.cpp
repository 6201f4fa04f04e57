#include "node/learning/wipe.hpp"

#include <ATen/ATen.h>
#include <string.h>

#include "node/learning/product_turn.hpp"

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

void overwrite_blas_buffers() {
    // OpenBLAS packs blocks of at most a few hundred rows and columns of either factor; long and thin
    // products of zeros fill both places.
    constexpr std::int64_t kLong = 1024;
    constexpr std::int64_t kThin = 16;
    const at::NoGradGuard no_gradients;
    const ProductTurn turn;
    // Kept for ever (4 MiB): fresh memory costs a page fault every 4 KiB, which took 20 to 80 ms on a slow
    // virtual machine, in the way of every receipt.
    static const at::Tensor square = at::zeros({kLong, kLong}, at::kFloat);
    static_cast<void>(at::mm(square, at::zeros({kLong, kThin}, at::kFloat)));
    static_cast<void>(at::mm(at::zeros({kThin, kLong}, at::kFloat), square));
}

}  // namespace unlearn::learning
