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
#include "protocol/engine_io.hpp"
#include "protocol/result.hpp"

/// What `node.toml` says. Torch-free: `unlearnctl` reads it too.
namespace unlearn::config {

enum class DataKind { idx, csv };

struct DataConfig {
    DataKind kind = DataKind::csv;
    std::filesystem::path path;        ///< csv: the node's own labelled rows
    std::string label = "label";       ///< csv: the column with the class
    learning::CsvFormat format;        ///< csv: decides where a file can be read in two ways
    std::filesystem::path images;      ///< idx
    std::filesystem::path labels;      ///< idx
    std::filesystem::path reference;   ///< public examples, the same at all nodes; labels in it are not used
    std::vector<std::string> classes;  ///< of the whole network, in one order for all
    double validation = 0.1;           ///< part of the own data that chooses the mixing weight
    bool watch = true;                 ///< train again when the data file changes
};

struct ModelConfig {
    learning::Architecture main;        ///< not used with a script
    std::filesystem::path torchscript;  ///< the user's own main model, trained elsewhere; empty: none
    learning::Architecture seed;

    /// What the main model is called: the architecture, or the script's file.
    [[nodiscard]] std::string main_name() const {
        return torchscript.empty() ? main.text() : "torchscript " + torchscript.filename().string();
    }
};

struct NodeConfig {
    std::filesystem::path file;
    std::filesystem::path data_dir = "/var/lib/unlearnd";
    std::filesystem::path control_socket = "/run/unlearnd/control.sock";
    std::optional<std::string> listen;  ///< `tcp://host:port`; without it the node only dials
    std::string log_level = "info";
    std::string network_name;  ///< one of these two
    std::optional<protocol::NodeId> network_key;
    DataConfig data;
    ModelConfig model;
    learning::OptimisationSettings training;
    learning::OptimisationSettings distillation;
    learning::EnsembleOptions ensemble;
    std::vector<protocol::Neighbour> peers;
};

/// The path of a Unix socket holds no more bytes than this (sockaddr_un, without the zero at its end).
inline constexpr std::size_t kMaxSocketPath = 107;

/// Relative paths are relative to the file. @return "FILE:LINE: KEY WHAT" for the first thing that is wrong.
[[nodiscard]] protocol::Result<NodeConfig> load_node_config(const std::filesystem::path& file);
[[nodiscard]] protocol::Result<NodeConfig> parse_node_config(std::string_view text,
                                                             const std::filesystem::path& file);

/// What `init` fills into a new configuration.
struct SampleChoices {
    std::filesystem::path data_dir;
    std::filesystem::path control_socket;
    std::string listen;        ///< empty: commented out
    std::string network_name;  ///< empty: `network_key` is given
    std::string network_key;
    DataConfig data;
    std::filesystem::path torchscript;  ///< used instead of `main_model`
    std::string main_model = "mlp:100";
    std::string seed_model = "mlp:32";
};
/// A configuration with every key and what it means.
[[nodiscard]] std::string sample_config(const SampleChoices& choices);

}  // namespace unlearn::config
