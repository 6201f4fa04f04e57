#include "sim/experiments/comparison_study.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <unistd.h>

#include "node/learning/accuracy.hpp"
#include "node/learning/ensemble/held_seeds.hpp"
#include "node/learning/ensemble/member.hpp"
#include "sim/baselines/baseline.hpp"
#include "sim/baselines/cpu_clock.hpp"
#include "sim/run/learn.hpp"
#include "sim/run/world.hpp"

namespace unlearn::sim::experiments {
namespace {

namespace fs = std::filesystem;
using baselines::Cost;
using baselines::Recovery;

/// A folder that is removed when this object is destroyed.
class TemporaryFolder {
  public:
    TemporaryFolder() {
        std::string name = (fs::temp_directory_path() / "unlearn-sim-").string() + std::string(6, 'X');
        if (::mkdtemp(name.data()) == nullptr)
            throw fs::filesystem_error("cannot make a folder", name, {errno, std::generic_category()});
        path_ = name;
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    [[nodiscard]] const fs::path& path() const { return path_; }

  private:
    fs::path path_;
};

report::Row row(std::string metric, double value, std::map<std::string, report::Label> labels) {
    return {std::move(metric), value, std::move(labels)};
}

std::map<std::string, report::Label> labels_of(std::string method, std::string way) {
    return {{"method", std::move(method)}, {"way", std::move(way)}};
}

/// Probabilities or logits [T, classes], by the name of a node.
using baselines::Predictions;

class ComparisonStudy final : public Study {
  public:
    explicit ComparisonStudy(report::Progress& progress) : progress_(progress) {}

    Result<std::vector<report::Row>> run(const ExperimentRun& run) override {
        if (run.scenario.exits.empty())
            return failed_with("a comparison needs an [[exit]]: the node to forget");
        leaver_ = run.scenario.exits.front().node;
        rows_.clear();
        auto setup = run::prepare(run.scenario, {}, run::Violation::none);
        if (!setup) return failed_with(setup.error());
        setup_.emplace(std::move(*setup));
        if (auto ok = run_hdus(run); !ok) return failed_with(ok.error());
        if (auto ok = measure_drop(run); !ok) return failed_with(ok.error());
        baselines::Team team(run.scenario.run.threads);
        const auto baseline_setup = this->baseline_setup(run);
        if (!baseline_setup) return failed_with(baseline_setup.error());
        for (const auto& make : baselines::kBaselines) {
            const auto baseline = make(*baseline_setup, team);
            if (!baseline) return failed_with(baseline.error());
            if (auto ok = run_baseline(run.study.comparison, **baseline, team); !ok)
                return failed_with((*baseline)->name() + ": " + ok.error().message);
        }
        return std::move(rows_);
    }

  private:
    using Done = Result<void>;

    void add_scores(const std::string& method, const std::string& way,
                    const std::vector<report::Accuracy>& scores, bool of_main) {
        double own = 0.0;
        double full = 0.0;
        for (const auto& score : scores) {
            own += of_main ? score.own.main : score.own.ensemble;
            full += of_main ? score.full.main : score.full.ensemble;
        }
        const auto count = static_cast<double>(std::max<std::size_t>(1, scores.size()));
        for (const auto& [scope, sum] : {std::pair{"own", own}, std::pair{"full", full}}) {
            auto labels = labels_of(method, way);
            labels["scope"] = std::string(scope);
            rows_.push_back(row("accuracy", sum / count, std::move(labels)));
        }
    }

    void add_evaluations(const std::string& way, const std::vector<run::Evaluation>& evaluations) {
        std::vector<report::Accuracy> scores;
        for (const auto& evaluation : evaluations)
            scores.push_back(evaluation.scores);
        add_scores("HDUS", way, scores, false);
        add_scores("main alone", way, scores, true);
    }

    /// Adds the mean distance between two sets of predictions of the same nodes.
    void add_distance(const std::string& method, const std::string& way, const Predictions& here,
                      const Predictions& there) {
        double disagreement = 0.0;
        double variation = 0.0;
        for (const auto& [name, table] : here) {
            const auto distance = baselines::distance_between(table, there.at(name));
            disagreement += distance.disagreement;
            variation += distance.total_variation;
        }
        const auto count = static_cast<double>(here.size());
        rows_.push_back(row("disagreement", disagreement / count, labels_of(method, way)));
        rows_.push_back(row("total_variation", variation / count, labels_of(method, way)));
    }

    Result<std::unique_ptr<run::World>> make_world(const ExperimentRun& run,
                                                   const std::vector<std::string>& without,
                                                   const fs::path& folder) {
        auto setup = run::prepare(run.scenario, without, run::Violation::none);
        if (!setup) return failed_with(setup.error());
        fs::create_directories(folder);
        auto world =
            run::World::create(run.scenario, {folder, run::Violation::none, scenario::TransportKind::zmq},
                               progress_, std::move(*setup));
        if (!world) return world;
        if (auto ok = (*world)->train(); !ok) return failed_with(ok.error());
        if (auto ok = (*world)->distil(); !ok) return failed_with(ok.error());
        if (auto ok = (*world)->exchange(); !ok) return failed_with(ok.error());
        return world;
    }

