#include "node/config/node_config.hpp"

#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto config =
        unlearn::config::parse_node_config(unlearn::fuzz::text_of(data, size), "/etc/unlearnd/node.toml");
    if (!config) unlearn::fuzz::require_one_line(config.error().text());
    return 0;
}
