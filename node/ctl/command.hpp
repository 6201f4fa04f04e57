#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <iostream>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "node/command_line/command_line.hpp"
#include "node/ctl/control_client.hpp"
#include "node/ctl/outcome.hpp"

namespace unlearn::ctl {

/// The streams that a command reads and writes. Tests bring their own.
struct Console {
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
    bool interactive = false;  ///< a person at `in` can be asked
    /// How long commands wait for a daemon that is starting, unless an option says otherwise.
    std::chrono::milliseconds patience{0};
};

/// Where a node keeps its files, as its configuration says.
struct Places {
    std::filesystem::path data_dir = "/var/lib/unlearnd";
    std::filesystem::path control_socket = "/run/unlearnd/control.sock";
};

inline constexpr const char* kDefaultConfig = "/etc/unlearnd/node.toml";

/// Reads the two keys of a configuration that say where a node keeps its files, and ignores everything else:
/// unlearnctl must reach a node whose configuration was broken while it runs. A missing file gives the
/// defaults, unless it is `required`.
[[nodiscard]] Outcome<Places> read_places(const std::filesystem::path& config, bool required);

/// The values of the options that every command has.
struct Context {
    Console& console;
    bool json = false;
    std::filesystem::path config = kDefaultConfig;
    bool config_given = false;
    std::filesystem::path socket_given = {};
    std::chrono::milliseconds patience{0};  ///< how long to wait for a daemon that is starting

    [[nodiscard]] Outcome<Places> places() const { return read_places(config, config_given); }
    /// Returns a client of the daemon at `--socket`, or at the socket that the configuration names.
    [[nodiscard]] Outcome<ControlClient> daemon() const;
    /// Prints the value as JSON, for `--json`.
    void show(const nlohmann::json& value) const;
    /// Asks the question and succeeds when the user types `word`. Without a terminal it is an error to ask.
    [[nodiscard]] Outcome<void> confirm(const std::string& question, const std::string& word) const;
};

/// Runs one command of unlearnctl.
using Command = std::function<Outcome<ExitCode>(const Context&)>;

/// Keeps the command of the subcommand that the user names.
class Commands {
  public:
    void on(CLI::App* subcommand, Command command) {
        // CLI11 runs the callback of `peers add` before that of `peers`.
        subcommand->callback([this, command = std::move(command)] {
            if (!chosen_) chosen_ = command;
        });
    }
    [[nodiscard]] const Command& chosen() const { return chosen_; }

  private:
    Command chosen_;
};

/// Adds `init`. Each group of commands is in a file of its own.
void add_init_commands(CLI::App& app, Commands& commands);
/// Adds `network` and its subcommands, and `network-key`.
void add_network_commands(CLI::App& app, Commands& commands);
/// Adds `id`, `status`, `peers` and `publish`.
void add_node_commands(CLI::App& app, Commands& commands);
/// Adds `wait`.
void add_wait_command(CLI::App& app, Commands& commands);
/// Adds `predict`.
void add_predict_command(CLI::App& app, Commands& commands);
/// Adds `exit` and `certificate`.
void add_exit_commands(CLI::App& app, Commands& commands);
/// Adds `verify`.
void add_verify_command(CLI::App& app, Commands& commands);
/// Adds `log` and `watch`.
void add_log_commands(CLI::App& app, Commands& commands);
/// Adds `backup`, `restore` and `claim`.
void add_backup_commands(CLI::App& app, Commands& commands);

/// Runs unlearnctl inside the calling process. @return the exit code.
[[nodiscard]] int run(const std::vector<std::string>& arguments, Console& console);

}  // namespace unlearn::ctl