    static Predictions predictions_of(const std::vector<run::Evaluation>& evaluations) {
        Predictions out;
        for (const auto& evaluation : evaluations)
            out.emplace(evaluation.name, evaluation.own_prior);
        return out;
    }

    Done run_hdus(const ExperimentRun& run) {
        const TemporaryFolder folder;
        auto world = make_world(run, {}, folder.path() / "with");
        if (!world) return failed_with(world.error());
        const auto before = (*world)->evaluate();
        if (!before) return failed_with(before.error());
        add_evaluations("before", *before);
        const auto bytes_before = (*world)->traffic().bytes;
        const auto exit = (*world)->exit(leaver_);
        if (!exit) return failed_with(exit.error());
        if (!exit->result.missing.empty())
            return failed_with("HDUS: no receipt of " + exit->result.missing.front());
        double last = 0.0;
        for (const auto& holder : exit->result.per_holder)
            last = std::max(last, holder.ms);
        rows_.push_back(row("seconds", last / 1000.0, labels_of("HDUS", "drop")));
        rows_.push_back(row("bytes", (*world)->traffic().bytes - bytes_before, labels_of("HDUS", "drop")));
        const auto after = (*world)->evaluate();
        if (!after) return failed_with(after.error());
        add_evaluations("drop", *after);
        (*world)->stop();

        auto never = make_world(run, {leaver_}, folder.path() / "without");
        if (!never) return failed_with(never.error());
        const auto counterfactual = (*never)->evaluate();
        if (!counterfactual) return failed_with(counterfactual.error());
        (*never)->stop();
        add_distance("HDUS", "drop", predictions_of(*after), predictions_of(*counterfactual));
        return {};
    }

    /// Measures what dropping the leaver's seed costs its holders. It uses separate holders of the same
    /// seeds, because in the world's nodes the network and the disk take CPU time, too.
    Done measure_drop(const ExperimentRun& run) {
        support::Workers workers(run.scenario.run.threads);
        const auto main_models = run::train_main_models(run.scenario.training, *setup_, workers, progress_);
        if (!main_models) return failed_with(main_models.error());
        const auto seeds =
            run::distil_seeds(run.scenario.distillation, *setup_, *main_models, workers, progress_);
        if (!seeds) return failed_with(seeds.error());
        double drop = 0.0;
        double wipe = 0.0;
        double mixture = 0.0;
        for (std::size_t i = 0; i < setup_->nodes.size(); ++i) {
            const run::NodeSetup& node = setup_->nodes[i];
            const auto is_leaver = [&](std::size_t other) { return setup_->nodes[other].name == leaver_; };
            const auto held = std::find_if(node.neighbours.begin(), node.neighbours.end(), is_leaver);
            if (held == node.neighbours.end()) continue;
            learning::EnsembleHolder holder(learning::OwnPart::make((*main_models)[i], node.own,
                                                                    node.split.validation, setup_->reference),
                                            run.scenario.ensemble);
            for (const std::size_t owner : node.neighbours) {
                auto member = learning::Member::from_payload(setup_->nodes[owner].identity.id().bytes(), 1,
                                                             (*seeds)[owner].architecture().text(),
                                                             (*seeds)[owner].payload(), *holder.own());
                if (!member) return failed_with(node.name + ": " + member.error().message);
                holder.install(std::move(*member));
            }
            static_cast<void>(holder.snapshot());
            const auto& id = setup_->nodes[*held].identity.id().bytes();
            const double started = baselines::thread_cpu_seconds();
            if (!holder.drop(id)) return failed_with(node.name + " does not hold the seed of " + leaver_);
            const double dropped = baselines::thread_cpu_seconds();
            static_cast<void>(holder.wipe_dropped(id, std::chrono::milliseconds(0)));
            const double wiped = baselines::thread_cpu_seconds();
            static_cast<void>(holder.snapshot());
            drop += dropped - started;
            wipe += wiped - dropped;
            mixture += baselines::thread_cpu_seconds() - wiped;
        }
        for (const auto& [step, value] :
             {std::pair{"drop", drop}, std::pair{"wipe", wipe}, std::pair{"new mixture", mixture}}) {
            auto labels = labels_of("HDUS", "drop");
            labels["step"] = std::string(step);
            rows_.push_back(row("cpu_seconds", value, std::move(labels)));
        }
        drop_cpu_seconds_ = drop;
        return {};
    }

