#include <sstream>

#include "tests/fuzz/fuzz.hpp"
#include "topologies/loaders.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::istringstream text{std::string(unlearn::fuzz::text_of(data, size))};
    const auto graph = unlearn::topologies::parse_edge_list(text, "graph.txt");
    if (!graph) unlearn::fuzz::require_one_line(graph.error().message);
    return 0;
}
