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

/// Where a command reads and writes. Tests bring their own streams.
struct Console {
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
    bool interactive = false;  ///< a person sits at `in` and can be asked
    /// How long commands wait for a daemon that is starting, unless an option says otherwise.
    std::chrono::milliseconds patience{0};
};

/// Where a node keeps its things, as its configuration says.
struct Places {
    std::filesystem::path data_dir = "/var/lib/unlearnd";
    std::filesystem::path control_socket = "/run/unlearnd/control.sock";
};

inline constexpr const char* kDefaultConfig = "/etc/unlearnd/node.toml";

/// Reads the two keys of a configuration that say where things are, whatever else is in it: unlearnctl must
/// reach a node whose configuration was broken while it runs. A missing file gives the defaults, unless it is
/// `required`.
[[nodiscard]] Outcome<Places> read_places(const std::filesystem::path& config, bool required);

/// What the options that every command has say.
struct Context {
    Console& console;
    bool json = false;
    std::filesystem::path config = kDefaultConfig;
    bool config_given = false;
    std::filesystem::path socket_given = {};
    std::chrono::milliseconds patience{0};  ///< with a daemon that is starting

    [[nodiscard]] Outcome<Places> places() const { return read_places(config, config_given); }
    /// The daemon at `--socket`, or at the one that the configuration names.
    [[nodiscard]] Outcome<ControlClient> daemon() const;
    /// For `--json`: the value and nothing else.
    void show(const nlohmann::json& value) const;
    /// True when the person at the terminal types `word`. Without a terminal it is an error to ask.
    [[nodiscard]] Outcome<void> confirm(const std::string& question, const std::string& word) const;
};

using Command = std::function<Outcome<ExitCode>(const Context&)>;

/// Makes `command` what runs when the user names `subcommand`.
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

// One for each group of commands, in the file of the same name.
void add_init_commands(CLI::App& app, Commands& commands);
void add_node_commands(CLI::App& app, Commands& commands);
void add_wait_command(CLI::App& app, Commands& commands);
void add_predict_command(CLI::App& app, Commands& commands);
void add_exit_commands(CLI::App& app, Commands& commands);
void add_verify_command(CLI::App& app, Commands& commands);
void add_log_commands(CLI::App& app, Commands& commands);
void add_backup_commands(CLI::App& app, Commands& commands);

/// unlearnctl without the process around it. @return the exit code.
[[nodiscard]] int run(const std::vector<std::string>& arguments, Console& console);

}  // namespace unlearn::ctl
