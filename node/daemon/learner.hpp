#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/config/node_config.hpp"
#include "node/config/node_data.hpp"
#include "node/learning/ensemble/own_part.hpp"
#include "node/learning/training.hpp"
#include "protocol/digest.hpp"
#include "protocol/durable.hpp"

namespace unlearn::daemon {

/// The content of a node's data files, scaled as models see it.
struct NodeData {
    learning::LabelledData own;
    learning::LabelledData reference;
    config::Scaling scaling;
    std::vector<std::string> warnings;  ///< one line each, for the user
};

/// A main model, the own part made from it, and what it was trained on.
struct Learnt {
    learning::MainModel main;
    std::shared_ptr<const learning::OwnPart> own;
    config::Scaling scaling;
    protocol::Digest seed_fingerprint;  ///< of everything that decides the seed: equal ones mean equal seeds
    std::int64_t training_examples = 0;
    double validation_accuracy = 0.0;  ///< of the main model alone; 0 without validation data
};

/// Makes this node's main model and seed from its own data, and nothing else: no function here sees a peer's
/// seed or an ensemble (the exactness rule, docs/exactness.md). All functions block; call those that compute
/// on a thread of their own. Random streams depend on `stream_seed` and the purpose alone.
class Learner {
  public:
    /// `config` must outlive the learner. A computation ends soon after `cancel` was set.
    Learner(const config::NodeConfig& config, const protocol::NetworkId& network, std::uint64_t stream_seed,
            learning::CancelFlag cancel = nullptr)
        : config_(config), network_(network), seed_(stream_seed), cancel_(cancel) {}

    /// Reads the data. @return one line that names the file or the key when the data cannot be read, do not
    /// fit the models, or are not those of the network that `init` bound this identity to.
    [[nodiscard]] learning::Result<NodeData> load() const;
    /// Returns the user's own model if there is one. Otherwise returns the stored model when it fits the
    /// present data and configuration, or else trains a new one and stores it.
    [[nodiscard]] learning::Result<Learnt> learn(NodeData data) const;
    /// Checks that the user's own model, if there is one, answers for all own and reference examples. A model
    /// of the registry always does. @return one line that names the file
    [[nodiscard]] learning::Result<void> check_model(NodeData data) const;
    /// Distils a fresh seed and returns its bytes for the network. Reads the reference set again.
    [[nodiscard]] learning::Result<protocol::SharedSeedBytes> distil(const Learnt& learnt) const;

    /// Returns true when the seed that was published last has this fingerprint.
    [[nodiscard]] bool is_published(const protocol::Digest& seed_fingerprint) const;
    /// Stores the fingerprint of the seed that was published last.
    [[nodiscard]] learning::Result<void> remember_published(const protocol::Digest& seed_fingerprint) const;

    /// Returns size, time and inode of the data files as text, which is cheap. It differs after the files
    /// were written to.
    [[nodiscard]] std::string data_stamp() const;

  private:
    [[nodiscard]] learning::Result<learning::MainModel> main_model(
        const protocol::Digest& fingerprint, const learning::ValidationSplit& data) const;
    [[nodiscard]] std::optional<learning::MainModel> stored_model(const protocol::Digest& fingerprint,
                                                                  const learning::InputShape& shape) const;
    [[nodiscard]] learning::Result<void> store_model(const learning::MainModel& main,
                                                     const protocol::Digest& fingerprint) const;
    [[nodiscard]] std::uint64_t stream(std::string_view purpose) const;

    const config::NodeConfig& config_;
    protocol::NetworkId network_;
    std::uint64_t seed_;
    learning::CancelFlag cancel_;
};

}  // namespace unlearn::daemon
