#include "node/learning/data/idx.hpp"

#include "tests/fuzz/fuzz.hpp"

// The first half is read as images, the second as labels.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const unlearn::fuzz::MemoryFile images(data, size / 2);
    const unlearn::fuzz::MemoryFile labels(data + size / 2, size - size / 2);
    const auto loaded =
        unlearn::learning::load_idx(images.path(), labels.path(), {"0", "1", "2", "3", "7", "200"});
    if (!loaded) unlearn::fuzz::require_one_line(loaded.error().message);
    if (loaded)
        unlearn::fuzz::require(loaded->features.size() ==
                               loaded->count * static_cast<std::size_t>(loaded->shape.size()));
    return 0;
}
