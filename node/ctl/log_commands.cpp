#include <algorithm>
#include <deque>
#include <memory>

#include "node/ctl/acting_as.hpp"
#include "node/ctl/command.hpp"
#include "node/ctl/table.hpp"
#include "node/storage/event_log.hpp"

// The commands that show what happened: log, watch.
namespace unlearn::ctl {
namespace {

using nlohmann::json;

constexpr std::size_t kPage = 1000;

/// The newest entries of the log.
struct LastEntries {
    std::deque<json> entries;
    std::uint64_t dropped = 0;  ///< how many older ones the node does not keep any more
};

/// Returns the last `wanted` entries (0: all). They are read from the front in pages, because the log can be
/// read in this order only.
Outcome<LastEntries> last_entries(const ControlClient& daemon, std::size_t wanted) {
    LastEntries read;
    auto& entries = read.entries;
    std::uint64_t after = 0;
    while (true) {
        const auto page =
            daemon.get("/v1/log?after=" + std::to_string(after) + "&limit=" + std::to_string(kPage));
        if (!page) return tl::unexpected(page.error());
        if (!page->is_array())
            return fail_with(ExitCode::failed, daemon.socket().string() + ": /v1/log did not give a list");
        if (after == 0 && !page->empty())
            read.dropped = std::max(page->front().value("seq", std::uint64_t{1}), std::uint64_t{1}) - 1;
        for (const auto& entry : *page) {
            entries.push_back(entry);
            if (wanted != 0 && entries.size() > wanted) entries.pop_front();
        }
        if (page->empty()) return read;
        const auto last = page->back().value("seq", std::uint64_t{0});
        // An older daemon may give fewer entries than asked for. One that does not advance is broken.
        if (last <= after) return fail_with(ExitCode::failed, "the log that unlearnd gave does not advance");
        after = last;
    }
}

Outcome<ExitCode> print_log(const Context& context, const ControlClient& daemon, std::size_t wanted) {
    const auto read = last_entries(daemon, wanted);
    if (!read) return tl::unexpected(read.error());
    if (context.json) {
        context.show(json(read->entries));
        return ExitCode::ok;
    }
    Table table({{"SEQ", Align::right}, {"TIME"}, {"WHAT"}, {"WHO"}, {"VERSION", Align::right}, {"HASH"}});
    for (const auto& entry : read->entries)
        table.add({field(entry, "seq"), time_field(entry, "at"), field(entry, "kind"),
                   short_id(field(entry, "subject")), field(entry, "version"),
                   field(entry, "hash").substr(0, 16)});
    if (table.empty())
        context.console.out << "nothing logged yet\n";
    else
        table.print(context.console.out);
    if (read->dropped > 0)
        context.console.out << "older entries, 1 to " << read->dropped
                            << ", were dropped (log_entries in node.toml)\n";
    return ExitCode::ok;
}

/// Prints the result of the daemon or of `verify_without_daemon`.
ExitCode show_verdict(const Context& context, const json& verdict) {
    const bool intact = verdict.value("ok", false);
    const auto dropped = verdict.value("dropped", std::uint64_t{0});
    std::string detail = field(verdict, "detail");
    if (detail == "-")
        detail = "entry " + field(verdict, "first_bad") + " of " + field(verdict, "entries") +
                 " does not follow from the one before it";
    if (context.json)
        context.show(verdict);
    else if (intact)
        context.console.out << field(verdict, "entries") << " entries, none changed or missing"
                            << (dropped > 0 ? "; " + std::to_string(dropped) + " older ones were dropped"
                                            : "")
                            << '\n';
    else
        context.console.out << "the log was changed: " << detail << '\n';
    return intact ? ExitCode::ok : ExitCode::not_verified;
}

/// Checks the log of a node that is not running. When there is no log, the error is `why` the daemon cannot
/// be asked.
Outcome<ExitCode> verify_without_daemon(const Context& context, const Failure& why) {
    const auto places = context.places();
    if (!places) return tl::unexpected(places.error());
    const auto state = places->data_dir / "state";
    const ActingAs owner(places->data_dir);
    std::error_code error;
    if (!std::filesystem::exists(state / "state.db", error) && !error) return tl::unexpected(why);
    const auto check = storage::verify_log_of(state);
    if (!check)
        return fail_with(why.code, why.message + "; and its log cannot be read: " + check.error().detail);
    return show_verdict(context, {{"entries", check->entries},
                                  {"dropped", check->dropped},
                                  {"ok", !check->first_bad},
                                  {"first_bad", check->first_bad ? json(*check->first_bad) : json()},
                                  {"detail", check->detail}});
}

Outcome<ExitCode> verify_log(const Context& context, const ControlClient& daemon) {
    constexpr std::chrono::minutes kLongLog{10};
    const auto answer = daemon.get("/v1/log/verify", kLongLog);
    if (answer) return show_verdict(context, *answer);
    // The configuration tells where a node's log is; a socket alone does not.
    const bool known = context.socket_given.empty() || context.config_given;
    if (answer.error().code != ExitCode::unreachable || !known) return tl::unexpected(answer.error());
    return verify_without_daemon(context, answer.error());
}

Outcome<ExitCode> log(const Context& context, bool verify, std::size_t wanted) {
    const auto daemon = context.daemon();
    if (!daemon) return tl::unexpected(daemon.error());
    return verify ? verify_log(context, daemon->without_patience()) : print_log(context, *daemon, wanted);
}

std::string describe_event(const json& event) {
    std::string line = time_field(event, "at");
    if (line == "-") line.clear();
    const auto add = [&line](const std::string& text) {
        if (text != "-") line += (line.empty() ? "" : "  ") + text;
    };
    add(field(event, "kind"));
    add(short_id(field(event, "subject")));
    if (const auto version = field(event, "version"); version != "-" && version != "0")
        add("version " + version);
    add(field(event, "detail"));
    return line;
}

Outcome<ExitCode> watch(const Context& context) {
    const auto daemon = context.daemon();
    if (!daemon) return tl::unexpected(daemon.error());
    const auto ended = daemon->stream("/v1/events", [&context](std::string_view line) {
        const auto event = json::parse(line, nullptr, false);
        if (event.is_discarded()) return true;
        if (context.json)
            context.console.out << event.dump() << std::endl;
        else
            context.console.out << describe_event(event) << std::endl;
        return context.console.out.good();
    });
    if (!ended) return tl::unexpected(ended.error());
    return ExitCode::ok;
}

}  // namespace

void add_log_commands(CLI::App& app, Commands& commands) {
    constexpr std::size_t kShown = 50;
    auto* log_command = app.add_subcommand("log", "The erasures and exits that this node stored");
    auto verify = std::make_shared<bool>(false);
    auto wanted = std::make_shared<std::size_t>(kShown);
    log_command->add_flag(
        "--verify", *verify,
        "check the chain of hashes, also when unlearnd is stopped; exit code 4 when it is broken");
    log_command->add_option("-n", *wanted, "number of entries to show, newest last; 0: all")
        ->capture_default_str();
    commands.on(log_command,
                [verify, wanted](const Context& context) { return log(context, *verify, *wanted); });

    commands.on(app.add_subcommand("watch", "Print what happens, as it happens"), watch);
}

}  // namespace unlearn::ctl
