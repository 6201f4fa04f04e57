#include <algorithm>
#include <fstream>
#include <memory>

#include "node/ctl/command.hpp"
#include "node/ctl/key_file_id.hpp"
#include "node/ctl/table.hpp"
#include "protocol/identity.hpp"

// The commands about a node and its peers: id, status, peers, publish.
namespace unlearn::ctl {
namespace {

using nlohmann::json;

Outcome<ExitCode> id(const Context& context) {
    const auto daemon = context.daemon();
    if (!daemon) return tl::unexpected(daemon.error());
    // Without a daemon, the id comes from the key file, unless a socket was given.
    const bool has_file = context.socket_given.empty();
    const auto status = (has_file ? daemon->without_patience() : *daemon).get("/v1/status");
    json shown;
    if (status) {
        shown = {{"id", field(*status, "id")}, {"network", field(*status, "network")}};
    } else {
        const bool is_away = status.error().code == ExitCode::unreachable || status.error().is_starting;
        if (!is_away || !has_file) return tl::unexpected(status.error());
        const auto places = context.places();
        if (!places) return tl::unexpected(places.error());
        const auto own = id_in_key_file(places->data_dir / "identity");
        if (!own) return tl::unexpected(own.error());
        shown = {{"id", own->text()}};
    }
    shown["short_id"] = short_id(shown["id"].get<std::string>());
    if (context.json)
        context.show(shown);
    else
        context.console.out << shown["id"].get<std::string>() << '\n';
    return ExitCode::ok;
}

void print_model(const json& model, Facts& facts) {
    if (!model.is_object()) return;
    const auto problem = field(model, "problem");
    const bool is_training = model.value("training", json()) == true;
    const std::string name = field(model, "main");
    if (model.value("training_images", json()).is_null()) {
        facts.add("main model", is_training      ? name + ", being trained"
                                : problem == "-" ? name + ", not trained yet"
                                                 : "none, and no predictions: " + problem);
        return;
    }
    facts.add("main model", name + ", trained on " + field(model, "training_images") +
                                " examples, accuracy " + field(model, "accuracy_validation") +
                                " on validation data");
    if (is_training)
        facts.add("training", "a newer model is being trained");
    else if (problem != "-")
        facts.add("training", "failed, and this model stays in use: " + problem);
    facts.add("weight of peers", field(model, "rho") + " (rho)");
}

void print_own_seed(const json& status, Facts& facts) {
    const auto seed = status.find("own_seed");
    if (seed == status.end() || !seed->is_object()) {
        facts.add("own seed", "none published yet");
        return;
    }
    facts.add("own seed",
              "version " + field(*seed, "version") + ", lease until " + time_field(*seed, "lease_until"));
}

void print_exit(const json& status, Facts& facts) {
    const auto exit = status.find("exit");
    if (exit == status.end() || !exit->is_object() || !exit->value("begun", false)) return;
    std::string text = exit->value("complete", false)   ? "complete"
                       : exit->value("given_up", false) ? "given up"
                                                        : "waiting for receipts";
    facts.add("exit",
              text + ": " + field(*exit, "erased") + " erased, " + field(*exit, "left") + " left, " +
                  field(*exit, "missing") + " missing" +
                  (exit->value("doubtful", 0) > 0 ? ", " + field(*exit, "doubtful") + " doubtful" : ""));
}

void print_seeds(const json& status, std::ostream& out) {
    const auto seeds = status.find("seeds");
    if (seeds == status.end() || !seeds->is_array() || seeds->empty()) return;
    Table table({{"SEED OF"}, {"VERSION", Align::right}, {"MODEL"}, {"STATE"}, {"LEASE UNTIL"}, {"DETAIL"}});
    for (const auto& seed : *seeds)
        table.add({short_id(field(seed, "owner")), field(seed, "version"), field(seed, "architecture"),
                   field(seed, "state"), time_field(seed, "lease_until"), field(seed, "detail")});
    out << '\n';
    table.print(out);
}

/// Names the peers with which no seeds are exchanged, and why.
void print_without_seeds(const json& peers, std::ostream& out) {
    const auto without = peers.value("without_seeds", json::array());
    if (without.empty()) return;
    Table table({{"NO SEEDS WITH"}, {"REASON"}});
    for (const auto& peer : without)
        table.add({short_id(field(peer, "id")), field(peer, "reason")});
    out << '\n';
    table.print(out);
}

Outcome<ExitCode> status(const Context& context) {
    const auto daemon = context.daemon();
    if (!daemon) return tl::unexpected(daemon.error());
    const auto status = daemon->get("/v1/status");
    if (!status) return tl::unexpected(status.error());
    if (context.json) {
        context.show(*status);
        return ExitCode::ok;
    }
    Facts facts;
    facts.add("id", field(*status, "id"));
    facts.add("network", field(*status, "network"));
    const auto uptime = status->value("uptime_s", json());
    facts.add("state", field(*status, "state") +
                           (uptime.is_number() ? ", up for " + format_duration(uptime.get<std::int64_t>())
                                               : std::string()));
    if (status->value("expelled", json()) == true)
        facts.add("expelled",
                  "by the network's key: it gets no seeds, and may still leave (unlearnctl exit)");
    if (status->value("network_key_undecided", json()) == true)
        facts.add("network key", "undecided: no key counts (see: unlearnctl network show)");
    facts.add("listens on", field(*status, "listen"));
    print_model(status->value("model", json()), facts);
    print_own_seed(*status, facts);
    const auto peers = status->value("peers", json::object());
    facts.add("peers", field(peers, "up") + " up of " + field(peers, "known") + " known");
    facts.add("exits known", field(*status, "exits_known"));
    print_exit(*status, facts);
    if (const auto problem = field(status->value("storage", json::object()), "problem"); problem != "-")
        facts.add("storage", "failing, will be retried: " + problem);
    facts.print(context.console.out);
    print_seeds(*status, context.console.out);
    print_without_seeds(peers, context.console.out);
    return ExitCode::ok;
}

Outcome<json> known_peers(const ControlClient& daemon) {
    auto peers = daemon.get("/v1/peers");
    if (peers && !peers->is_array())
        return fail_with(ExitCode::failed, daemon.socket().string() + ": /v1/peers did not give a list");
    return peers;
}

Outcome<ExitCode> list_peers(const Context& context) {
    const auto daemon = context.daemon();
    if (!daemon) return tl::unexpected(daemon.error());
    const auto peers = known_peers(*daemon);
    if (!peers) return tl::unexpected(peers.error());
    if (context.json) {
        context.show(*peers);
        return ExitCode::ok;
    }
    Table table({{"PEER"}, {"STATE"}, {"SOURCE"}, {"ADDRESS"}, {"PROBLEM"}, {"NO SEEDS"}});
    for (const auto& peer : *peers)
        table.add({short_id(field(peer, "id")), field(peer, "state"), field(peer, "source"),
                   field(peer, "address"), field(peer, "problem"), field(peer, "no_seeds")});
    if (table.empty())
        context.console.out << "no peers; add one with: unlearnctl peers add ID@tcp://HOST:PORT\n";
    else
        table.print(context.console.out);
    return ExitCode::ok;
}

/// Reads `NODE-ID@tcp://host:port`, or the id alone of a peer that dials us. It is checked here, so that a
/// typing error does not reach the daemon.
Outcome<json> peer_to_add(const std::string& text) {
    if (text.find('@') == std::string::npos) {
        const auto id = protocol::NodeId::from_text(text);
        if (!id) return fail_with(ExitCode::bad_input, text + ": " + id.error().detail);
        return json{{"id", text}};
    }
    const auto address = protocol::PeerAddress::from_text(text);
    if (!address) return fail_with(ExitCode::bad_input, text + ": " + address.error().detail);
    return json{{"address", text}};
}

Outcome<ExitCode> add_peer(const Context& context, const std::string& text) {
    const auto body = peer_to_add(text);
    if (!body) return tl::unexpected(body.error());
    const auto daemon = context.daemon();
    if (!daemon) return tl::unexpected(daemon.error());
    const auto answer = daemon->post("/v1/peers", *body);
    if (!answer) return tl::unexpected(answer.error());
    if (context.json)
        context.show(*answer);
    else
        context.console.out << "added " << short_id(text)
                            << "; it must allow this node too (see: unlearnctl id)\n";
    return ExitCode::ok;
}

/// Returns the one known peer whose id starts with `prefix`.
Outcome<std::string> find_peer(const ControlClient& daemon, const std::string& prefix) {
    if (prefix.empty()) return fail_with(ExitCode::bad_input, "an empty id names no peer");
    if (protocol::NodeId::from_text(prefix)) return prefix;
    const auto peers = known_peers(daemon);
    if (!peers) return tl::unexpected(peers.error());
    std::vector<std::string> found;
    for (const auto& peer : *peers)
        if (const auto id = field(peer, "id"); id.starts_with(prefix)) found.push_back(id);
    if (found.empty()) return fail_with(ExitCode::bad_input, "no peer's id starts with " + prefix);
    if (found.size() > 1)
        return fail_with(ExitCode::bad_input,
                         std::to_string(found.size()) + " peers' ids start with " + prefix);
    return found.front();
}

Outcome<ExitCode> remove_peer(const Context& context, const std::string& prefix) {
    const auto daemon = context.daemon();
    if (!daemon) return tl::unexpected(daemon.error());
    const auto peer = find_peer(*daemon, prefix);
    if (!peer) return tl::unexpected(peer.error());
    const auto answer = daemon->remove("/v1/peers/" + *peer);
    if (!answer) return tl::unexpected(answer.error());
    if (context.json)
        context.show(json{{"removed", *peer}});
    else
        context.console.out << "removed " << short_id(*peer) << "; its seed is being erased here\n";
    return ExitCode::ok;
}

Outcome<ExitCode> publish(const Context& context, bool wait) {
    constexpr std::chrono::hours kLongestTraining{24};
    const auto daemon = context.daemon();
    if (!daemon) return tl::unexpected(daemon.error());
    const auto answer = daemon->post(wait ? "/v1/publish?wait=1" : "/v1/publish", json::object(),
                                     wait ? kLongestTraining : ControlClient::kTimeout);
    if (!answer) return tl::unexpected(answer.error());
    if (context.json)
        context.show(*answer);
    else if (wait)
        context.console.out << "published a new seed\n";
    else
        context.console.out << "training begins; the new seed will follow version "
                            << field(*answer, "version_after") << '\n';
    return ExitCode::ok;
}

}  // namespace

void add_node_commands(CLI::App& app, Commands& commands) {
    commands.on(app.add_subcommand("id", "Print this node's id; works without the daemon too"), id);
    commands.on(app.add_subcommand("status", "What the node is doing, and the seeds that it holds"), status);

    auto* peers = app.add_subcommand("peers", "List, add and remove peers");
    peers->require_subcommand(0, 1);
    auto* list = peers->add_subcommand("list", "List the peers (the default)");
    auto* add = peers->add_subcommand("add", "Exchange seeds with one more peer");
    auto* remove = peers->add_subcommand("remove", "Exchange nothing with a peer any more; erases its seed");
    auto address = std::make_shared<std::string>();
    auto prefix = std::make_shared<std::string>();
    add->add_option("ADDRESS", *address, "ID@tcp://HOST:PORT, or the ID of a peer that dials us")->required();
    remove->add_option("ID", *prefix, "the peer's id, or a unique beginning of it")->required();
    commands.on(peers, list_peers);
    commands.on(list, list_peers);
    commands.on(add, [address](const Context& context) { return add_peer(context, *address); });
    commands.on(remove, [prefix](const Context& context) { return remove_peer(context, *prefix); });

    auto* publish_command = app.add_subcommand("publish", "Train, distil and publish a new seed now");
    auto wait = std::make_shared<bool>(false);
    publish_command->add_flag("--wait", *wait, "return when it is published");
    commands.on(publish_command, [wait](const Context& context) { return publish(context, *wait); });
}

}  // namespace unlearn::ctl
