#include "node/daemon/metrics.hpp"

#include <array>
#include <cstdio>
#include <fstream>
#include <map>
#include <string_view>

#include <unistd.h>

#include "protocol/messages.hpp"

namespace unlearn::daemon {
namespace {

using namespace unlearn::protocol;

class MetricsText {
  public:
    void begin(std::string_view name, std::string_view type, std::string_view help) {
        name_ = "unlearnd_" + std::string(name);
        text_ += "# HELP " + name_ + " " + std::string(help) + "\n# TYPE " + name_ + " " + std::string(type) +
                 "\n";
    }
    /// Adds a sample. `labels` look like `state="up"`; their values are ours and need no escaping.
    void sample(double value, std::string_view labels = {}) {
        std::array<char, 32> number{};
        std::snprintf(number.data(), number.size(), "%.17g", value);
        text_ += name_;
        if (!labels.empty()) text_ += "{" + std::string(labels) + "}";
        text_ += " " + std::string(number.data()) + "\n";
    }
    template <typename Number>
    void one(std::string_view name, std::string_view type, std::string_view help, Number value) {
        begin(name, type, help);
        sample(static_cast<double>(value));
    }
    [[nodiscard]] std::string take() { return std::move(text_); }

  private:
    std::string text_;
    std::string name_;
};

std::string label(std::string_view name, std::string_view value) {
    return std::string(name) + "=\"" + std::string(value) + "\"";
}

double resident_bytes() {
    std::ifstream in("/proc/self/statm");
    double pages = 0;
    double resident = 0;
    in >> pages >> resident;
    return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

void add_states(const NodeService& service, MetricsText& out) {
    const auto& engine = service.node().engine();
    out.begin("state", "gauge", "1 for the current state of the node, 0 for all others.");
    for (const auto state : {ServiceState::starting, ServiceState::training, ServiceState::no_model,
                             ServiceState::running, ServiceState::exiting, ServiceState::retired})
        out.sample(service.state() == state ? 1 : 0, label("state", name_of(state)));

    std::map<PeerState, int> peers;
    double without_seeds = 0;
    for (const auto& peer : engine.peers()) {
        ++peers[peer.state];
        without_seeds += peer.no_seeds.empty() ? 0 : 1;
    }
    out.begin("peers", "gauge", "Peers by the state of their connection.");
    for (const auto state : {PeerState::down, PeerState::connecting, PeerState::up, PeerState::suspect,
                             PeerState::former, PeerState::left})
        out.sample(peers[state], label("state", name_of(state)));
    out.one("peers_without_seeds", "gauge", "Peers with which no seeds are exchanged.", without_seeds);

    std::map<SeedState, int> seeds;
    double seed_bytes = 0;
    for (const auto& seed : engine.held_seeds()) {
        ++seeds[seed.state];
        seed_bytes += static_cast<double>(seed.bytes);
    }
    out.begin("held_seeds", "gauge", "Held seeds of peers by their state.");
    for (const auto state : {SeedState::checking, SeedState::in_use, SeedState::quarantined,
                             SeedState::lease_ended, SeedState::held_aside})
        out.sample(seeds[state], label("state", name_of(state)));
    out.one("held_seed_bytes", "gauge", "Size of the held seeds of peers, in bytes.", seed_bytes);
}

void add_exits(const NodeService& service, MetricsText& out) {
    const auto& engine = service.node().engine();
    out.one("exits_known", "gauge", "Known exits of other nodes.", engine.tombstones().size());
    out.one("expulsions_known", "gauge", "Known members that the network's key has expelled.",
            engine.sizes().expulsions);
    const auto exit = engine.own_exit();
    out.one("exit_begun", "gauge", "1 once this node has begun to leave.", exit.begun);
    out.one("exit_recipients", "gauge", "Peers that were ever served the own seed.", exit.recipients.size());
    out.one("exit_receipts", "gauge", "Stored receipts for the own exit.", exit.receipts.size());
    const auto seed = engine.own_seed();
    out.one("own_seed_version", "gauge", "Version of the published own seed; 0 when there is none.",
            seed ? static_cast<std::uint64_t>(seed->version) : 0);
    out.one("own_lease_end_seconds", "gauge", "End of the own seed's lease, in seconds since 1970.",
            seed ? seed->lease_until.time_since_epoch().count() : 0);
}

void add_protocol(const NodeService& service, MetricsText& out) {
    const auto& counters = service.node().engine().counters();
    out.one("peers_dropped_total", "counter",
            "Times that a peer was disconnected because it broke the protocol.", counters.peers_dropped);
    out.one("messages_ignored_total", "counter",
            "Messages that were ignored, most of them outside of a session.", counters.messages_ignored);
    out.one("seeds_refused_total", "counter", "Seeds that were refused because they cannot be used.",
            counters.seeds_refused);
    out.one("equivocations_total", "counter",
            "Versions with two different records, 16 of each owner at most.", counters.equivocations);
    out.one("exits_put_off_total", "counter", "Exits of unknown owners beyond what one peer may introduce.",
            counters.exits_put_off);
    out.one("comparisons_total", "counter", "Comparisons of known exits with peers.", counters.comparisons);
    out.one("comparisons_incomplete_total", "counter",
            "Comparisons that left exits of unknown owners to later.", counters.comparisons_incomplete);

    const auto traffic = service.node().transport().traffic();
    static_assert(kMessageKinds.size() < network::TrafficCounters::kKinds);
    const auto by_kind = [&](const char* name, const char* help, const auto& value) {
        out.begin(name, "counter", help);
        for (const auto& [direction, counts] :
             {std::pair("sent", &traffic.sent), std::pair("received", &traffic.received)})
            for (const auto& row : kMessageKinds)
                out.sample(static_cast<double>(value((*counts)[static_cast<std::size_t>(row.kind)])),
                           label("direction", direction) + "," + label("kind", row.name));
    };
    by_kind("messages_total", "Messages by kind and direction.",
            [](const auto& count) { return count.messages; });
    by_kind("bytes_total", "TCP payload bytes by kind and direction of the message.",
            [](const auto& count) { return count.bytes; });
    const auto& failures = traffic.handshake_failures;
    out.begin("handshakes_failed_total", "counter",
              "Incoming connections that ended before their handshake was complete.");
    for (const auto& [reason, count] :
         {std::pair("not_allowed", failures.not_allowed), std::pair("protocol", failures.protocol),
          std::pair("other", failures.other)})
        out.sample(static_cast<double>(count), label("reason", reason));
    const auto& provisional = traffic.provisional;
    out.begin("provisional_total", "counter", "Unknown keys that were let in to show a membership.");
    for (const auto& [result, count] :
         {std::pair("confirmed", provisional.confirmed), std::pair("expired", provisional.expired),
          std::pair("broke_rules", provisional.broke_rules),
          std::pair("refused_full", provisional.refused_full)})
        out.sample(static_cast<double>(count), label("result", result));
}

void add_storage(const NodeService& service, MetricsText& out) {
    const auto storage = service.node().storage_counters();
    out.one("storage_batches_total", "counter", "Batches of writes that were given to storage.",
            storage.batches);
    out.one("storage_failures_total", "counter", "Batches that could not be stored.", storage.failures);
    out.one("storage_failing", "gauge", "1 when the last write did not reach the disk.",
            service.node().storage_failure().has_value());
    out.begin("storage_latency_seconds", "summary", "Time from a request to its durability.");
    constexpr double kMicro = 1e-6;
    for (const auto& [text, quantile] : {std::pair("0.5", 0.5), std::pair("0.99", 0.99)})
        out.sample(static_cast<double>(storage.latency_at(quantile).count()) * kMicro,
                   label("quantile", text));
}

void add_learning(const NodeService& service, MetricsText& out) {
    const auto learning = service.learning();
    out.one("trainings_total", "counter", "Training runs since the process began.", learning.trainings);
    out.one("trainings_failed_total", "counter", "Training runs that failed.", learning.trainings_failed);
    out.one("last_training_seconds", "gauge", "Duration of the last training run, in seconds.",
            learning.last_training_seconds);
    out.one("predictions_total", "counter", "Requests for predictions.", learning.predictions);
    out.one("predictions_failed_total", "counter", "Requests for predictions that failed.",
            learning.predictions_failed);
    out.one("prediction_seconds_total", "counter", "Time spent on predictions, in seconds.",
            learning.prediction_seconds);
    if (const auto model = service.model()) {
        out.one("validation_accuracy", "gauge", "Accuracy of the main model alone on the validation data.",
                model->validation_accuracy);
        out.one("rho", "gauge", "Weight of the peers' seeds in predictions.", model->rho);
    }
}

}  // namespace

std::string metrics_text(const NodeService& service, std::chrono::seconds uptime) {
    MetricsText out;
    out.one("uptime_seconds", "gauge", "Seconds since the process began.", uptime.count());
    out.one("resident_memory_bytes", "gauge", "Resident memory of the process, in bytes.", resident_bytes());
    add_states(service, out);
    add_exits(service, out);
    add_protocol(service, out);
    add_storage(service, out);
    add_learning(service, out);
    return out.take();
}

}  // namespace unlearn::daemon
