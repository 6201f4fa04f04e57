#include "node/learning/data/safetensors.hpp"

#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace unlearn::learning;
    auto tensors = read_safetensors({data, size});
    if (!tensors) {
        unlearn::fuzz::require_one_line(tensors.error().message);
        return 0;
    }
    const auto written = write_safetensors(*tensors);
    const auto again = read_safetensors(written);
    unlearn::fuzz::require(again.has_value() && again->size() == tensors->size());
    return 0;
}
