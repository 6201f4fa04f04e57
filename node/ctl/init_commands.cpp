#include <algorithm>
#include <memory>

#include "node/config/node_config.hpp"
#include "node/config/node_data.hpp"
#include "node/ctl/acting_as.hpp"
#include "node/ctl/command.hpp"
#include "node/ctl/csv_options.hpp"
#include "node/ctl/daemon_check.hpp"
#include "node/ctl/node_files.hpp"
#include "node/ctl/table.hpp"
#include "node/storage/identity_file.hpp"

// The command for setting up: init.
namespace unlearn::ctl {
namespace {

struct InitOptions {
    config::SampleChoices choices;
    std::string data_dir = Places{}.data_dir;
    std::string network_key_file;
    std::string first_key;
    std::int64_t membership_days = 0;  ///< 0: a membership without an end
    std::string data;
    std::string images;
    std::string labels;
    std::string reference;
    std::string torchscript;
    std::string sealed_exit = "exit.sealed";
    std::string separator;
    std::string decimal;
    bool older_network = false;
};

Failure wrong(const protocol::Error& error) {
    return {ExitCode::bad_input, error.detail.empty() ? error.text() : error.detail};
}

/// The command-line option that sets a key of the configuration.
struct KeyOption {
    std::string_view key;
    std::string_view option;
};
constexpr KeyOption kKeyOptions[] = {
    {"data_dir", "--data-dir"},
    {"control_socket", "--socket"},
    {"listen", "--listen"},
    {"network.name", "--network"},
    {"network.key", "--first-key"},
    {"data.path", "--data"},
    {"data.images", "--images"},
    {"data.labels", "--labels"},
    {"data.label", "--label"},
    {"data.reference", "--reference"},
    {"data.classes", "--classes"},
    {"model.main", "--main"},
    {"model.torchscript", "--torchscript"},
    {"model.seed", "--seed"},
};

/// Rewrites a complaint about the configuration, which is not written yet: it has no lines, and users gave
/// options.
Failure wrong_option(const protocol::Error& error, const std::filesystem::path& config) {
    Failure failure = wrong(error);
    std::string_view rest = failure.message;
    if (!rest.starts_with(config.string() + ":")) return failure;
    rest.remove_prefix(config.string().size());
    rest.remove_prefix(std::min(rest.find_first_not_of(":0123456789 "), rest.size()));
    for (const auto& [key, option] : kKeyOptions)
        if (rest.starts_with(key) && rest.substr(key.size()).find_first_of(" :") == 0)
            return {failure.code, std::string(option) + std::string(rest.substr(key.size()))};
    return {failure.code, std::string(rest)};
}

/// Returns the configuration as text. Its paths are absolute, because the file may be anywhere.
Outcome<std::string> configuration_of(const Context& context, const InitOptions& options) {
    auto choices = options.choices;
    for (std::string& name : choices.data.classes)
        name = CLI::detail::trim_copy(name);
    if (!options.network_key_file.empty()) {
        const auto key = storage::load_identity(options.network_key_file);
        if (!key) return tl::unexpected(wrong(key.error()));
        choices.network_key = options.first_key.empty() ? key->id().text() : options.first_key;
    }
    const auto absolute = [](const std::string& path) { return std::filesystem::absolute(path); };
    choices.data_dir = absolute(options.data_dir);
    choices.control_socket =
        context.socket_given.empty() ? Places{}.control_socket : absolute(context.socket_given.string());
    choices.data.kind = options.data.empty() ? config::DataKind::idx : config::DataKind::csv;
    if (options.data.empty()) {
        choices.data.images = absolute(options.images);
        choices.data.labels = absolute(options.labels);
    } else {
        choices.data.path = absolute(options.data);
    }
    choices.data.format = csv_format_of(options.separator, options.decimal);
    choices.data.reference = absolute(options.reference);
    if (!options.torchscript.empty()) choices.torchscript = absolute(options.torchscript);
    return config::sample_config(choices);
}

/// Reads the data as the daemon will, and as its user, so that data it could not use is reported here.
Outcome<protocol::NetworkId> network_of(const Context& context, const config::NodeConfig& config,
                                        bool older_network) {
    const ActingAs owner(config.data_dir);
    const auto inputs = config::load_inputs(config);
    if (!inputs) return tl::unexpected(wrong_option(inputs.error(), config.file));
    for (const std::string& warning : inputs->warnings)
        context.console.err << "unlearnctl: warning: " << warning << '\n';
    return config::network_of(config, inputs->reference,
                              older_network ? config::BoundItems::values : config::BoundItems::all);
}

/// Only unlearnd has LibTorch, and only LibTorch can tell whether a module works.
void check_module(const Context& context, const InitOptions& options, NewNode& node) {
    if (options.torchscript.empty()) return;
    if (const auto unlearnd = find_unlearnd())
        node.check = [&context, file = options.torchscript, unlearnd = *unlearnd, config = node.config] {
            return run_check(unlearnd, config, kLongestCheck, [&] {
                context.console.err << "unlearnctl: still trying " << file << " on all examples\n";
            });
        };
    else
        context.console.err
            << "unlearnctl: warning: " << options.torchscript
            << ": was not tried, because there is no unlearnd beside unlearnctl; run unlearnd "
               "--check\n";
}

void print_next_steps(const Context& context, const NewNode& node, const std::string& id) {
    Facts facts;
    facts.add("id", id);
    facts.add("network", protocol::to_hex(node.network.view()));
    facts.add("configuration", node.config.string());
    facts.add("data folder", node.data_dir.string());
    facts.add("sealed exit", node.sealed_exit.string());
    facts.print(context.console.out);
    context.console.out
        << "\nMove the sealed exit away from this device: with it, any member can make a lost "
           "device leave.\nThen add peers to the configuration and start unlearnd.\n";
}

Outcome<ExitCode> init(const Context& context, const InitOptions& options) {
    NewNode node{std::filesystem::absolute(options.data_dir),
                 std::filesystem::absolute(context.config),
                 std::filesystem::absolute(options.sealed_exit),
                 {},
                 {},
                 std::nullopt,
                 {}};
    if (auto unused = refuse_existing(node); !unused) return tl::unexpected(unused.error());
    auto text = configuration_of(context, options);
    if (!text) return tl::unexpected(text.error());
    node.config_text = std::move(*text);
    const auto config = config::parse_node_config(node.config_text, node.config);
    if (!config) return tl::unexpected(wrong_option(config.error(), node.config));
    const auto network = network_of(context, *config, options.older_network);
    if (!network) return tl::unexpected(network.error());
    node.network = *network;
    check_module(context, options, node);
    if (!options.network_key_file.empty()) node.network_key = options.network_key_file;
    if (options.membership_days > 0) node.membership_days = options.membership_days;

    const HeldSignals all_or_nothing;
    const auto id = make_node(node);
    if (!id) return tl::unexpected(id.error());
    if (context.json)
        context.show({{"id", id->text()},
                      {"network", protocol::to_hex(node.network.view())},
                      {"config", node.config.string()},
                      {"data_dir", node.data_dir.string()},
                      {"sealed_exit", node.sealed_exit.string()}});
    else
        print_next_steps(context, node, id->text());
    return ExitCode::ok;
}

void add_init(CLI::App& app, Commands& commands) {
    auto* command = app.add_subcommand("init", "Set up a new node; replaces nothing that exists");
    auto options = std::make_shared<InitOptions>();
    auto* network = command->add_option_group("network");
    network->add_option("--network", options->choices.network_name, "the network's name");
    auto* key =
        network->add_option("--network-key", options->network_key_file,
                            "the network's secret key (see network key); signs this node's membership");
    network->require_option(1);
    command
        ->add_option(
            "--first-key", options->first_key,
            "with --network-key: the network's first public key, when that secret key has followed it")
        ->needs(key);
    command
        ->add_option("--membership-days", options->membership_days,
                     "with --network-key: until the membership ends; without it, it has no end")
        ->check(CLI::Range(1, 36'500))
        ->needs(key);
    command
        ->add_option("--members", options->choices.members,
                     "with --network-key: what a member that is not listed exchanges with this node")
        ->check(CLI::IsMember({"exits-only", "exchange"}))
        ->capture_default_str()
        ->needs(key);
    auto* data = command->add_option_group("data");
    data->add_option("--data", options->data, "own labelled examples, CSV");
    auto* images = data->add_option("--images", options->images, "own labelled examples, IDX images");
    data->require_option(1);
    auto* labels = command->add_option("--labels", options->labels, "with --images: IDX labels");
    labels->needs(images);
    images->needs(labels);
    command->add_option("--label", options->choices.data.label, "with --data: the column with the class")
        ->capture_default_str();
    command
        ->add_option("--classes", options->choices.data.classes,
                     "the network's classes, in the same order at all nodes: a,b,c")
        ->delimiter(',')
        ->required();
    command
        ->add_option("--reference", options->reference,
                     "public examples in the same format, the same at all nodes; they need no labels")
        ->required();
    add_csv_options(*command, options->separator, options->decimal);
    command->add_flag("--older-network", options->older_network,
                      "join a network that was made before the names of columns became part of its id");
    command
        ->add_option("--listen", options->choices.listen,
                     "where peers dial, for example tcp://*:7411; without it this node only dials")
        ->check(CLI::Validator(
            [](const std::string& text) {
                return std::string(text.empty() ? "is empty; without it this node only dials" : "");
            },
            ""));
    auto* main =
        command->add_option("--main", options->choices.main_model, "main model")->capture_default_str();
    command
        ->add_option("--torchscript", options->torchscript,
                     "your own main model, trained elsewhere (torch.jit.save)")
        ->excludes(main);
    command->add_option("--seed", options->choices.seed_model, "seed model")->capture_default_str();
    command->add_option("--data-dir", options->data_dir, "new folder for identity and state")
        ->capture_default_str();
    command->add_option("--sealed", options->sealed_exit, "the sealed exit, to be kept elsewhere")
        ->capture_default_str();
    commands.on(command, [options](const Context& context) { return init(context, *options); });
}

}  // namespace

void add_init_commands(CLI::App& app, Commands& commands) {
    add_init(app, commands);
}

}  // namespace unlearn::ctl
