#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/bytes.hpp"

namespace unlearn::protocol {

/// A BLAKE2b-256 hash (RFC 7693).
using Digest = FixedBytes<32, struct DigestTag>;

/// Identifies a network: nodes with the same id belong together. It is part of every signed message.
using NetworkId = FixedBytes<32, struct NetworkIdTag>;

/// Returns the BLAKE2b-256 hash of `bytes`.
[[nodiscard]] Digest digest_of(ByteView bytes);

/// What all members of a network must agree on. Without it, one node's seed would mean nothing to another.
struct NetworkDescription {
    std::string name;                        ///< chosen by the founder of the network
    std::vector<std::uint32_t> input_shape;  ///< channels, height, width
    std::vector<std::string> classes;        ///< in the order of the model's outputs
    std::string preprocessing;               ///< for example "scale-1/255"
    Digest reference_set;                    ///< digest of the public reference inputs
    /// The names of a table's features, in the order in which models see them. They are optional: an empty
    /// list leaves the names open.
    std::vector<std::string> columns = {};
    /// How the network's map to public features is made, and the digest of that map. Optional: an empty
    /// recipe means that models see values only.
    std::string feature_recipe = {};
    Digest feature_map = {};
};

/// Returns the hash of the description. Two hashes are equal exactly when all fields are equal. An optional
/// field that is empty adds nothing to the hash, so networks older than that field keep their ids.
[[nodiscard]] NetworkId network_id_of(const NetworkDescription& description);

}  // namespace unlearn::protocol
