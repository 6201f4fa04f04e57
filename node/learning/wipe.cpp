#include "node/learning/wipe.hpp"

#include <ATen/ATen.h>
#include <string.h>

#include "node/learning/product_turn.hpp"

namespace unlearn::learning {

void wipe(const at::Tensor& tensor) {
    if (!tensor.defined() || !tensor.has_storage()) return;
    // Wipes the whole storage: with a view, the numbers outside it must go, too.
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
    // OpenBLAS packs blocks of at most a few hundred rows and columns of either factor. Long and thin
    // products of zeros fill the places of both.
    constexpr std::int64_t kLong = 1024;
    constexpr std::int64_t kThin = 16;
    const at::NoGradGuard no_gradients;
    const ProductTurn turn;
    // Kept until the process ends (4 MiB). Fresh memory costs a page fault every 4 KiB; on a slow virtual
    // machine that took 20 to 80 ms and delayed every receipt.
    static const at::Tensor square = at::zeros({kLong, kLong}, at::kFloat);
    static_cast<void>(at::mm(square, at::zeros({kLong, kThin}, at::kFloat)));
    static_cast<void>(at::mm(at::zeros({kThin, kLong}, at::kFloat), square));
}

}  // namespace unlearn::learning
