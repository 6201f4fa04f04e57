#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/config/node_config.hpp"
#include "node/config/node_data.hpp"
#include "node/learning/own_part.hpp"
#include "node/learning/training.hpp"
#include "protocol/digest.hpp"
#include "protocol/durable.hpp"

namespace unlearn::daemon {

/// What a node's data files say, scaled as models see it.
struct NodeData {
    learning::LabelledData own;
    learning::LabelledData reference;
    config::Scaling scaling;
    std::vector<std::string> warnings;  ///< one line each, for the user
};

/// A main model, the own part made of it, and what it was trained on.
struct Learnt {
    learning::MainModel main;
    std::shared_ptr<const learning::OwnPart> own;
    config::Scaling scaling;
    protocol::Digest seed_fingerprint;  ///< of everything that decides the seed: equal ones, equal seeds
    std::int64_t training_examples = 0;
    double validation_accuracy = 0.0;  ///< of the main model alone; 0 without validation data
};

/// From this node's own data to its main model and its seed, and nothing else: no function here sees a peer's
/// seed or an ensemble (DESIGN: the exactness rule). All functions block; those that compute belong on a
/// thread of their own. Random streams are drawn from `stream_seed` and the purpose alone.
class Learner {
  public:
    /// `config` must outlive the learner. `cancel` ends what runs, soon after it was set.
    Learner(const config::NodeConfig& config, const protocol::NetworkId& network, std::uint64_t stream_seed,
            learning::CancelFlag cancel = nullptr)
        : config_(config), network_(network), seed_(stream_seed), cancel_(cancel) {}

    /// @return one line that names the file or the key when the data cannot be read, do not fit the models,
    ///         or are not those of the network that `init` bound this identity to.
    [[nodiscard]] learning::Result<NodeData> load() const;
    /// The user's own model, where there is one; or the one that was stored, when it fits the data and the
    /// configuration as they are now; else a new one, which is stored.
    [[nodiscard]] learning::Result<Learnt> learn(NodeData data) const;
    /// Whether the user's own model, where there is one, answers for all own and reference examples. A model
    /// of the registry always does. @return one line that names the file
    [[nodiscard]] learning::Result<void> check_model(NodeData data) const;
    /// A fresh seed: its bytes for the network. Reads the reference set again.
    [[nodiscard]] learning::Result<protocol::SharedSeedBytes> distil(const Learnt& learnt) const;

    /// The seed that was published last is the one of this fingerprint.
    [[nodiscard]] bool is_published(const protocol::Digest& seed_fingerprint) const;
    [[nodiscard]] learning::Result<void> remember_published(const protocol::Digest& seed_fingerprint) const;

    /// Cheap: size, time and inode of the data files. Differs after the files were written to.
    [[nodiscard]] std::string data_stamp() const;

  private:
    [[nodiscard]] learning::Result<learning::MainModel> main_model(const protocol::Digest& fingerprint,
                                                                   const learning::Dataset& data) const;
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
