#include "sim/fleet/daemon_files.hpp"

#include <sstream>

#include <sys/un.h>
#include <toml++/toml.h>

#include "node/config/binding.hpp"
#include "node/storage/identity_file.hpp"
#include "sim/fleet/data_files.hpp"
#include "sim/support/free_ports.hpp"
#include "sim/support/output_folder.hpp"

namespace unlearn::sim::fleet {
namespace {

tl::unexpected<Error> failed_because(const protocol::Error& error) {
    return failed_with(error.detail.empty() ? error.text() : error.detail);
}

DaemonFiles files_in(const std::filesystem::path& folder) {
    return {folder, folder / "node.toml", folder / "data", folder / "control.sock", folder / "log"};
}

std::string endpoint(std::uint16_t port) {
    return "tcp://127.0.0.1:" + std::to_string(port);
}

template <typename Settings>
void set_optimisation(toml::table& section, const Settings& settings) {
    const auto set = [&](const char* key, const auto& value) {
        if (value) section.insert_or_assign(key, *value);
    };
    set("epochs", settings.epochs);
    set("batch", settings.batch);
    set("learning_rate", settings.learning_rate);
    if constexpr (requires { settings.weight_decay; }) set("weight_decay", settings.weight_decay);
    if constexpr (requires { settings.temperature; }) set("temperature", settings.temperature);
}

/// Returns the configuration that `unlearnctl init` would write, with the scenario's choices.
std::string config_text(const scenario::Scenario& scenario, const config::SampleChoices& choices,
                        const std::vector<protocol::PeerAddress>& peers) {
    toml::table table = toml::parse(config::sample_config(choices));
    const auto section = [&](const char* name) -> toml::table& { return *table[name].as_table(); };
    section("data").insert_or_assign("validation", scenario.data.validation);
    section("data").insert_or_assign("watch", "no");
    auto& ensemble = section("ensemble");
    ensemble.insert_or_assign("aggregation", learning::traits_of(scenario.ensemble.aggregation).name);
    ensemble.insert_or_assign("calibrated", scenario.ensemble.is_calibrated());
    ensemble.insert_or_assign("weighted", scenario.ensemble.is_weighted());
    if (scenario.ensemble.fixed_rho) ensemble.insert_or_assign("rho", *scenario.ensemble.fixed_rho);
    set_optimisation(section("training"), scenario.training);
    set_optimisation(section("distillation"), scenario.distillation);
    toml::array list;
    for (const auto& peer : peers)
        list.push_back(toml::table{{"address", peer.text()}});
    table.insert_or_assign("peers", std::move(list));
    std::ostringstream out;
    out << table << '\n';
    return out.str();
}

/// Writes the files of a fleet, one node at a time.
class FleetWriter {
  public:
    FleetWriter(const scenario::Scenario& scenario, const run::Setup& setup, std::filesystem::path folder,
                std::vector<std::uint16_t> ports)
        : scenario_(scenario),
          setup_(setup),
          columns_{setup.columns, scenario.data.label},
          folder_(std::move(folder)),
          ports_(std::move(ports)) {}

    Result<void> write_common() {
        auto reference =
            write_reference(folder_ / "reference", scenario_.data.kind, setup_.reference, columns_);
        if (!reference) return failed_with(reference.error());
        reference_ = std::move(*reference);
        return {};
    }

    Result<DaemonFiles> write_node(std::size_t i) {
        const run::NodeSetup& node = setup_.nodes[i];
        const auto files = files_in(folder_ / node.name);
        if (files.socket.native().size() >= sizeof(sockaddr_un::sun_path))
            return failed_with(files.socket.string() +
                               ": too long for a socket; choose a shorter folder with --out");
        std::error_code error;
        std::filesystem::create_directories(files.data_dir, error);
        if (!error) std::filesystem::permissions(files.data_dir, std::filesystem::perms::owner_all, error);
        if (error) return failed_with(files.data_dir.string() + ": " + error.message());
        auto examples =
            write_examples(files.folder / "own", scenario_.data.kind, node.own, setup_.class_names, columns_);
        if (!examples) return failed_with(examples.error());

        const auto text = config_text(scenario_, choices_of(i, files, *examples), peers_of(node));
        const auto config = config::parse_node_config(text, files.config);
        if (!config) return failed_because(config.error());
        if (auto ok = support::write_file(files.config, text); !ok) return failed_with(ok.error());
        if (auto ok = read_reference(*config); !ok) return failed_with(ok.error());
        if (auto ok = storage::create_identity_file(files.data_dir / "identity", node.identity); !ok)
            return failed_because(ok.error());
        if (auto ok = config::create_binding(files.data_dir / "binding.json", {network_, std::nullopt}); !ok)
            return failed_because(ok.error());
        return files;
    }

