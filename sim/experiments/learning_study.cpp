#include "sim/experiments/learning_study.hpp"

#include <map>
#include <optional>
#include <set>
#include <span>
#include <sstream>
#include <utility>

#include <ATen/ATen.h>

#include "node/learning/accuracy.hpp"
#include "node/learning/ensemble/ensemble.hpp"
#include "node/learning/ensemble/member.hpp"
#include "node/learning/ensemble/own_part.hpp"
#include "sim/baselines/central.hpp"
#include "sim/experiments/known_logits.hpp"
#include "sim/experiments/poison.hpp"
#include "sim/run/learn.hpp"

namespace unlearn::sim::experiments {
namespace {

using learning::Member;

/// The seeds of all nodes as their neighbours hold them, for one way to distil and one way to poison.
struct SeedSet {
    std::vector<std::vector<float>> test_logits;  ///< the logits of each owner's seed
    std::vector<ScopedAccuracy> alone;            ///< the accuracy of each owner's seed, before poisoning
    /// The seeds of each holder's neighbours by owner (a position in the setup).
    std::vector<std::map<std::size_t, std::shared_ptr<Member>>> members;
};

std::string distillation_key(const ExperimentRun& run) {
    const auto& settings = run.scenario.distillation;
    std::ostringstream key;
    for (const auto& seed : run.scenario.models.seed)
        key << seed << ' ';
    key << settings.epochs.value_or(0) << ' ' << settings.batch.value_or(0) << ' '
        << settings.learning_rate.value_or(0) << ' ' << settings.temperature.value_or(0);
    return key.str();
}

std::string poison_key(const PoisonSettings& poison) {
    return std::to_string(poison.nodes) + ' ' + std::to_string(static_cast<int>(poison.kind));
}

class LearningStudy final : public Study {
  public:
    LearningStudy(const ExperimentRun& first, run::Setup setup, report::Progress& progress)
        : setup_(std::move(setup)), progress_(progress), workers_(first.scenario.run.threads) {}

    Result<void> train(const ExperimentRun& first) {
        auto main_models = run::train_main_models(first.scenario.training, setup_, workers_, progress_);
        if (!main_models) return failed_with(main_models.error());
        main_models_ = std::move(*main_models);
        own_.resize(setup_.nodes.size());
        main_logits_.resize(setup_.nodes.size());
        main_scores_.resize(setup_.nodes.size());
        auto phase = progress_.start("score the main models", setup_.nodes.size());
        const auto error =
            workers_.for_each(setup_.nodes.size(), [&](std::size_t i) -> std::optional<std::string> {
                const run::NodeSetup& node = setup_.nodes[i];
                own_[i] = learning::OwnPart::make(main_models_[i], node.own, node.split.validation,
                                                  setup_.reference);
                const auto logits = learning::predict_logits(main_models_[i].model(), setup_.test.inputs());
                main_logits_[i] = learning::to_vector(logits);
                main_scores_[i] = score(logits, i);
                phase.advance();
                return std::nullopt;
            });
        if (error) return failed_with(*error);
        return train_one_model(first);
    }

    Result<std::vector<report::Row>> run(const ExperimentRun& run) override {
        const auto seeds = seeds_of(run);
        if (!seeds) return failed_with(seeds.error());
        const auto poisoned = poisoned_nodes(run.study.poison, names(), run.scenario.seed);
        std::vector<report::Row> rows;
        std::set<std::string> gone;
        for (std::size_t departed = 0; departed <= run.scenario.exits.size(); ++departed) {
            if (departed > 0) gone.insert(run.scenario.exits[departed - 1].node);
            std::vector<std::size_t> holders;
            for (std::size_t i = 0; i < setup_.nodes.size(); ++i)
                if (!gone.contains(setup_.nodes[i].name) && !poisoned.contains(setup_.nodes[i].name))
                    holders.push_back(i);
            auto more = score_holders(run, **seeds, holders, gone, departed);
            if (!more) return failed_with(more.error());
            rows.insert(rows.end(), more->begin(), more->end());
        }
        return rows;
    }

  private:
    [[nodiscard]] std::vector<std::string> names() const {
        std::vector<std::string> out;
        for (const auto& node : setup_.nodes)
            out.push_back(node.name);
        return out;
    }

    /// Returns the accuracies of `scores` [T, classes] in both scopes, which use the same scores.
    [[nodiscard]] ScopedAccuracy score(const at::Tensor& scores, std::size_t node) const {
        return {learning::own_accuracy(scores, setup_.test, setup_.nodes[node].own.class_distribution()),
                learning::full_accuracy(scores, setup_.test)};
    }