    [[nodiscard]] baselines::Evaluation evaluation() const {
        return {setup_->test, [this](const std::string& name, const at::Tensor& logits) {
                    return learning::own_accuracy(logits, setup_->test, distribution_of(name));
                }};
    }

    [[nodiscard]] std::vector<double> distribution_of(const std::string& name) const {
        const auto node = std::find_if(setup_->nodes.begin(), setup_->nodes.end(),
                                       [&](const run::NodeSetup& other) { return other.name == name; });
        return node->own.class_distribution();
    }

    [[nodiscard]] std::vector<baselines::Participant> participants() const {
        std::vector<baselines::Participant> out;
        for (const auto& node : setup_->nodes)
            out.push_back(baselines::participant(node.name, node.split.train));
        return out;
    }

    static baselines::LocalOptions local_options(const ComparisonSettings& settings,
                                                 learning::Architecture architecture) {
        baselines::LocalOptions local;
        local.architecture = std::move(architecture);
        local.epochs = settings.local_epochs;
        local.batch = settings.batch;
        local.learning_rate = settings.learning_rate;
        return local;
    }

    void add_network_scores(const std::string& method, const std::string& way, const Predictions& logits) {
        std::vector<report::Accuracy> scores;
        for (const auto& [name, table] : logits) {
            report::Accuracy score;
            score.own.ensemble = learning::own_accuracy(table, setup_->test, distribution_of(name));
            score.full.ensemble = learning::full_accuracy(table, setup_->test);
            scores.push_back(score);
        }
        add_scores(method, way, scores, false);
    }

    void add_recovery(const std::string& method, const std::string& way, const Recovery& recovery,
                      const baselines::Team& team) {
        const auto labels = labels_of(method, way);
        rows_.push_back(row("seconds", recovery.cost.cpu_seconds / static_cast<double>(team.size()), labels));
        rows_.push_back(row("cpu_seconds", recovery.cost.cpu_seconds, labels));
        rows_.push_back(row("bytes", static_cast<double>(recovery.cost.bytes), labels));
        rows_.push_back(row("rounds", static_cast<double>(recovery.cost.rounds), labels));
        rows_.push_back(row("reached", recovery.reached ? 1.0 : 0.0, labels));
        if (way == "retrain" && recovery.reached && drop_cpu_seconds_ > 0.0)
            rows_.push_back(row("cost_ratio", recovery.cost.cpu_seconds / drop_cpu_seconds_, labels));
    }

    static Predictions probabilities(const Predictions& logits) {
        Predictions out;
        for (const auto& [name, table] : logits)
            out.emplace(name, at::softmax(table, 1));
        return out;
    }

    baselines::ForgettingOptions forgetting_options(const ComparisonSettings& settings) const {
        baselines::ForgettingOptions options;
        options.share = settings.target;
        options.most_rounds = 2 * static_cast<std::int64_t>(settings.rounds);
        return options;
    }

    Result<baselines::BaselineSetup> baseline_setup(const ExperimentRun& run) const {
        const auto& settings = run.study.comparison;
        auto architecture = learning::parse_architecture(settings.model);
        if (!architecture) return failed_with("study.model: " + architecture.error().message);
        return baselines::BaselineSetup{run.scenario.graph, participants(),
                                        local_options(settings, std::move(*architecture)), settings.rounds,
                                        run.scenario.seed};
    }

    Done run_baseline(const ComparisonSettings& settings, baselines::Baseline& baseline,
                      const baselines::Team& team) {
        const std::string name = baseline.name();
        {
            auto phase = progress_.start(name, settings.rounds);
            if (auto ok = baseline.train([&](const auto&) { phase.advance(); }); !ok) return ok;
        }
        Predictions before = baseline.predict(setup_->test.inputs().rows());
        add_network_scores(name, "before", before);
        std::optional<Predictions> exact;
        for (const std::string& way : baseline.ways_to_forget()) {
            auto phase = progress_.start(name + ": " + way, 0);
            const auto forgotten = baseline.forget(leaver_, way, forgetting_options(settings), evaluation());
            if (!forgotten) return failed_with(forgotten.error());
            add_recovery(name, way, forgotten->recovery, team);
            add_network_scores(name, way, forgotten->logits);
            if (!exact)
                exact = probabilities(forgotten->logits);
            else
                add_distance(name, way, probabilities(forgotten->logits), *exact);
        }
        // The distance without any forgetting is the reference for the other distances.
        before.erase(leaver_);
        add_distance(name, "nothing", probabilities(before), *exact);
        return {};
    }

    report::Progress& progress_;
    std::string leaver_;
    std::optional<run::Setup> setup_;
    double drop_cpu_seconds_ = 0.0;
    std::vector<report::Row> rows_;
};

}  // namespace

Result<std::unique_ptr<Study>> make_comparison_study(const ExperimentRun&, report::Progress& progress) {
    return std::make_unique<ComparisonStudy>(progress);
}

}  // namespace unlearn::sim::experiments
