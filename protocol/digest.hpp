#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/bytes.hpp"

namespace unlearn::protocol {

/// BLAKE2b-256 of some bytes (RFC 7693).
using Digest = FixedBytes<32, struct DigestTag>;

/// What makes two nodes members of the same network; bound into every signature.
using NetworkId = FixedBytes<32, struct NetworkIdTag>;

[[nodiscard]] Digest digest_of(ByteView bytes);

/// What all members of a network must agree on before a seed of one means anything to another.
struct NetworkDescription {
    std::string name;                        ///< chosen by the founder of the network
    std::vector<std::uint32_t> input_shape;  ///< channels, height, width
    std::vector<std::string> classes;        ///< in the order of the model's outputs
    std::string preprocessing;               ///< for example "scale-1/255"
    Digest reference_set;                    ///< digest of the public reference inputs
    /// Optional: the names of a table's features, in the order in which models see them. Empty: not bound.
    std::vector<std::string> columns = {};
};

/// Hash of the description; equal exactly when every field is equal. Optional fields that are not there leave
/// no trace, so that the ids of networks that are older than a field stay what they were.
[[nodiscard]] NetworkId network_id_of(const NetworkDescription& description);

}  // namespace unlearn::protocol
