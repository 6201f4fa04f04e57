#include "node/daemon/node_json.hpp"

#include "node/runtime/certificate.hpp"
#include "node/runtime/network_statements_file.hpp"
#include "protocol/records.hpp"

namespace unlearn::daemon {
namespace {

using namespace unlearn::protocol;
using nlohmann::json;

json time_json(WallTime time) {
    const auto seconds = time.time_since_epoch().count();
    return seconds > 0 ? json(seconds) : json();
}

json text_or_null(const std::optional<std::string>& text) {
    return text ? json(*text) : json();
}

json model_json(const NodeService& service) {
    const auto& config = service.config();
    json out{{"main", config.model.main_name()}, {"seed", config.model.seed.text()}};
    if (const auto model = service.model()) {
        out["training_images"] = model->training_examples;
        out["accuracy_validation"] = model->validation_accuracy;
        out["rho"] = model->rho;
    }
    out["training"] = service.is_training();
    out["problem"] = text_or_null(service.training_problem());
    return out;
}

/// Describes what the rows of a prediction must look like.
json data_json(const NodeService& service) {
    const auto& data = service.config().data;
    const bool is_table = data.kind == config::DataKind::csv;
    return {{"kind", is_table ? "csv" : "idx"},
            {"label", is_table ? json(data.label) : json()},
            {"columns", service.columns().empty() ? json() : json(service.columns())}};
}

json seeds_json(const Engine& engine) {
    json out = json::array();
    for (const auto& seed : engine.held_seeds())
        out.push_back({{"owner", seed.owner.text()},
                       {"version", static_cast<std::uint64_t>(seed.version)},
                       {"architecture", seed.architecture},
                       {"bytes", seed.bytes},
                       {"state", name_of(seed.state)},
                       {"detail", seed.detail},
                       {"lease_until", time_json(seed.lease_until)}});
    return out;
}

json storage_json(const runtime::Node& node) {
    const auto counters = node.storage_counters();
    const auto failure = node.storage_failure();
    return {{"batches", counters.batches},
            {"failures", counters.failures},
            {"waiting", counters.waiting},
            {"p99_us", counters.latency_at(0.99).count()},
            {"problem", failure ? json(failure->text()) : json()}};
}

}  // namespace

json status_json(const NodeService& service, std::chrono::seconds uptime) {
    const auto& engine = service.node().engine();
    json own_seed;
    if (const auto seed = engine.own_seed())
        own_seed = {{"version", static_cast<std::uint64_t>(seed->version)},
                    {"architecture", seed->architecture},
                    {"bytes", seed->bytes},
                    {"lease_until", time_json(seed->lease_until)}};
    std::size_t known = 0;
    std::size_t up = 0;
    json problems = json::array();
    json without_seeds = json::array();
    for (const auto& peer : engine.peers()) {
        if (const auto problem = service.problem_with(peer.id))
            problems.push_back({{"id", peer.id.text()}, {"problem", *problem}});
        if (!peer.no_seeds.empty())
            without_seeds.push_back({{"id", peer.id.text()}, {"reason", peer.no_seeds}});
        known += peer.state == PeerState::former || peer.state == PeerState::left ? 0U : 1U;
        up += peer.state == PeerState::up || peer.state == PeerState::suspect ? 1U : 0U;
    }
    return {{"id", engine.id().text()},
            {"short_id", engine.id().short_text()},
            {"network", to_hex(service.network().view())},
            {"expelled", engine.is_expelled(engine.id())},
            {"network_key_undecided", engine.is_network_key_undecided()},
            {"state", name_of(service.state())},
            {"uptime_s", uptime.count()},
            {"listen", text_or_null(service.node().endpoint())},
            {"data", data_json(service)},
            {"model", model_json(service)},
            {"own_seed", own_seed},
            {"seeds", seeds_json(engine)},
            {"peers",
             {{"up", up},
              {"known", known},
              {"problems", std::move(problems)},
              {"without_seeds", std::move(without_seeds)}}},
            {"exits_known", engine.tombstones().size()},
            {"exit", exit_json(engine.own_exit(), service.network())},
            {"storage", storage_json(service.node())}};
}

json peers_json(const NodeService& service) {
    json out = json::array();
    for (const auto& peer : service.node().engine().peers())
        out.push_back(
            {{"id", peer.id.text()},
             {"address", peer.endpoint ? json(PeerAddress{peer.id, *peer.endpoint}.text()) : json()},
             {"state", name_of(peer.state)},
             {"source", name_of(peer.source)},
             {"no_seeds", peer.no_seeds.empty() ? json() : json(peer.no_seeds)},
             {"membership_until", peer.membership_until ? time_json(*peer.membership_until) : json()},
             {"problem", text_or_null(service.problem_with(peer.id))}});
    return out;
}

json network_json(const NodeService& service) {
    const auto status = service.node().engine().network_key();
    const auto text = [](const std::optional<NodeId>& key) { return key ? json(key->text()) : json(); };
    json chain = json::array();
    for (const NodeId& key : status.chain)
        chain.push_back(key.text());
    json statements = json::array();
    const auto add = [&](runtime::NetworkFileKind kind, const std::vector<SignedBytes>& all) {
        for (const auto& statement : all)
            statements.push_back(runtime::describe({kind, statement}));
    };
    add(runtime::NetworkFileKind::succession, status.successions);
    add(runtime::NetworkFileKind::revocation, status.revocations);
    json membership;
    if (status.membership)
        membership = runtime::describe({runtime::NetworkFileKind::membership, *status.membership});
    return {{"network", to_hex(service.network().view())},
            {"key", text(status.current)},
            {"keys", std::move(chain)},
            {"undecided", !status.chain.empty() && !status.current},
            {"followed", text(status.followed)},
            {"membership", std::move(membership)},
            {"expelled", service.node().engine().is_expelled(service.node().engine().id())},
            {"statements", std::move(statements)}};
}

json exit_json(const ExitProgress& exit, const NetworkId& network) {
    std::map<runtime::HolderStatus, std::size_t> count;
    json holders = json::array();
    for (const auto& [holder, recipient] : exit.recipients) {
        const auto status = runtime::status_of(exit, holder, network);
        ++count[status];
        holders.push_back({{"node", holder.text()},
                           {"status", runtime::name_of(status)},
                           {"served_version", static_cast<std::uint64_t>(recipient.version)},
                           {"last_lease_until", time_json(recipient.lease_until)}});
    }
    return {{"begun", exit.begun},
            {"announced", exit.announced},
            {"complete", exit.complete},
            {"given_up", exit.given_up},
            {"own_exit_met", exit.met},
            {"list_signed", exit.list.has_value()},
            {"erased", count[runtime::HolderStatus::erased]},
            {"left", count[runtime::HolderStatus::left]},
            {"doubtful", count[runtime::HolderStatus::doubtful]},
            {"missing", count[runtime::HolderStatus::missing]},
            {"holders", std::move(holders)}};
}

json event_json(const Event& event) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const bool has_subject = event.subject != NodeId{};
    return {{"at", std::chrono::duration<double>(now).count()},
            {"kind", name_of(event.kind)},
            {"subject", has_subject ? json(event.subject.text()) : json()},
            {"version", static_cast<std::uint64_t>(event.version)},
            {"detail", event.detail}};
}

json log_entry_json(const storage::LogEntry& entry) {
    return {{"seq", entry.seq},
            {"at", time_json(entry.at)},
            {"kind", entry.kind},
            {"subject", entry.subject ? json(entry.subject->text()) : json()},
            {"version", entry.version},
            {"previous", to_hex(entry.previous.view())},
            {"hash", to_hex(entry.hash.view())}};
}

json prediction_json(const PredictionAnswer& answer, const std::vector<std::string>& class_names) {
    json probabilities = json::array();
    const auto classes = static_cast<std::ptrdiff_t>(class_names.size());
    for (auto row = answer.probabilities.begin(); row != answer.probabilities.end(); row += classes)
        probabilities.push_back(std::vector<float>(row, row + classes));
    json participants = json::array();
    for (const auto& participant : answer.participants) {
        const auto owner = NodeId::from_bytes(participant.id);
        participants.push_back(
            {{"owner", owner ? owner->text() : to_hex(participant.id)}, {"version", participant.version}});
    }
    return {{"labels", answer.labels},
            {"class_names", class_names},
            {"probabilities", std::move(probabilities)},
            {"participants", std::move(participants)},
            {"rho", answer.rho}};
}

}  // namespace unlearn::daemon
