#include "node/learning/wipe.hpp"

#include <new>

#include <ATen/ATen.h>
#include <string.h>
#include <sys/mman.h>

#include "node/learning/product_turn.hpp"

namespace unlearn::learning {
namespace {

// Returns zeros that are never written. The kernel then shows one page of zeros in all places: it takes no
// memory, and reading it is as fast as the nearest cache.
at::Tensor untouched_zeros(std::int64_t rows, std::int64_t columns) {
    const auto bytes = static_cast<std::size_t>(rows * columns) * sizeof(float);
    void* memory = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    return at::from_blob(memory, {rows, columns}, [bytes](void* start) { ::munmap(start, bytes); });
}

}  // namespace

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
    constexpr std::int64_t kThin = 4;  // one column would not be packed
    const at::NoGradGuard no_gradients;
    const ProductTurn turn;
    // All three are kept until the process ends. Fresh memory costs a page fault every 4 KiB; on a slow
    // virtual machine that took 20 to 80 ms and delayed every receipt.
    static const at::Tensor square = untouched_zeros(kLong, kLong);
    static const at::Tensor tall = at::zeros({kLong, kThin}, at::kFloat);
    static const at::Tensor wide = at::zeros({kThin, kLong}, at::kFloat);
    static_cast<void>(at::mm(square, tall));
    static_cast<void>(at::mm(wide, square));
}

}  // namespace unlearn::learning
