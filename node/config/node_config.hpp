#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/learning/data/architecture.hpp"
#include "node/learning/data/csv_format.hpp"
#include "node/learning/data/ensemble_options.hpp"
#include "node/learning/data/training_options.hpp"
#include "node/storage/log_limits.hpp"
#include "protocol/engine_config.hpp"
#include "protocol/engine_io.hpp"
#include "protocol/limits.hpp"
#include "protocol/result.hpp"

/// The content of `node.toml`. It does not depend on torch, because `unlearnctl` reads it too.
namespace unlearn::config {

/// The file format of a node's examples.
enum class DataKind { idx, csv };

/// Section [data]: the node's own examples and the public reference set.
struct DataConfig {
    DataKind kind = DataKind::csv;
    std::filesystem::path path;        ///< csv: the node's own labelled rows
    std::string label = "label";       ///< csv: the column with the class
    learning::CsvFormat format;        ///< csv: decides how to read a file that can be read in two ways
    std::filesystem::path images;      ///< idx
    std::filesystem::path labels;      ///< idx
    std::filesystem::path reference;   ///< public examples, the same at all nodes; their labels are not used
    std::vector<std::string> classes;  ///< of the whole network, in the same order at all nodes
    double validation = 0.1;           ///< share of the own data that chooses the mixing weight
    bool watch = true;                 ///< train again when the data file changes
};

/// Section [model]: the main model and the seed model.
struct ModelConfig {
    learning::Architecture main;        ///< not used when `torchscript` is given
    std::filesystem::path torchscript;  ///< the user's own main model, trained elsewhere; empty without one
    learning::Architecture seed;

    /// Returns the name of the main model: its architecture, or the script's file.
    [[nodiscard]] std::string main_name() const {
        return torchscript.empty() ? main.text() : "torchscript " + torchscript.filename().string();
    }
};

/// Section [held_seeds]: how much room there is for the seeds of others, of all owners together.
struct HeldSeedsConfig {
    std::uint32_t largest_mib = 2;  ///< the share of one owner
    std::uint32_t total_mib = 128;

    /// The same as shares and places.
    [[nodiscard]] protocol::SeedRoom room() const {
        return {std::size_t{largest_mib} << 20U, total_mib / largest_mib};
    }
};

/// The whole configuration of a node.
struct NodeConfig {
    std::filesystem::path file;
    std::filesystem::path data_dir = "/var/lib/unlearnd";
    std::filesystem::path control_socket = "/run/unlearnd/control.sock";
    std::optional<std::string> listen;  ///< `tcp://host:port`; without it the node only dials
    std::string log_level = "info";
    std::uint64_t log_entries = storage::kLogEntries;  ///< the limit of the log of exits and erasures
    std::string network_name;                          ///< either this or `network_key` is given
    std::optional<protocol::NodeId> network_key;
    std::uint8_t min_wire = protocol::kOldestVersion;  ///< peers that speak no newer version are refused
    DataConfig data;
    ModelConfig model;
    learning::OptimisationSettings training;
    learning::OptimisationSettings distillation;
    learning::EnsembleOptions ensemble;
    std::vector<protocol::Neighbour> peers;
    protocol::MemberRules members;  ///< of a network with a key
    HeldSeedsConfig held_seeds;
};

/// The most bytes in the path of a Unix socket (sockaddr_un, without the zero at its end).
inline constexpr std::size_t kMaxSocketPath = 107;

/// Reads a configuration. Relative paths are relative to the file. @return "FILE:LINE: KEY WHAT" for the
/// first thing that is wrong.
[[nodiscard]] protocol::Result<NodeConfig> load_node_config(const std::filesystem::path& file);
/// Does the same with `text` as the content of `file`.
[[nodiscard]] protocol::Result<NodeConfig> parse_node_config(std::string_view text,
                                                             const std::filesystem::path& file);

/// The values that `init` fills into a new configuration.
struct SampleChoices {
    std::filesystem::path data_dir;
    std::filesystem::path control_socket;
    std::string listen;        ///< empty: the key is commented out
    std::string network_name;  ///< empty: `network_key` is given
    std::string network_key;
    std::string members = "exits-only";  ///< with a network key
    DataConfig data;
    std::filesystem::path torchscript;  ///< used instead of `main_model`
    std::string main_model = "mlp:100";
    std::string seed_model = "mlp:32";
};
/// Returns a configuration with every key and an explanation of each.
[[nodiscard]] std::string sample_config(const SampleChoices& choices);

}  // namespace unlearn::config
