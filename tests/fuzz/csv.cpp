#include "node/learning/data/csv.hpp"

#include <cmath>

#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const unlearn::fuzz::MemoryFile file(data, size);
    unlearn::learning::CsvOptions options;
    options.label = std::string("label");
    const auto loaded = unlearn::learning::load_csv(file.path(), options);
    if (!loaded) {
        unlearn::fuzz::require_one_line(loaded.error().message);
        return 0;
    }
    for (const float value : loaded->features)
        unlearn::fuzz::require(std::isfinite(value));
    return 0;
}
