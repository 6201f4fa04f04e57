#pragma once

#include <vector>

#include "node/config/node_config.hpp"
#include "node/learning/data/table.hpp"
#include "protocol/digest.hpp"

/// From a configuration to the node's data and the network that it belongs to.
namespace unlearn::config {

/// The public reference examples. Nothing reads labels from it, and a table of it need not have any.
[[nodiscard]] protocol::Result<learning::LabelledData> load_reference(const DataConfig& data);
/// The node's own labelled examples. The columns of a table are matched with those of the reference set by
/// their names, whatever their order. @return one line that names the file, and the column that differs.
[[nodiscard]] protocol::Result<learning::LabelledData> load_own_data(const DataConfig& data,
                                                                     const learning::LabelledData& reference);

struct NodeInputs {
    learning::LabelledData own;
    learning::LabelledData reference;
    std::vector<std::string> warnings;  ///< "FILE: ...": columns that are rarely meant to be learnt from
};
/// Both, when they and the models fit each other. @return one line that names the file, and the key in it.
[[nodiscard]] protocol::Result<NodeInputs> load_inputs(const NodeConfig& config);

/// BLAKE2b-256 of the examples as float32, in their order.
[[nodiscard]] protocol::Digest digest_of_examples(const learning::LabelledData& data);

/// What of the reference set a network's id binds besides its values.
enum class BoundItems {
    all,     ///< what a new network binds: the names of columns, too
    values,  ///< nothing else, as networks did that are older than the binding of columns
};
/// The network that a node with this configuration and reference set belongs to.
[[nodiscard]] protocol::NetworkId network_of(const NodeConfig& config,
                                             const learning::LabelledData& reference,
                                             BoundItems bound = BoundItems::all);
/// Whether a node with this configuration and reference set belongs to `network`, which may be an older one.
[[nodiscard]] bool belongs_to(const protocol::NetworkId& network, const NodeConfig& config,
                              const learning::LabelledData& reference);

/// How values of this kind of file are scaled, as the network's description names it.
[[nodiscard]] std::string_view preprocessing_of(DataKind kind);

/// How numbers as they stand in files become what models see; the same at all nodes of a network. Pixels are
/// divided by 255, which reading an IDX file does already. The columns of tables are shifted and scaled to
/// mean 0 and standard deviation 1 over the reference set; a constant column becomes 0.
class Scaling {
  public:
    [[nodiscard]] static Scaling of(DataKind kind, const learning::LabelledData& reference);

    /// For what `load_own_data` and `load_reference` gave.
    void apply_to_loaded(std::vector<float>& features) const;
    /// For rows of raw numbers, one after the other.
    void apply_to_raw(std::vector<float>& features) const;

  private:
    std::vector<float> shift_;  ///< empty for images
    std::vector<float> factor_;
};

}  // namespace unlearn::config
