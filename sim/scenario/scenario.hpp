#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "node/learning/data/csv_format.hpp"
#include "node/learning/data/ensemble_options.hpp"
#include "node/learning/data/training_options.hpp"
#include "topologies/graph.hpp"

namespace unlearn::sim::scenario {

/// Up to here a double holds every whole number, and so does every JSON reader.
inline constexpr std::uint64_t kMaxSeed = 9007199254740991;

/// Why a scenario was refused: one line, "FILE:LINE: ...".
struct ScenarioError {
    std::string message;
};

// One struct for each section of the file. A member that is std::nullopt was not given and means "what the
// library thinks best"; every other member holds the value to use. sim/scenarios/quickstart.toml explains all
// of them to users.

struct DataSettings {
    enum class Kind { kIdx, kCsv };
    enum class Partition { kMissingClasses, kIid, kDirichlet, kShards };

    Kind kind = Kind::kIdx;
    std::filesystem::path path =
        "/usr/share/datasets/fashion-mnist";  ///< a folder of IDX files, or the training CSV
    std::string label = "label";              ///< CSV: the column that holds the class
    learning::CsvFormat format;               ///< CSV: decides where a file can be read in two ways
    std::filesystem::path test_path;          ///< CSV: the test set; never empty for CSV
    std::uint32_t reference =
        10'000;  ///< size of the reference set, taken out of the training data before anything else
    std::uint32_t images_per_node = 3'000;
    Partition partition = Partition::kMissingClasses;
    std::uint32_t missing = 2;     ///< missing-classes: how many classes each node lacks
    double alpha = 0.5;            ///< dirichlet: smaller means more different nodes
    std::uint32_t shards = 2;      ///< shards: how many one-class pieces each node gets
    double validation = 0.1;       ///< part of a node's own data it keeps for validation
    std::uint32_t test_limit = 0;  ///< use only the first so many test images; 0 means all
    /// Score on so many examples from the end of the training data instead, which no node gets: to choose by.
    /// 0 means the real test set.
    std::uint32_t test_from_train = 0;
};

struct ModelSettings {
    /// Architectures, dealt out in turn to the nodes of the scenario's graph, in its order. Never empty.
    std::vector<std::string> main = {"linear", "mlp:100", "cnn:16x32"};
    std::vector<std::string> seed = {"mlp:32"};
};

/// In files and on the command line: "zmq" (real sockets) and "virtual" (virtual time).
enum class TransportKind { zmq, virtual_time };
[[nodiscard]] std::string_view to_text(TransportKind kind);
[[nodiscard]] std::optional<TransportKind> parse_transport(std::string_view text);

struct NetworkSettings {
    TransportKind transport = TransportKind::zmq;  ///< unless the command line says otherwise
    std::uint16_t base_port =
        0;  ///< node i listens on base_port + i; 0 means ports that the system finds free
    std::chrono::seconds exchange_timeout{120};  ///< until every seed has reached every neighbour
    std::chrono::seconds exit_timeout{30};       ///< until every holder has sent its receipt
};

struct ExitSettings {
    std::string node;  ///< a name in the scenario's graph
};

struct RunSettings {
    std::uint32_t threads = 2;  ///< worker threads, each of which computes on one thread
};

/// What a run does, checked: a plain value. Every random stream of the run derives from `seed`.
struct Scenario {
    std::filesystem::path file;  ///< where it came from
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

    /// Architecture of the main model of a node of `graph`. The index is that of the full graph even in the
    /// world without the leaver: else a leaver's absence would give its successors other models.
    [[nodiscard]] const std::string& main_architecture(topologies::NodeIndex node) const;
    [[nodiscard]] const std::string& seed_architecture(topologies::NodeIndex node) const;
};

/// What is wrong with an architecture string, or nothing when it is fine. Passed in, because this folder's
/// readers know no models.
using ArchitectureCheck = std::function<std::optional<std::string>(std::string_view)>;

struct ScenarioOptions {
    std::optional<std::uint64_t> seed = std::nullopt;  ///< replaces the file's
    ArchitectureCheck check_architecture = {};         ///< empty means that any string will do
};

/// Reads a scenario file. Relative paths in it are relative to its folder. An unknown key, a value of the
/// wrong type or out of range, an impossible graph, and an exit of a node that does not exist are errors of
/// one line that names file, line and key and says what would be allowed. Data files are not looked at.
[[nodiscard]] tl::expected<Scenario, ScenarioError> load_scenario(const std::filesystem::path& file,
                                                                  const ScenarioOptions& options = {});

/// The same from text. `file` is what errors call it, and its folder is where relative paths start.
[[nodiscard]] tl::expected<Scenario, ScenarioError> parse_scenario(std::string_view text,
                                                                   const std::filesystem::path& file,
                                                                   const ScenarioOptions& options = {});

}  // namespace unlearn::sim::scenario
