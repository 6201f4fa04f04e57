#include <sstream>
#include <string>

#include "tests/fuzz/fuzz.hpp"
#include "topologies/formats/formats.hpp"

// The first byte chooses the format, and whether the rest is a text or a file, which may be packed.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace unlearn::topologies;
    if (size == 0) return 0;
    constexpr std::uint8_t kAsFile = 0x80;
    const auto formats = format_names().size();
    const auto format = static_cast<Format>((data[0] & ~kAsFile) % formats);
    const unlearn::fuzz::MemoryFile file(data + 1, size - 1);
    const auto graph = (data[0] & kAsFile) != 0
                           ? load_graph(file.path(), format)
                           : parse_graph(unlearn::fuzz::text_of(data + 1, size - 1), format, "graph.txt");
    if (!graph) {
        unlearn::fuzz::require_one_line(graph.error().message);
        return 0;
    }
    // Whatever was read is written and read the same.
    for (std::size_t other = 0; other < formats; ++other) {
        std::ostringstream out;
        write_graph(out, *graph, static_cast<Format>(other));
        const auto again = parse_graph(out.str(), static_cast<Format>(other), "again");
        unlearn::fuzz::require(again && again->names == graph->names && again->edges == graph->edges);
    }
    return 0;
}
