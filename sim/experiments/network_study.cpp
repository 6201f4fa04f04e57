#include "sim/experiments/network_study.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "node/learning/data/random.hpp"
#include "sim/experiments/exit_watch.hpp"
#include "sim/experiments/network_watch.hpp"
#include "sim/experiments/study_world.hpp"
#include "sim/run/learn.hpp"
#include "topologies/measures.hpp"

namespace unlearn::sim::experiments {
namespace {

using namespace std::chrono_literals;
using protocol::SteadyTime;

/// Nodes start at random times within this period, so that their timers do not tick together.
constexpr SteadyTime kStartTime = 1s;
constexpr SteadyTime kCheckSpreadEvery = 250ms;
constexpr std::chrono::seconds kLossyLeaseRenewal{15};

SteadyTime to_time(double seconds) {
    return SteadyTime(static_cast<std::int64_t>(std::llround(seconds * 1e6)));
}

ChurnSettings with_exit(const NetworkStudySettings& settings) {
    ChurnSettings churn = settings.churn;
    if (settings.exit_node)
        churn.schedule.push_back({settings.exit_at_seconds, ChurnEvent::Kind::exit, *settings.exit_node});
    return churn;
}

bool restarts(const ChurnPlan& plan) {
    return std::any_of(plan.events.begin(), plan.events.end(),
                       [](const auto& event) { return event.kind == ChurnEvent::Kind::come_back; });
}

StudyWorldSettings world_settings(const scenario::Scenario& scenario, const NetworkStudySettings& settings,
                                  std::shared_ptr<const LearntNetwork> learnt, const ChurnPlan& plan) {
    StudyWorldSettings world;
    world.scenario_seed = scenario.seed;
    world.seed = learning::stream_seed(scenario.seed, "", "network study");
    world.engine.network =
        learnt ? learnt->id() : protocol::network_id_of({scenario.name, {1}, {"a", "b"}, "none", {}});
    world.engine.pace = settings.pace;
    world.engine.lease_time = settings.lease_time;
    const bool loses = settings.link.loss > 0.0 && settings.link.lost == LinkSettings::Lost::message;
    world.engine.lease_renewal =
        settings.lease_renewal.value_or(loses ? kLossyLeaseRenewal : protocol::kLeaseRenewal);
    world.tick = settings.tick;
    world.link = settings.link;
    world.learnt = std::move(learnt);
    world.ensemble = scenario.ensemble;
    world.seed_bytes = settings.seed_bytes;
    world.forgets = !restarts(plan);
    return world;
}

/// One run of a scenario in virtual time.
class NetworkStudy {
  public:
    NetworkStudy(const scenario::Scenario& scenario, const NetworkStudySettings& settings, ChurnPlan plan,
                 std::shared_ptr<const LearntNetwork> learnt, report::Progress& progress)
        : graph_(scenario.graph),
          settings_(settings),
          plan_(std::move(plan)),
          progress_(progress),
          betweenness_(topologies::betweenness_of(graph_)),
          random_(learning::stream_seed(scenario.seed, "", "network study, starts")),
          workers_(scenario.run.threads),
          world_(graph_, world_settings(scenario, settings, learnt, plan_), workers_,
                 [this](std::size_t node, const protocol::Event& event) { on_event(node, event); }),
          watch_(world_, learnt, workers_, to_time(settings.patience_seconds)) {}

    Result<std::vector<report::Row>> run() {
        spread();
        begin_ = world_.time().now();
        if (settings_.node_rows) watch_.add_node_rows(rows_);
        plan_churn();
        const SteadyTime end = begin_ + to_time(settings_.duration_seconds);
        auto phase = progress_.start("network", plan_samples(end));
        phase_ = &phase;
        run_until(end);
        phase_ = nullptr;
        if (world_.problem()) return failed_with(*world_.problem());
        for (auto& exit : exits_) {
            exit->finish();
            exit->add_rows(rows_, settings_.node_rows);
        }
        add_counts();
        watch_.add_rows(rows_);
        return std::move(rows_);
    }

  private:
    void run_until(SteadyTime end) {
        world_.time().run_while(end, [this] { return !world_.problem().has_value(); });
    }

    /// Starts all nodes that do not wait, and lets the seeds reach their holders.
    void spread() {
        for (std::size_t node = 0; node < world_.size(); ++node) {
            const SteadyTime at(
                static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(kStartTime.count()))));
            if (!plan_.waiting.contains(world_.name(node)))
                world_.time().after(at, [this, node] { world_.start(node); });
        }
        const SteadyTime started = world_.time().now();
        const SteadyTime limit = started + to_time(settings_.spread_limit_seconds);
        run_until(started + kStartTime);
        while (watch_.missing_seeds() > 0 && world_.time().now() < limit && !world_.problem())
            run_until(world_.time().now() + kCheckSpreadEvery);
        add("spread_s", std::chrono::duration<double>(world_.time().now() - started).count());
        add("unspread", static_cast<double>(watch_.missing_seeds()));
    }

