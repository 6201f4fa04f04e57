#include <string>

#include "tests/fuzz/fuzz.hpp"
#include "topologies/formats/formats.hpp"

// The first byte chooses the format.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace unlearn::topologies;
    if (size == 0) return 0;
    const std::string text(unlearn::fuzz::text_of(data + 1, size - 1));
    const auto format = static_cast<Format>(data[0] % format_names().size());
    const auto graph = parse_graph(text, format, "graph.txt");
    if (!graph) unlearn::fuzz::require_one_line(graph.error().message);
    return 0;
}