    Result<void> train_one_model(const ExperimentRun& first) {
        const std::string& text = first.study.learning.one_model;
        if (text.empty()) return {};
        const auto architecture = learning::parse_architecture(text);
        if (!architecture) return failed_with("study.one_model: " + architecture.error().message);
        std::vector<baselines::Participant> everybody;
        for (const auto& node : setup_.nodes)
            everybody.push_back(baselines::participant(node.name, node.split.train));
        const auto options = train_options(first.scenario.training, *architecture);
        auto phase = progress_.start("train one model on all data",
                                     static_cast<std::uint64_t>(options.optimisation.epochs));
        const auto model =
            baselines::CentralModel::train(everybody, *architecture, options, first.scenario.seed,
                                           [&](const learning::EpochReport&) { phase.advance(); });
        if (!model) return failed_with("study.one_model: " + model.error().message);
        const auto logits = model->logits(setup_.test.inputs().rows());
        for (std::size_t i = 0; i < setup_.nodes.size(); ++i)
            one_model_scores_.push_back(score(logits, i));
        return {};
    }

    Result<const std::vector<learning::Seed>*> distilled(const ExperimentRun& run) {
        const std::string key = distillation_key(run);
        if (const auto found = distilled_.find(key); found != distilled_.end()) return &found->second;
        for (std::size_t i = 0; i < setup_.nodes.size(); ++i) {
            auto architecture = learning::parse_architecture(
                run.scenario.seed_architecture(static_cast<topologies::NodeIndex>(i)),
                learning::kSeedArchitectures);
            if (!architecture) return failed_with("models.seed: " + architecture.error().message);
            setup_.nodes[i].seed_architecture = std::move(*architecture);
        }
        auto seeds = run::distil_seeds(run.scenario.distillation, setup_, main_models_, workers_, progress_);
        if (!seeds) return failed_with(seeds.error());
        return &distilled_.emplace(key, std::move(*seeds)).first->second;
    }

    Result<const SeedSet*> seeds_of(const ExperimentRun& run) {
        const std::string key = distillation_key(run) + " poisoned " + poison_key(run.study.poison);
        if (const auto found = seed_sets_.find(key); found != seed_sets_.end()) return &found->second;
        const auto seeds = distilled(run);
        if (!seeds) return failed_with(seeds.error());
        auto set = hand_out(**seeds, run);
        if (!set) return failed_with(set.error());
        return &seed_sets_.emplace(key, std::move(*set)).first->second;
    }

    Result<SeedSet> hand_out(const std::vector<learning::Seed>& seeds, const ExperimentRun& run) {
        const auto poisoned = poisoned_nodes(run.study.poison, names(), run.scenario.seed);
        std::vector<std::vector<std::uint8_t>> payloads;
        for (std::size_t i = 0; i < seeds.size(); ++i) {
            auto payload = seeds[i].payload();
            if (poisoned.contains(setup_.nodes[i].name))
                payload = poisoned_payload(run.study.poison.kind, payload);
            payloads.push_back(std::move(payload));
        }
        SeedSet set;
        set.test_logits.resize(seeds.size());
        set.alone.resize(seeds.size());
        set.members.resize(seeds.size());
        auto phase = progress_.start("exchange and judge seeds", seeds.size());
        const auto hand_to = [&](std::size_t holder) -> std::optional<std::string> {
            const run::NodeSetup& node = setup_.nodes[holder];
            set.alone[holder] =
                score(learning::predict_logits(seeds[holder].model(), setup_.test.inputs()), holder);
            for (const std::size_t owner : node.neighbours) {
                auto member =
                    Member::from_payload(setup_.nodes[owner].identity.id().bytes(), 1,
                                         seeds[owner].architecture().text(), payloads[owner], *own_[holder]);
                if (!member)
                    return node.name + ": seed of " + setup_.nodes[owner].name + ": " +
                           member.error().message;
                set.members[holder].emplace(owner, std::move(*member));
            }
            phase.advance();
            return std::nullopt;
        };
        if (const auto error = workers_.for_each(seeds.size(), hand_to)) return failed_with(*error);
        // A seed gives the same predictions at every holder, so one holder's copy is enough.
        const auto ask = [&](std::size_t owner) -> std::optional<std::string> {
            for (const std::size_t holder : setup_.nodes[owner].neighbours) {
                const auto& member = *set.members[holder].at(owner);
                set.test_logits[owner] =
                    learning::to_vector(learning::predict_logits(member.model(), setup_.test.inputs()));
                break;
            }
            return std::nullopt;
        };
        if (const auto error = workers_.for_each(seeds.size(), ask)) return failed_with(*error);
        return set;
    }

