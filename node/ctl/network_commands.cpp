#include <chrono>
#include <memory>
#include <set>

#include "node/config/binding.hpp"
#include "node/ctl/acting_as.hpp"
#include "node/ctl/command.hpp"
#include "node/ctl/json_file.hpp"
#include "node/ctl/network_ledger.hpp"
#include "node/ctl/node_files.hpp"
#include "node/ctl/table.hpp"
#include "node/storage/identity_file.hpp"
#include "protocol/network_statements.hpp"

// The commands about a network with a key: network key, issue, expel, succeed, submit, follow, list, show.
namespace unlearn::ctl {
namespace {

using namespace unlearn::protocol;
using nlohmann::json;
using runtime::NetworkFile;
using runtime::NetworkFileKind;
using runtime::NetworkFileStatement;

constexpr std::int64_t kMostDays = 36'500;
/// Clocks differ a little, and a new membership should count at once.
constexpr std::chrono::minutes kClockError{10};

struct NetworkOptions {
    std::string key;
    std::string network;
    std::string member;
    std::string next_key;
    std::string file;
    std::string out;
    std::int64_t days = 365;
    std::int64_t memberships_days = 30;
    bool yes = false;
};

WallTime wall_now() {
    return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

Outcome<NodeId> id_in(const std::string& text) {
    const auto id = NodeId::from_text(text);
    if (!id) return fail_with(ExitCode::bad_input, text + ": " + id.error().detail);
    return *id;
}

/// Finds out which network to sign for: the one of the option, of the ledger, or of the node here.
Outcome<void> choose_network(const Context& context, const NetworkOptions& options, NetworkLedger& ledger) {
    if (!options.network.empty()) {
        const auto bytes = from_hex(options.network);
        const auto network =
            bytes ? NetworkId::from(*bytes) : Result<NetworkId>(tl::unexpected(bytes.error()));
        if (!network)
            return fail_with(ExitCode::bad_input,
                             "--network: is not the id of a network (see: unlearnctl status)");
        return ledger.use_network(*network);
    }
    if (ledger.network()) return {};
    const auto places = context.places();
    if (!places) return tl::unexpected(places.error());
    const ActingAs owner(places->data_dir);
    const auto binding = config::load_binding(places->data_dir / "binding.json");
    if (!binding)
        return fail_with(
            ExitCode::bad_input,
            "which network is meant is not known here; pass --network ID (see: unlearnctl status)");
    return ledger.use_network(binding->network);
}

Outcome<json> send_to_daemon(const Context& context, const json& file) {
    const auto daemon = context.daemon();
    if (!daemon) return tl::unexpected(daemon.error());
    return daemon->post("/v1/network/statements", file);
}

void print_statements(const json& statements, std::ostream& out) {
    Table table({{"KIND"}, {"ABOUT"}, {"NUMBER", Align::right}, {"UNTIL"}, {"SIGNED BY"}});
    for (const auto& statement : statements) {
        const bool is_succession = field(statement, "kind") == "succession";
        table.add({field(statement, "kind"), field(statement, is_succession ? "next" : "member"),
                   field(statement, "number"),
                   time_field(statement, is_succession ? "memberships_until" : "not_after"),
                   short_id(field(statement, "signed_by"))});
    }
    if (table.empty())
        out << "nothing\n";
    else
        table.print(out);
}

/// Hands the statements to the node here, or writes them into a file for another machine.
Outcome<ExitCode> hand_out(const Context& context, const NetworkOptions& options, const NetworkFile& file) {
    const json content = runtime::make_network_file(file);
    if (options.out.empty()) {
        const auto answer = send_to_daemon(context, content);
        if (!answer) return tl::unexpected(answer.error());
    } else if (auto made = create_file(options.out, content.dump(2) + "\n", 0644); !made) {
        return tl::unexpected(made.error());
    }
    json said = json::array();
    for (const auto& statement : file.statements)
        said.push_back(runtime::describe(statement));
    if (context.json) {
        context.show({{"statements", said}, {"file", options.out.empty() ? json() : json(options.out)}});
        return ExitCode::ok;
    }
    print_statements(said, context.console.out);
    context.console.out << (options.out.empty()
                                ? std::string("\nthe node here has it, and passes it on\n")
                                : "\nwritten to " + options.out + "; at a node: unlearnctl network submit " +
                                      options.out + "\n");
    return ExitCode::ok;
}

/// Opens the ledger of a key that still counts, and finds out which network to sign for.
Outcome<NetworkLedger> open_to_sign(const Context& context, const NetworkOptions& options) {
    auto ledger = NetworkLedger::open(options.key);
    if (!ledger) return ledger;
    if (const auto next = ledger->next_key())
        return fail_with(ExitCode::bad_input,
                         options.key + ": was replaced, as its ledger says; sign with " + next->text());
    if (auto chosen = choose_network(context, options, *ledger); !chosen)
        return tl::unexpected(chosen.error());
    return ledger;
}

Outcome<ExitCode> issue(const Context& context, const NetworkOptions& options) {
    const auto member = id_in(options.member);
    if (!member) return tl::unexpected(member.error());
    auto ledger = open_to_sign(context, options);
    if (!ledger) return tl::unexpected(ledger.error());
    if (ledger->expelled().contains(*member))
        return fail_with(ExitCode::bad_input, options.member + ": is expelled for ever, as the ledger says");
    const WallTime now = wall_now();
    const TermMembership membership{ledger->key().id(), *member, ledger->next_number(now), now - kClockError,
                                    now + std::chrono::hours(24) * options.days};
    const NetworkFileStatement statement{NetworkFileKind::membership,
                                         sign_term_membership(ledger->key(), *ledger->network(), membership)};
    ledger->add(statement);
    if (auto saved = ledger->save(); !saved) return tl::unexpected(saved.error());
    return hand_out(context, options, {*ledger->network(), {statement}});
}

Outcome<ExitCode> expel(const Context& context, const NetworkOptions& options) {
    const auto member = id_in(options.member);
    if (!member) return tl::unexpected(member.error());
    auto ledger = open_to_sign(context, options);
    if (!ledger) return tl::unexpected(ledger.error());
    if (!options.yes)
        if (auto sure = context.confirm("Node " + member->text() +
                                            " will be expelled for ever: every member drops and erases its "
                                            "seed, and it gets no more seeds. It may still leave.",
                                        short_id(member->text()));
            !sure)
            return tl::unexpected(sure.error());
    const WallTime now = wall_now();
    const NetworkFileStatement statement{
        NetworkFileKind::revocation,
        sign_revocation(ledger->key(), *ledger->network(),
                        {ledger->key().id(), *member, ledger->next_number(now), now})};
    ledger->add(statement);
    if (auto saved = ledger->save(); !saved) return tl::unexpected(saved.error());
    return hand_out(context, options, {*ledger->network(), {statement}});
}

/// Signs every revocation of the old key again with the next one. A node that was away until now does not
/// take what the old key signed.
Outcome<void> sign_revocations_again(const NetworkLedger& old, NetworkLedger& next) {
    std::set<NodeId> expelled = next.expelled();
    for (const auto& statement : old.statements()) {
        if (statement.kind != NetworkFileKind::revocation) continue;
        const auto revocation = read_revocation(statement.statement);
        if (!revocation) return fail_with(ExitCode::bad_input, revocation.error().text());
        if (!expelled.insert(revocation->member).second) continue;
        const WallTime now = wall_now();
        next.add({NetworkFileKind::revocation,
                  sign_revocation(next.key(), *next.network(),
                                  {next.key().id(), revocation->member, next.next_number(now), now})});
    }
    return {};
}

Outcome<ExitCode> succeed(const Context& context, const NetworkOptions& options) {
    auto old = NetworkLedger::open(options.key);
    if (!old) return tl::unexpected(old.error());
    // Looked at before it is opened, because nobody else may open the old one now.
    const auto next_key = storage::load_identity(options.next_key);
    if (next_key && next_key->id() == old->key().id())
        return fail_with(ExitCode::bad_input, options.next_key + ": is the same key");
    auto next = NetworkLedger::open(options.next_key);
    if (!next) return tl::unexpected(next.error());
    if (auto chosen = choose_network(context, options, *old); !chosen) return tl::unexpected(chosen.error());
    if (auto same = next->use_network(*old->network()); !same) return tl::unexpected(same.error());
    const auto named = old->next_key();
    if (named && *named != next->key().id())
        return fail_with(ExitCode::bad_input,
                         options.key + ": has named " + named->text() +
                             " as the next key, as its ledger says; of two next keys none "
                             "would count");
    if (!options.yes)
        if (auto sure = context.confirm("The network's key will be " + next->key().id().text() +
                                            " from now on, and nothing that " + old->key().id().text() +
                                            " signs later counts.",
                                        short_id(next->key().id().text()));
            !sure)
            return tl::unexpected(sure.error());
    const auto known = old->succession();
    if (known) {
        if (!next->is_successor()) next->add(*known);
    } else {
        const WallTime now = wall_now();
        const Succession succession{old->key().id(), next->key().id(), old->next_number(now), now,
                                    now + std::chrono::hours(24) * options.memberships_days};
        const NetworkFileStatement statement{NetworkFileKind::succession,
                                             sign_succession(old->key(), *old->network(), succession)};
        old->add(statement);
        next->add(statement);
    }
    if (const auto again = sign_revocations_again(*old, *next); !again) return tl::unexpected(again.error());
    // Whoever repeats the command, because the node could not be reached for example, gets the same again.
    NetworkFile file{*old->network(), next->statements()};
    std::erase_if(file.statements, [](const NetworkFileStatement& statement) {
        return statement.kind == NetworkFileKind::membership;
    });
    for (const auto* ledger : {&*old, &*next})
        if (auto saved = ledger->save(); !saved) return tl::unexpected(saved.error());
    return hand_out(context, options, file);
}

Outcome<ExitCode> submit(const Context& context, const NetworkOptions& options) {
    const auto content = read_json_file(options.file);
    if (!content) return tl::unexpected(content.error());
    const auto file = runtime::read_network_file(*content);
    if (!file) {
        const bool forged = file.error().code == ErrorCode::bad_signature;
        return fail_with(forged ? ExitCode::not_verified : ExitCode::bad_input,
                         options.file + ": " + file.error().text());
    }
    if (file->statements.empty())
        return fail_with(ExitCode::bad_input, options.file + ": holds no statement");
    const auto answer = send_to_daemon(context, *content);
    if (!answer) return tl::unexpected(answer.error());
    if (context.json)
        context.show(*answer);
    else
        print_statements(answer->value("taken", json::array()), context.console.out);
    return ExitCode::ok;
}

Outcome<ExitCode> list(const Context& context, const NetworkOptions& options) {
    const auto ledger = NetworkLedger::open(options.key);
    if (!ledger) return tl::unexpected(ledger.error());
    json statements = json::array();
    for (const auto& statement : ledger->statements())
        statements.push_back(runtime::describe(statement));
    if (context.json) {
        const auto& network = ledger->network();
        context.show({{"key", ledger->key().id().text()},
                      {"network", network ? json(to_hex(network->view())) : json()},
                      {"statements", statements}});
    } else {
        print_statements(statements, context.console.out);
    }
    return ExitCode::ok;
}

Outcome<ExitCode> show(const Context& context) {
    const auto daemon = context.daemon();
    if (!daemon) return tl::unexpected(daemon.error());
    const auto network = daemon->get("/v1/network");
    if (!network) return tl::unexpected(network.error());
    if (context.json) {
        context.show(*network);
        return ExitCode::ok;
    }
    Facts facts;
    facts.add("network", field(*network, "network"));
    const auto keys = network->value("keys", json::array());
    if (keys.empty()) {
        facts.add("key", "none: this network has a name");
    } else if (network->value("undecided", json()) == true) {
        facts.add("key", "undecided: choose one with unlearnctl network follow KEY");
    } else {
        facts.add("key", field(*network, "key"));
        facts.add("keys before it", std::to_string(keys.size() - 1));
    }
    if (const auto followed = field(*network, "followed"); followed != "-") facts.add("followed", followed);
    const auto membership = network->value("membership", json());
    if (membership.is_object())
        facts.add("own membership", membership.contains("not_after")
                                        ? "until " + time_field(membership, "not_after")
                                        : std::string("without an end"));
    if (network->value("expelled", json()) == true)
        facts.add("this node", "is expelled; it may still leave (unlearnctl exit)");
    facts.print(context.console.out);
    if (!keys.empty()) {
        context.console.out << '\n';
        print_statements(network->value("statements", json::array()), context.console.out);
    }
    return ExitCode::ok;
}

Outcome<ExitCode> follow(const Context& context, const NetworkOptions& options) {
    const auto key = id_in(options.key);
    if (!key) return tl::unexpected(key.error());
    const auto daemon = context.daemon();
    if (!daemon) return tl::unexpected(daemon.error());
    const auto answer = daemon->post("/v1/network/follow", {{"key", key->text()}});
    if (!answer) return tl::unexpected(answer.error());
    if (context.json) {
        context.show(*answer);
    } else if (answer->value("undecided", json()) == true) {
        context.console.out << "chosen; no key counts until a succession that leads to it is known here "
                               "(unlearnctl network submit FILE)\n";
    } else {
        context.console.out << "the network's key is " << field(*answer, "key") << '\n';
    }
    return ExitCode::ok;
}

Outcome<ExitCode> make_key(const Context& context, const std::string& file) {
    const auto key = make_network_key(file);
    if (!key) return tl::unexpected(key.error());
    if (context.json)
        context.show({{"key", key->text()}, {"file", file}});
    else
        context.console.out << key->text() << '\n';
    return ExitCode::ok;
}

using Run = Outcome<ExitCode> (*)(const Context&, const NetworkOptions&);

/// Adds a command that signs with the network's key.
CLI::App* add_signing(CLI::App& group, Commands& commands, const std::string& name, const std::string& help,
                      const std::shared_ptr<NetworkOptions>& options, Run run) {
    auto* command = group.add_subcommand(name, help);
    command->add_option("--key", options->key, "the network's secret key")->required();
    command->add_option("--network", options->network,
                        "the network's id; default: as the ledger of the key, or the node here, says");
    command->add_option("-o,--output", options->out,
                        "write it into this new file; default: hand it to the node here");
    commands.on(command, [options, run](const Context& context) { return run(context, *options); });
    return command;
}

CLI::Validator days() {
    return CLI::Range(std::int64_t{1}, kMostDays);
}

}  // namespace

void add_network_commands(CLI::App& app, Commands& commands) {
    const auto options = std::make_shared<NetworkOptions>();
    // An older name of `network key`.
    auto* older =
        app.add_subcommand("network-key", "Make the key of a fleet's network, like: network key FILE");
    older->add_option("FILE", options->file, "the secret key; keep it away from the devices")->required();
    commands.on(older, [options](const Context& context) { return make_key(context, options->file); });

    auto* network = app.add_subcommand("network", "The key of a fleet's network, and what it signs");
    network->require_subcommand(1);
    auto* key = network->add_subcommand(
        "key", "Make the key of a fleet's network; prints the public key for the configurations");
    key->add_option("FILE", options->file, "the secret key; keep it away from the devices")->required();
    commands.on(key, [options](const Context& context) { return make_key(context, options->file); });

    auto* issuing =
        add_signing(*network, commands, "issue",
                    "Sign a membership with an end, or renew it: the newest one counts", options, issue);
    issuing->alias("renew");
    issuing->add_option("ID", options->member, "the member's id (see: unlearnctl id)")->required();
    issuing->add_option("--days", options->days, "until it ends")->capture_default_str()->check(days());

    auto* expelling =
        add_signing(*network, commands, "expel",
                    "Expel a member for ever: all members drop and erase its seed", options, expel);
    expelling->alias("revoke");
    expelling->add_option("ID", options->member, "the member's id")->required();
    expelling->add_flag("--yes", options->yes, "do not ask");

    auto* succeeding = add_signing(
        *network, commands, "succeed",
        "Replace the network's key: nothing that the old one signs later counts any more", options, succeed);
    succeeding->add_option("NEXT", options->next_key, "the next secret key (see: network key)")->required();
    succeeding
        ->add_option("--memberships-days", options->memberships_days,
                     "until the memberships end that the old key signed")
        ->capture_default_str()
        ->check(days());
    succeeding->add_flag("--yes", options->yes, "do not ask");

    auto* submitting = network->add_subcommand(
        "submit", "Hand a file of statements to the node here: its own membership, expulsions, successions");
    submitting->add_option("FILE", options->file, "made by issue, expel or succeed")->required();
    commands.on(submitting, [options](const Context& context) { return submit(context, *options); });

    auto* following = network->add_subcommand(
        "follow", "Decide which key the network's keys lead to, when the old key named two");
    following->add_option("KEY", options->key, "the public key")->required();
    commands.on(following, [options](const Context& context) { return follow(context, *options); });

    auto* listing = network->add_subcommand("list", "List what a network's key has signed; works offline");
    listing->add_option("--key", options->key, "the network's secret key")->required();
    commands.on(listing, [options](const Context& context) { return list(context, *options); });

    commands.on(network->add_subcommand("show", "What the node here knows of the network's key"),
                [](const Context& context) { return show(context); });
}

}  // namespace unlearn::ctl
