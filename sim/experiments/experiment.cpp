#include "sim/experiments/experiment.hpp"

#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

#include "node/config/toml_reader.hpp"
#include "sim/experiments/figure_reader.hpp"
#include "sim/experiments/study_reader.hpp"
#include "sim/experiments/sweep_grid.hpp"
#include "sim/scenario/scenario_table.hpp"

namespace unlearn::sim::experiments {
namespace {

using config::Complaints;
using config::TableReader;

tl::unexpected<Error> refuse(std::string message) {
    message.resize(std::min(message.size(), message.find('\n')));
    return bad_input({std::move(message)});
}

constexpr std::array<std::string_view, 3> kReportSections = {"plot", "table", "description"};

std::string as_text(const toml::table& table) {
    std::ostringstream out;
    out << table;
    return out.str();
}

/// Returns the part of the table that decides what the runs of a family share: data, main models and, where
/// there is a network, seeds.
std::string family_of(const toml::table& table, StudyKind kind, const ExperimentRun& run) {
    toml::table copy = table;
    copy.erase("ensemble");
    if (kind == StudyKind::learning) {
        copy.erase("distillation");
        copy.erase("poison");
        if (toml::table* models = copy.get("models") != nullptr ? copy.get("models")->as_table() : nullptr)
            models->erase("seed");
    } else if (kind == StudyKind::network && run.study.network.learning) {
        for (const char* key : {"links", "churn", "study"})
            copy.erase(key);
        // What nodes learn depends on their names, but not on the links between them.
        if (toml::table* topology =
                copy.get("topology") != nullptr ? copy.get("topology")->as_table() : nullptr)
            for (const char* key : {"kind", "degree", "rewire", "probability", "across", "radius",
                                    "branching", "blocks", "seed"})
                topology->erase(key);
    } else {
        return run.effective;
    }
    return as_text(copy);
}

class ExperimentParser {
  public:
    ExperimentParser(std::string_view text, const std::filesystem::path& file,
                     const scenario::ScenarioOptions& options, std::size_t most_runs)
        : text_(text), file_(file), options_(options), most_runs_(most_runs), complaints_(file.string()) {}

    Result<Experiment> parse() {
        experiment_.file = file_;
        experiment_.text = text_;
        const toml::table root = toml::parse(text_, file_.string());
        read_head(root);
        keys_ = read_swept_keys(root, complaints_);
        std::size_t combinations = 1;
        for (const auto& key : keys_) {
            experiment_.swept.push_back(key.name);
            combinations *= std::min(key.labels.size(), most_runs_ + 1);
            if (combinations > most_runs_)
                return refuse(file_.string() + ": sweep has more than " + std::to_string(most_runs_) +
                              " combinations");
        }
        std::vector<std::size_t> choice(keys_.size(), 0);
        while (!complaints_.any()) {
            add_run(choice);
            if (!advance(choice)) break;
        }
        if (complaints_.any()) return refuse(complaints_.first());
        experiment_.families = families_.size();
        return std::move(experiment_);
    }

  private:
    void read_head(const toml::table& root) {
        experiment_.name = file_.stem().string();
        TableReader reader(root, "", complaints_);
        reader.read("name", experiment_.name);
        reader.read("description", experiment_.description);
        experiment_.figures = read_figures(root, reader);
    }

    /// Moves to the next combination; the last key varies fastest. @return false after the last combination.
    bool advance(std::vector<std::size_t>& choice) const {
        for (std::size_t i = keys_.size(); i-- > 0;) {
            if (++choice[i] < keys_[i].labels.size()) return true;
            choice[i] = 0;
        }
        return false;
    }

    void add_run(const std::vector<std::size_t>& choice) {
        // The text is parsed again for each run. Values are moved to their places, because copies would lose
        // their line numbers.
        toml::table table = toml::parse(text_, file_.string());
        apply_choice(table, keys_, choice);
        for (const auto& key : kReportSections)
            table.erase(key);
        ExperimentRun run;
        run.index = experiment_.runs.size();
        run.effective = as_text(table);
        run.study = read_study(table, file_, experiment_.kind, options_, complaints_);
        run.family =
            families_.try_emplace(family_of(table, experiment_.kind, run), families_.size()).first->second;
        for (const auto& key : kStudySections)
            table.erase(key);
        run.scenario = scenario::read_scenario(table, file_, options_, complaints_);
        if (experiment_.kind == StudyKind::comparison &&
            run.scenario.network.transport == scenario::TransportKind::virtual_time)
            complaints_.add(
                0, "network.transport = \"virtual\": a comparison measures times, over real sockets");
        run.labels["seed"] = static_cast<double>(run.scenario.seed);
        for (std::size_t i = 0; i < keys_.size(); ++i)
            run.labels[keys_[i].name] = keys_[i].labels[choice[i]];
        experiment_.runs.push_back(std::move(run));
    }

    std::string_view text_;
    const std::filesystem::path& file_;
    const scenario::ScenarioOptions& options_;
    std::size_t most_runs_;
    Complaints complaints_;
    std::vector<SweptKey> keys_;
    std::map<std::string, std::size_t> families_;
    Experiment experiment_;
};

}  // namespace

Result<Experiment> parse_experiment(std::string_view text, const std::filesystem::path& file,
                                    const scenario::ScenarioOptions& options, std::size_t most_runs) {
    try {
        return ExperimentParser(text, file, options, most_runs).parse();
    } catch (const toml::parse_error& error) {
        return refuse(file.string() + ":" + std::to_string(error.source().begin.line) +
                      ": not TOML: " + std::string(error.description()));
    }
}

Result<Experiment> load_experiment(const std::filesystem::path& file,
                                   const scenario::ScenarioOptions& options) {
    auto text = scenario::read_scenario_file(file);
    if (!text) return failed_with(text.error());
    return parse_experiment(*text, file, options);
}

}  // namespace unlearn::sim::experiments