    struct Mixed {
        ScopedAccuracy ensemble;
        double rho = 0.0;
        std::size_t aside = 0;
    };

    /// Builds the ensemble that a production node would make of the seeds that it holds. The answers of each
    /// seed for the test set are looked up instead of computed.
    [[nodiscard]] Mixed mix(const ExperimentRun& run, const SeedSet& seeds, std::size_t holder,
                            const std::set<std::string>& gone) const {
        std::vector<std::shared_ptr<const Member>> members;
        SeedLogits logits;
        Mixed mixed;
        for (const auto& [owner, member] : seeds.members[holder]) {
            if (gone.contains(setup_.nodes[owner].name)) continue;
            if (member->aside()) {
                ++mixed.aside;
                continue;
            }
            logits.emplace(member->id(), seeds.test_logits[owner]);
            members.push_back(member);
        }
        const auto ensemble =
            learning::Ensemble::build(own_[holder], std::move(members), run.scenario.ensemble);
        mixed.rho = ensemble->rho();
        mixed.ensemble =
            accuracy_of(*ensemble, answers_of(*ensemble, main_logits_[holder], logits), setup_.test);
        return mixed;
    }

    Result<std::vector<report::Row>> score_holders(const ExperimentRun& run, const SeedSet& seeds,
                                                   const std::vector<std::size_t>& holders,
                                                   const std::set<std::string>& gone, std::size_t departed) {
        std::vector<Mixed> mixed(holders.size());
        const auto error =
            workers_.for_each(holders.size(), [&](std::size_t i) -> std::optional<std::string> {
                mixed[i] = mix(run, seeds, holders[i], gone);
                return std::nullopt;
            });
        if (error) return failed_with(*error);
        std::vector<report::Row> rows;
        double main = 0.0;
        double ensemble = 0.0;
        double one_model = 0.0;
        for (std::size_t i = 0; i < holders.size(); ++i) {
            const std::size_t holder = holders[i];
            const std::map<std::string, report::Label> labels{{"node", setup_.nodes[holder].name},
                                                              {"departed", static_cast<double>(departed)}};
            const auto add = [&](const std::string& metric, double value,
                                 std::map<std::string, report::Label> more = {}) {
                more.insert(labels.begin(), labels.end());
                rows.push_back({metric, value, std::move(more)});
            };
            const auto add_scores = [&](const std::string& method, const ScopedAccuracy& score) {
                add("accuracy", score.own, {{"method", method}, {"scope", std::string("own")}});
                add("accuracy", score.full, {{"method", method}, {"scope", std::string("full")}});
            };
            add_scores("main", main_scores_[holder]);
            add_scores("ensemble", mixed[i].ensemble);
            add_scores("seed", seeds.alone[holder]);
            if (!one_model_scores_.empty()) add_scores("one model", one_model_scores_[holder]);
            add("gain", mixed[i].ensemble.own - main_scores_[holder].own, {{"scope", std::string("own")}});
            add("gain", mixed[i].ensemble.full - main_scores_[holder].full, {{"scope", std::string("full")}});
            add("rho", mixed[i].rho);
            add("aside", static_cast<double>(mixed[i].aside));
            main += main_scores_[holder].full;
            ensemble += mixed[i].ensemble.full;
            if (!one_model_scores_.empty()) one_model += one_model_scores_[holder].full;
        }
        if (one_model > main)
            rows.push_back({"recovered",
                            (ensemble - main) / (one_model - main),
                            {{"departed", static_cast<double>(departed)}}});
        return rows;
    }

    run::Setup setup_;
    report::Progress& progress_;
    support::Workers workers_;
    std::vector<learning::MainModel> main_models_;
    std::vector<std::shared_ptr<const learning::OwnPart>> own_;
    std::vector<std::vector<float>> main_logits_;  ///< the logits of each node's main model on the test set
    std::vector<ScopedAccuracy> main_scores_;
    std::vector<ScopedAccuracy> one_model_scores_;  ///< of the one model, at each node; empty without one
    std::map<std::string, std::vector<learning::Seed>> distilled_;
    std::map<std::string, SeedSet> seed_sets_;
};

}  // namespace

Result<std::unique_ptr<Study>> make_learning_study(const ExperimentRun& first, report::Progress& progress) {
    auto setup = run::prepare(first.scenario, {}, run::Violation::none);
    if (!setup) return failed_with(setup.error());
    auto study = std::make_unique<LearningStudy>(first, std::move(*setup), progress);
    if (auto ok = study->train(first); !ok) return failed_with(ok.error());
    return study;
}

}  // namespace unlearn::sim::experiments
