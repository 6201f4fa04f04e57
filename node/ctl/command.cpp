#include "node/ctl/command.hpp"

#include <fstream>
#include <sstream>

#include <toml++/toml.h>

namespace unlearn::ctl {

Outcome<Places> read_places(const std::filesystem::path& config, bool required) {
    std::error_code error;
    if (!required && !std::filesystem::exists(config, error) && !error) return Places{};
    if (std::filesystem::is_directory(config, error))
        return fail_with(ExitCode::bad_input, config.string() + ": is a folder, not a configuration file");
    std::ifstream in(config);
    std::ostringstream text;
    if (in) text << in.rdbuf();
    if (!in) return fail_with(ExitCode::bad_input, config.string() + ": cannot be read");
    try {
        const auto table = toml::parse(text.str());
        Places places;
        // Paths are relative to the file, as for the daemon. An absolute path stays as it is.
        const auto folder = std::filesystem::absolute(config).parent_path();
        if (const auto value = table["data_dir"].value<std::string>()) places.data_dir = folder / *value;
        if (const auto value = table["control_socket"].value<std::string>())
            places.control_socket = folder / *value;
        return places;
    } catch (const toml::parse_error& problem) {
        return fail_with(ExitCode::bad_input, config.string() + ":" +
                                                  std::to_string(problem.source().begin.line) + ": " +
                                                  std::string(problem.description()));
    }
}

Outcome<ControlClient> Context::daemon() const {
    if (!socket_given.empty()) return ControlClient(socket_given, patience);
    auto found = places();
    if (!found) return tl::unexpected(found.error());
    return ControlClient(found->control_socket, patience);
}

void Context::show(const nlohmann::json& value) const {
    console.out << value.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
}

Outcome<void> Context::confirm(const std::string& question, const std::string& word) const {
    if (!console.interactive)
        return fail_with(ExitCode::bad_input,
                         "not a terminal, so nobody can be asked; pass --yes to confirm");
    console.err << question << "\nType " << word << " to go on: " << std::flush;
    std::string answer;
    std::getline(console.in, answer);
    if (answer != word) return fail_with(ExitCode::failed, "nothing was done");
    return {};
}

namespace {

Outcome<ExitCode> carry_out(const Command& command, const Context& context) {
    try {
        return command(context);
    } catch (const nlohmann::json::exception& error) {
        return fail_with(ExitCode::failed, std::string("unexpected JSON: ") + error.what());
    } catch (const std::filesystem::filesystem_error& error) {
        return fail_with(ExitCode::failed, error.what());
    }
}

}  // namespace

int run(const std::vector<std::string>& arguments, Console& console) {
    CLI::App app{"unlearnctl: set up and control a node of unlearnd", "unlearnctl"};
    app.require_subcommand(1);
    app.fallthrough();
    app.footer(kExitCodeHelp);
    app.set_version_flag("--version", UNLEARN_VERSION);

    Context context{console};
    auto* config = app.add_option("--config", context.config, "the node's configuration")
                       ->capture_default_str()
                       ->type_name("FILE");
    app.add_option("--socket", context.socket_given, "control socket; default: as the configuration says")
        ->type_name("PATH");
    app.add_flag("--json", context.json, "print JSON instead of text for people");
    std::optional<double> patience_s;
    app.add_option("--patience", patience_s,
                   "seconds to wait for a daemon that is starting; default: " +
                       std::to_string(std::chrono::ceil<std::chrono::seconds>(console.patience).count()))
        ->check(CLI::Range(0.0, 86'400.0))
        ->type_name("S");

    Commands commands;
    add_init_commands(app, commands);
    add_network_commands(app, commands);
    add_node_commands(app, commands);
    add_wait_command(app, commands);
    add_predict_command(app, commands);
    add_exit_commands(app, commands);
    add_verify_command(app, commands);
    add_log_commands(app, commands);
    add_backup_commands(app, commands);

    if (const auto code = command_line::parse(app, arguments, console.out, console.err)) return *code;
    context.config_given = config->count() > 0;
    constexpr double kMilliseconds = 1000;
    context.patience = patience_s
                           ? std::chrono::milliseconds(static_cast<std::int64_t>(*patience_s * kMilliseconds))
                           : console.patience;
    const auto outcome = carry_out(commands.chosen(), context);
    console.out.flush();
    if (outcome) return static_cast<int>(*outcome);
    console.err << "unlearnctl: " << outcome.error().message << '\n';
    return static_cast<int>(outcome.error().code);
}

}  // namespace unlearn::ctl
