#pragma once

#include "node/config/node_config.hpp"
#include "node/learning/data/table.hpp"
#include "protocol/digest.hpp"

/// From a configuration to the node's data and the network that it belongs to.
namespace unlearn::config {

/// The node's own labelled examples. @return one line that names the file.
[[nodiscard]] protocol::Result<learning::LabelledData> load_own_data(const DataConfig& data);
/// The public reference examples; nothing reads labels from it.
[[nodiscard]] protocol::Result<learning::LabelledData> load_reference(const DataConfig& data);

/// BLAKE2b-256 of the examples as float32, in their order.
[[nodiscard]] protocol::Digest digest_of_examples(const learning::LabelledData& data);

/// The network that a node with this configuration and reference set belongs to.
[[nodiscard]] protocol::NetworkId network_of(const NodeConfig& config,
                                             const learning::LabelledData& reference);

/// How values of this kind of file are scaled, as the network's description names it.
[[nodiscard]] std::string_view preprocessing_of(DataKind kind);

}  // namespace unlearn::config