    void plan_churn() {
        for (const auto& event : plan_.events)
            world_.time().at(begin_ + to_time(event.at_seconds),
                             [this, event] { carry_out(event.kind, *graph_.index_of(event.node)); });
    }

    /// @return the number of samples.
    std::uint64_t plan_samples(SteadyTime end) {
        std::uint64_t count = 0;
        for (SteadyTime at = begin_; at <= end; at += to_time(settings_.sample_every_seconds), ++count)
            world_.time().at(at, [this, at] {
                watch_.sample(std::chrono::duration<double>(at - begin_).count(), rows_);
                phase_->advance();
            });
        return count;
    }

    void carry_out(ChurnEvent::Kind kind, std::size_t node) {
        switch (kind) {
            case ChurnEvent::Kind::join:
            case ChurnEvent::Kind::come_back:
                return world_.start(node);
            case ChurnEvent::Kind::leave:
                goes_down(node);
                return world_.leave(node);
            case ChurnEvent::Kind::crash:
                goes_down(node);
                return world_.crash(node);
            case ChurnEvent::Kind::exit:
                return begin_exit(node);
        }
    }

    void goes_down(std::size_t node) {
        for (auto& exit : exits_)
            exit->goes_down(node);
    }

    void begin_exit(std::size_t node) {
        auto& time = world_.time();
        ExitWatch& exit = *exits_.emplace_back(
            std::make_unique<ExitWatch>(world_, graph_, node, time.now(), betweenness_[node],
                                        [this](std::size_t holder) { return watch_.score(holder); }));
        for (const int milliseconds : ExitWatch::kCountAt)
            time.after(std::chrono::milliseconds(milliseconds),
                       [&exit, milliseconds] { exit.count_copies(milliseconds); });
        time.after(to_time(settings_.give_up_seconds), [this, node] { world_.give_up_exit(node); });
        world_.begin_exit(node);
    }

    void on_event(std::size_t node, const protocol::Event& event) {
        for (auto& exit : exits_)
            exit->on_event(node, event, world_.time().now());
        watch_.on_event(node, event);
        // The node stops right after this event, and no longer learns of other exits.
        if (event.kind == protocol::EventKind::retired) goes_down(node);
    }

    void add_counts() {
        std::map<ChurnEvent::Kind, std::size_t> counts;
        for (const auto& event : plan_.events)
            ++counts[event.kind];
        for (const auto kind : {ChurnEvent::Kind::join, ChurnEvent::Kind::leave, ChurnEvent::Kind::exit,
                                ChurnEvent::Kind::crash, ChurnEvent::Kind::come_back})
            add("churn_events", static_cast<double>(counts[kind]), {{"kind", std::string(to_text(kind))}});
    }

    void add(const char* metric, double value, std::map<std::string, report::Label> labels = {}) {
        rows_.push_back({metric, value, std::move(labels)});
    }

    const topologies::Graph& graph_;
    const NetworkStudySettings& settings_;
    ChurnPlan plan_;
    report::Progress& progress_;
    std::vector<double> betweenness_;
    learning::RandomStream random_;
    support::Workers workers_;
    std::vector<std::unique_ptr<ExitWatch>> exits_;  ///< declared before the world, which sends them events
    StudyWorld world_;
    NetworkWatch watch_;
    SteadyTime begin_{};
    report::Progress::Phase* phase_ = nullptr;
    std::vector<report::Row> rows_;
};

Result<void> check(const NetworkStudySettings& settings) {
    if (!(settings.link.loss >= 0.0 && settings.link.loss <= 1.0))
        return failed_with("network study: loss is not between 0 and 1");
    if (!(settings.sample_every_seconds > 0.0))
        return failed_with("network study: sample_every is not above 0");
    if (!(settings.duration_seconds >= 0.0)) return failed_with("network study: duration is below 0");
    if (settings.link.bytes_per_second && !(*settings.link.bytes_per_second > 0.0))
        return failed_with("network study: bandwidth is not above 0");
    if (!settings.learning && settings.seed_bytes == 0)
        return failed_with("network study: seed_bytes is not above 0");
    return {};
}

}  // namespace

Result<std::vector<report::Row>> run_network_study(const scenario::Scenario& scenario,
                                                   const NetworkStudySettings& settings,
                                                   report::Progress& progress,
                                                   std::shared_ptr<const LearntNetwork> learnt) {
    if (auto ok = check(settings); !ok) return failed_with(ok.error());
    auto plan = draw_churn(with_exit(settings), scenario.graph, settings.duration_seconds,
                           learning::stream_seed(scenario.seed, "", "churn"));
    if (!plan) return failed_with(plan.error());
    if (!settings.learning) learnt = nullptr;
    if (settings.learning && !learnt) {
        auto made = LearntNetwork::learn(scenario, progress);
        if (!made) return failed_with(made.error());
        learnt = std::move(*made);
    }
    return NetworkStudy(scenario, settings, std::move(*plan), std::move(learnt), progress).run();
}

}  // namespace unlearn::sim::experiments
