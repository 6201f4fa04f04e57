#include <memory>

#include "node/ctl/command.hpp"
#include "node/ctl/node_files.hpp"

// Setting up: network-key.
namespace unlearn::ctl {
namespace {

Outcome<ExitCode> network_key(const Context& context, const std::string& file) {
    const auto key = make_network_key(file);
    if (!key) return tl::unexpected(key.error());
    if (context.json)
        context.show({{"key", key->text()}, {"file", file}});
    else
        context.console.out << key->text() << '\n';
    return ExitCode::ok;
}

}  // namespace

void add_init_commands(CLI::App& app, Commands& commands) {
    auto* command = app.add_subcommand(
        "network-key", "Make the key of a fleet's network; prints the public key for the configurations");
    auto file = std::make_shared<std::string>();
    command->add_option("FILE", *file, "the secret key; keep it away from the devices")->required();
    commands.on(command, [file](const Context& context) { return network_key(context, *file); });
}

}  // namespace unlearn::ctl
