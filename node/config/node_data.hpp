#pragma once

#include <vector>

#include "node/config/node_config.hpp"
#include "node/learning/data/table.hpp"
#include "protocol/digest.hpp"

/// Loads the data that a configuration names, and computes the network that the node belongs to.
namespace unlearn::config {

/// Loads the public reference examples. Their labels are never read, and a table needs no label column.
[[nodiscard]] protocol::Result<learning::LabelledData> load_reference(const DataConfig& data);
/// Loads the node's own labelled examples. The columns of a table are matched with those of the reference set
/// by their names, in any order. @return one line that names the file, and the column that differs.
[[nodiscard]] protocol::Result<learning::LabelledData> load_own_data(const DataConfig& data,
                                                                     const learning::LabelledData& reference);

/// The examples that a node works with.
struct NodeInputs {
    learning::LabelledData own;
    learning::LabelledData reference;
    std::vector<std::string> warnings;  ///< "FILE: ...": suspicious columns, or very few rows
};
/// Loads both and checks that they and the models fit each other. @return one line that names the file, and
/// the key in it.
[[nodiscard]] protocol::Result<NodeInputs> load_inputs(const NodeConfig& config);

/// Returns BLAKE2b-256 of the examples as float32, in their order.
[[nodiscard]] protocol::Digest digest_of_examples(const learning::LabelledData& data);

/// What a network's id binds of the reference set besides its values.
enum class BoundItems {
    all,     ///< the names of columns too, as a new network does
    values,  ///< nothing else, as networks did before columns were bound
};
/// Returns the network that a node with this configuration and reference set belongs to.
[[nodiscard]] protocol::NetworkId network_of(const NodeConfig& config,
                                             const learning::LabelledData& reference,
                                             BoundItems bound = BoundItems::all);
/// Returns true when a node with this configuration and reference set belongs to `network`, which may be an
/// older one.
[[nodiscard]] bool belongs_to(const protocol::NetworkId& network, const NodeConfig& config,
                              const learning::LabelledData& reference);

/// Returns how values of this kind of file are scaled, in the words of the network's description.
[[nodiscard]] std::string_view preprocessing_of(DataKind kind);

/// Converts numbers from files to the values that models see. It is the same at all nodes of a network.
/// Pixels are divided by 255, which reading an IDX file does already. The columns of tables are shifted and
/// scaled to mean 0 and standard deviation 1 over the reference set; a constant column becomes 0.
class Scaling {
  public:
    [[nodiscard]] static Scaling of(DataKind kind, const learning::LabelledData& reference);

    /// Scales what `load_own_data` and `load_reference` returned.
    void apply_to_loaded(std::vector<float>& features) const;
    /// Scales rows of raw numbers, one after the other.
    void apply_to_raw(std::vector<float>& features) const;

  private:
    std::vector<float> shift_;  ///< empty for images
    std::vector<float> factor_;
};

}  // namespace unlearn::config