    [[nodiscard]] const config::Scaling& scaling() const { return *scaling_; }

  private:
    /// Reads the reference set and what depends on it, which is the same at all nodes.
    Result<void> read_reference(const config::NodeConfig& config) {
        if (scaling_) return {};
        const auto reference = config::load_reference(config.data);
        if (!reference) return failed_because(reference.error());
        network_ = config::network_of(config, *reference);
        scaling_ = config::Scaling::of(config.data.kind, *reference);
        return {};
    }

    [[nodiscard]] config::SampleChoices choices_of(std::size_t i, const DaemonFiles& files,
                                                   const ExampleFiles& examples) const {
        const run::NodeSetup& node = setup_.nodes[i];
        const bool images = scenario_.data.kind == scenario::DataSettings::Kind::idx;
        config::SampleChoices choices;
        choices.data_dir = files.data_dir;
        choices.control_socket = files.socket;
        choices.listen = endpoint(ports_[i]);
        choices.network_name = scenario_.name;
        choices.data.kind = images ? config::DataKind::idx : config::DataKind::csv;
        (images ? choices.data.images : choices.data.path) = examples.examples;
        choices.data.labels = examples.labels;
        choices.data.label = scenario_.data.label;
        choices.data.reference = reference_;
        choices.data.classes = setup_.class_names;
        choices.main_model = node.main_architecture.text();
        choices.seed_model = node.seed_architecture.text();
        return choices;
    }

    [[nodiscard]] std::vector<protocol::PeerAddress> peers_of(const run::NodeSetup& node) const {
        std::vector<protocol::PeerAddress> out;
        for (const auto j : node.neighbours)
            out.push_back({setup_.nodes[j].identity.id(), endpoint(ports_[j])});
        return out;
    }

    const scenario::Scenario& scenario_;
    const run::Setup& setup_;
    ColumnNames columns_;
    std::filesystem::path folder_;
    std::vector<std::uint16_t> ports_;
    std::filesystem::path reference_;
    protocol::NetworkId network_;
    std::optional<config::Scaling> scaling_;
};

Result<std::vector<std::uint16_t>> ports_for(const scenario::Scenario& scenario, std::size_t nodes) {
    const auto base = scenario.network.base_port;
    if (base == 0) return support::free_ports(nodes);
    std::vector<std::uint16_t> out;
    for (std::size_t i = 0; i < nodes; ++i)
        out.push_back(static_cast<std::uint16_t>(base + i));
    return out;
}

}  // namespace

Result<FleetFiles> write_fleet(const scenario::Scenario& scenario, const run::Setup& setup,
                               const std::filesystem::path& folder) {
    auto ports = ports_for(scenario, setup.nodes.size());
    if (!ports) return failed_with(ports.error());
    // The path is absolute, because the daemons resolve relative paths against the folder of their
    // configuration.
    const auto nodes_folder = std::filesystem::absolute(folder) / "nodes";
    std::error_code error;
    std::filesystem::create_directories(nodes_folder, error);
    if (error) return failed_with(nodes_folder.string() + ": " + error.message());

    FleetWriter writer(scenario, setup, nodes_folder, std::move(*ports));
    if (auto ok = writer.write_common(); !ok) return failed_with(ok.error());
    std::vector<DaemonFiles> nodes;
    for (std::size_t i = 0; i < setup.nodes.size(); ++i) {
        auto files = writer.write_node(i);
        if (!files) return failed_with(files.error());
        nodes.push_back(std::move(*files));
    }
    return FleetFiles{std::move(nodes), writer.scaling()};
}

}  // namespace unlearn::sim::fleet
