#include "node/command_line/command_line.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>

#include "node/command_line/nearest.hpp"

namespace unlearn::command_line {
namespace {

/// Returns the command that was named and those around it, the innermost first.
std::vector<const CLI::App*> named_commands(const CLI::App& app) {
    std::vector<const CLI::App*> commands{&app};
    while (true) {
        const auto inner = commands.front()->get_subcommands();
        if (inner.empty()) return commands;
        commands.insert(commands.begin(), inner.front());
    }
}

/// Returns for example "unlearnctl peers add".
std::string full_name(const std::vector<const CLI::App*>& commands) {
    std::string name;
    for (auto command = commands.rbegin(); command != commands.rend(); ++command)
        name += (name.empty() ? "" : " ") + (*command)->get_name();
    return name;
}

std::vector<std::string> option_names(const std::vector<const CLI::App*>& commands) {
    std::vector<std::string> names;
    for (const auto* command : commands)
        for (const auto* option : command->get_options())
            for (const auto& name : option->get_lnames())
                names.push_back("--" + name);
    return names;
}

std::vector<std::string> command_names(const CLI::App& command) {
    std::vector<std::string> names;
    for (const auto* inner : command.get_subcommands([](const CLI::App*) { return true; }))
        if (!inner->get_group().empty()) names.push_back(inner->get_name());
    return names;
}

std::string hint(const std::string& word, const std::vector<std::string>& names) {
    const std::vector<std::string_view> candidates(names.begin(), names.end());
    const auto meant = nearest(word, candidates);
    return meant ? "; did you mean " + std::string(*meant) + "?" : std::string();
}

std::string mistake(const CLI::App& app, const CLI::ParseError& error) {
    const auto commands = named_commands(app);
    const auto unknown = app.remaining(true);
    // A mistyped option may be why another one is missing, so it is named first.
    const auto option =
        std::find_if(unknown.begin(), unknown.end(), [](const auto& word) { return word.starts_with('-'); });
    if (option != unknown.end()) {
        const auto word = option->substr(0, option->find('='));
        return word + ": no such option" + hint(word, option_names(commands));
    }
    if (unknown.empty()) return error.what();
    const auto& word = unknown.front();
    const auto names = command_names(*commands.front());
    if (names.empty()) return word + ": not expected here";
    return word + ": no such command" + hint(word, names);
}

/// CLI11 reads "-1" as the largest whole number and cuts off larger ones, so whole numbers are checked here.
std::string problem_of_whole_number(const std::string& text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc{} && end == text.data() + text.size()) return {};
    return text + " is not a whole number (0 or more), or is too large";
}

void check_whole_numbers(CLI::App& app) {
    for (auto* option : app.get_options())
        if (option->get_type_name().starts_with("UINT"))
            option->check(CLI::Validator(problem_of_whole_number, ""));
    for (auto* command : app.get_subcommands([](const CLI::App*) { return true; }))
        check_whole_numbers(*command);
}

}  // namespace

std::optional<int> parse(CLI::App& app, std::vector<std::string> arguments, std::ostream& out,
                         std::ostream& err) {
    std::reverse(arguments.begin(), arguments.end());
    check_whole_numbers(app);
    try {
        app.parse(std::move(arguments));
        return std::nullopt;
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success))
            return app.exit(error, out, err);
        err << app.get_name() << ": " << mistake(app, error) << " (see " << full_name(named_commands(app))
            << " --help)\n";
        return kBadUsage;
    }
}

}  // namespace unlearn::command_line
