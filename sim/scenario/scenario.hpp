#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/learning/data/csv_format.hpp"
#include "node/learning/data/ensemble_options.hpp"
#include "node/learning/data/training_options.hpp"
#include "sim/result.hpp"
#include "topologies/graph.hpp"

namespace unlearn::sim::scenario {

/// The largest seed. Up to it, a double holds every whole number, and so does every JSON reader.
inline constexpr std::uint64_t kMaxSeed = 9007199254740991;

// One struct for each section of the file. A member that is std::nullopt was not given, and the library
// chooses its value. Every other member holds the value to use. sim/scenarios/quickstart.toml explains all of
// them to users.

/// The section `data`: which data is used, and how it is divided among the nodes.
struct DataSettings {
    enum class Kind { idx, csv };
    enum class Partition { missing_classes, iid, dirichlet, shards };

    Kind kind = Kind::idx;
    /// A folder of IDX files, or the training CSV.
    std::filesystem::path path = "/usr/share/datasets/fashion-mnist";
    std::string label = "label";      ///< CSV: the column with the class
    learning::CsvFormat format;       ///< CSV: decides when a file can be read in two ways
    std::filesystem::path test_path;  ///< CSV: the test set; never empty for CSV
    /// The size of the reference set, which is taken out of the training data first.
    std::uint32_t reference = 10'000;
    std::uint32_t images_per_node = 3'000;
    Partition partition = Partition::missing_classes;
    std::uint32_t missing = 2;     ///< missing-classes: how many classes each node lacks
    double alpha = 0.5;            ///< dirichlet: the smaller, the more the nodes differ
    std::uint32_t shards = 2;      ///< shards: how many one-class pieces each node gets
    double validation = 0.1;       ///< the part of a node's own data that it keeps for validation
    std::uint32_t test_limit = 0;  ///< use only the first test images, this many; 0 means all
    /// Scores on this many examples from the end of the training data, which no node gets, instead of the
    /// test set. Use it to choose settings. 0 means the real test set.
    std::uint32_t test_from_train = 0;
};

/// The section `models`.
struct ModelSettings {
    /// Architectures, assigned in turn to the nodes of the scenario's graph, in its order. Never empty.
    std::vector<std::string> main = {"linear", "mlp:100", "cnn:16x32"};
    std::vector<std::string> seed = {"mlp:32"};
    /// The recipe of the map to public features, which `ridge` models and `head` seeds see; empty for none.
    std::string features;
};

/// How nodes communicate. In files and on the command line: "zmq" (real sockets) and "virtual" (virtual
/// time).
enum class TransportKind { zmq, virtual_time };
/// Returns the name of a transport.
[[nodiscard]] std::string_view to_text(TransportKind kind);
/// Returns the transport of this name, or nothing.
[[nodiscard]] std::optional<TransportKind> parse_transport(std::string_view text);

/// The section `network`.
struct NetworkSettings {
    TransportKind transport = TransportKind::zmq;  ///< unless the command line says otherwise
    /// Node i listens on base_port + i; 0 means ports that the system finds free.
    std::uint16_t base_port = 0;
    std::chrono::seconds exchange_timeout{120};  ///< how long all seeds may take to reach all neighbours
    std::chrono::seconds exit_timeout{30};       ///< how long all holders may take to send their receipts
};

/// A section `exit`: a node that leaves.
struct ExitSettings {
    std::string node;  ///< a name in the scenario's graph
};

/// The section `run`.
struct RunSettings {
    std::uint32_t threads = 2;  ///< worker threads, each of which computes on one thread
};

/// What a run does, as a plain value that was checked. Every random stream of the run derives from `seed`.
struct Scenario {
    std::filesystem::path file;  ///< the file that it was read from
    std::string name;
    std::uint64_t seed = 1;
    topologies::Graph graph;  ///< generated or loaded; its names are the nodes' names
    DataSettings data;
    ModelSettings models;
    learning::OptimisationSettings training;
    learning::OptimisationSettings distillation;
    learning::EnsembleOptions ensemble;
    NetworkSettings network;
    std::vector<ExitSettings> exits;  ///< in the order in which they happen
    RunSettings run;

    /// Returns the architecture of the main model of a node of `graph`. The index is that of the full graph,
    /// even in the world without the leaver. Otherwise the leaver's absence would give the nodes after it
    /// other models.
    [[nodiscard]] const std::string& main_architecture(topologies::NodeIndex node) const;
    [[nodiscard]] const std::string& seed_architecture(topologies::NodeIndex node) const;
};

/// Returns what is wrong with an architecture string, or nothing. It is passed in because the readers in this
/// folder know no models.
using ArchitectureCheck = std::function<std::optional<std::string>(std::string_view)>;

/// How a scenario is read.
struct ScenarioOptions {
    std::optional<std::uint64_t> seed = std::nullopt;  ///< replaces the seed in the file
    ArchitectureCheck check_architecture = {};         ///< empty: any string is accepted
};

/// Reads a scenario file. Relative paths in it are relative to its folder. An unknown key, a value of the
/// wrong type or out of range, an impossible graph, and an exit of a node that does not exist are errors. An
/// error is one line that names file, line and key and says what is allowed. Data files are not read.
[[nodiscard]] Result<Scenario> load_scenario(const std::filesystem::path& file,
                                             const ScenarioOptions& options = {});

/// Reads the same from text. Errors call it `file`, and relative paths start at the folder of `file`.
[[nodiscard]] Result<Scenario> parse_scenario(std::string_view text, const std::filesystem::path& file,
                                              const ScenarioOptions& options = {});

}  // namespace unlearn::sim::scenario
