#include "sim/fabric.hpp"

namespace unlearn::sim {

std::string_view to_text(TransportKind kind) {
    return kind == TransportKind::zmq ? "zmq" : "virtual";
}

std::optional<TransportKind> parse_transport(std::string_view text) {
    for (const auto kind : {TransportKind::zmq, TransportKind::virtual_time})
        if (text == to_text(kind)) return kind;
    return std::nullopt;
}

}  // namespace unlearn::sim
