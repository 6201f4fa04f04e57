#include "sim/experiments/study_reader.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace unlearn::sim::experiments {
namespace {

using config::Complaints;
using config::TableReader;

constexpr std::array<std::string_view, 3> kStudies = {"learning", "network", "comparison"};
constexpr std::array<std::string_view, 2> kPoisons = {"rotate", "swap"};
constexpr std::array<std::string_view, 2> kLost = {"message", "packet"};
constexpr std::array<std::string_view, 5> kChurnKinds = {"join", "leave", "exit", "crash", "come-back"};
constexpr double kMostSeconds = 10.0 * 365 * 86'400;
constexpr double kMostPerHour = 1e6;

class StudyReader {
  public:
    StudyReader(const toml::table& table, const std::filesystem::path& file,
                const scenario::ScenarioOptions& options, Complaints& complaints)
        : root_(table, "", complaints), file_(file), options_(options) {}

    StudySettings read(StudyKind& kind) {
        TableReader study = root_.section("study");
        study.read_choice("kind", kind, kStudies);
        switch (kind) {
            case StudyKind::learning:
                read_architecture(study, "one_model", settings_.learning.one_model);
                read_poison();
                break;
            case StudyKind::network:
                read_network(study);
                read_links();
                read_churn();
                break;
            case StudyKind::comparison:
                read_comparison(study);
                break;
        }
        study.finish();
        refuse_others(kind);
        return std::move(settings_);
    }

  private:
    void read_architecture(TableReader& reader, std::string_view key, std::string& value) const {
        reader.read(key, value);
        if (!options_.check_architecture || !reader.has(key)) return;
        if (const auto complaint = options_.check_architecture(value))
            reader.complain(key, "= \"" + value + "\": " + *complaint);
    }

    void read_poison() {
        TableReader poison = root_.section("poison");
        poison.read("nodes", settings_.poison.nodes, {0, 10'000});
        poison.read_choice("kind", settings_.poison.kind, kPoisons);
        poison.finish();
    }

    void read_comparison(TableReader& study) {
        ComparisonSettings& comparison = settings_.comparison;
        read_architecture(study, "model", comparison.model);
        study.read("rounds", comparison.rounds, {1, 100'000});
        study.read("local_epochs", comparison.local_epochs, {1, 1'000});
        study.read("batch", comparison.batch, {1, 65'536});
        study.read("learning_rate", comparison.learning_rate, {0, 100, true});
        study.read("target", comparison.target, {0, 1, true});
    }

    void read_network(TableReader& study) {
        NetworkStudySettings& network = settings_.network;
        study.read("learning", network.learning);
        auto bytes = static_cast<std::uint32_t>(network.seed_bytes);
        study.read("seed_bytes", bytes, {64, 8 << 20});
        network.seed_bytes = bytes;
        std::string exit_node;
        study.read("exit_node", exit_node);
        if (!exit_node.empty()) network.exit_node = exit_node;
        study.read("exit_at_s", network.exit_at_seconds, {0, kMostSeconds});
        study.read("duration_s", network.duration_seconds, {0, kMostSeconds, true});
        study.read("sample_every_s", network.sample_every_seconds, {0, kMostSeconds, true});
        study.read("spread_limit_s", network.spread_limit_seconds, {0, kMostSeconds, true});
        study.read("give_up_s", network.give_up_seconds, {0, kMostSeconds, true});
        study.read("patience_s", network.patience_seconds, {0, kMostSeconds, true});
        study.read("node_rows", network.node_rows);
        auto lease = static_cast<std::uint32_t>(network.lease_time.count());
        study.read("lease_s", lease, {1, kMostSeconds});
        network.lease_time = std::chrono::seconds(lease);
        std::optional<std::uint32_t> renewal;
        study.read("lease_renewal_s", renewal, {1, kMostSeconds});
        if (renewal) network.lease_renewal = std::chrono::seconds(*renewal);
    }

    void read_links() {
        LinkSettings& link = settings_.network.link;
        TableReader links = root_.section("links");
        links.read("loss", link.loss, {0, 0.99});
        links.read_choice("lost", link.lost, kLost);
        read_milliseconds(links, "latency_ms", link.latency);
        read_milliseconds(links, "jitter_ms", link.jitter);
        links.read("bytes_per_second", link.bytes_per_second, {1, 1e12});
        if (link.jitter > link.latency) links.complain("jitter_ms", "is more than latency_ms");
        links.finish();
    }

    static void read_milliseconds(TableReader& reader, std::string_view key,
                                  std::chrono::milliseconds& value) {
        auto count = static_cast<std::uint32_t>(value.count());
        reader.read(key, count, {0, 600'000});
        value = std::chrono::milliseconds(count);
    }

    void read_churn() {
        ChurnSettings& churn = settings_.network.churn;
        ChurnRates& rates = churn.rates;
        TableReader reader = root_.section("churn");
        for (const auto& [key, value] : {std::pair<std::string_view, double*>{"joins_per_hour", &rates.joins},
                                         {"leaves_per_hour", &rates.leaves},
                                         {"exits_per_hour", &rates.exits},
                                         {"crashes_per_hour", &rates.crashes}})
            reader.read(key, *value, {0, kMostPerHour});
        reader.read("per_node", rates.per_node);
        reader.read("joiners", rates.joiners, {0, 10'000});
        reader.read("back_after_leave_s", rates.back_after_leave_seconds, {0, kMostSeconds, true});
        reader.read("back_after_crash_s", rates.back_after_crash_seconds, {0, kMostSeconds, true});
        reader.read("keep", rates.keep, {1, 10'000});
        std::string trace;
        reader.read("trace", trace);
        if (!trace.empty()) churn.trace = (file_.parent_path() / trace).lexically_normal();
        for (TableReader& event : reader.sections("event")) {
            ChurnEvent made;
            event.read("at_s", made.at_seconds, {0, kMostSeconds});
            event.read_choice("kind", made.kind, kChurnKinds);
            event.read("node", made.node);
            for (const char* key : {"at_s", "kind", "node"})
                if (!event.has(key)) event.complain(key, "is missing");
            event.finish();
            churn.schedule.push_back(std::move(made));
        }
        reader.finish();
    }

    /// Complains about sections that this kind of study does not use.
    void refuse_others(StudyKind kind) {
        const auto refuse = [&](std::string_view section, StudyKind only) {
            if (kind != only && root_.has(section))
                root_.complain(section, "is for [study] kind = \"" +
                                            std::string(kStudies[static_cast<std::size_t>(only)]) + "\"");
        };
        refuse("poison", StudyKind::learning);
        refuse("links", StudyKind::network);
        refuse("churn", StudyKind::network);
    }

    TableReader root_;
    const std::filesystem::path& file_;
    const scenario::ScenarioOptions& options_;
    StudySettings settings_;
};

}  // namespace

StudySettings read_study(const toml::table& table, const std::filesystem::path& file, StudyKind& kind,
                         const scenario::ScenarioOptions& options, Complaints& complaints) {
    return StudyReader(table, file, options, complaints).read(kind);
}

}  // namespace unlearn::sim::experiments
