#include "sim/scenario/scenario.hpp"

#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = unlearn::fuzz::text_of(data, size);
    // Graphs of thousands of nodes are allowed, and slow to make under sanitizers.
    if (size > 4096) return 0;
    static_cast<void>(unlearn::sim::scenario::parse_scenario(text, "/tmp/fuzz.toml"));
    return 0;
}
