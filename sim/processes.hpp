#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "sim/daemon_files.hpp"
#include "sim/event_log.hpp"
#include "sim/nodes.hpp"
#include "sim/prepare.hpp"
#include "sim/progress.hpp"
#include "sim/workers.hpp"

namespace unlearn::sim {

/// All nodes of one scenario as `unlearnd` processes, used over their control sockets. The functions are
/// called in the order in which they stand here, all from the thread that made the object; every error is
/// one line that names the node and, where its process ended, its last words. No process outlives the object.
class Processes : public Nodes {
  public:
    /// `scenario`, `setup` and `progress` must outlive the object. events.jsonl is written to `folder`.
    Processes(const Scenario& scenario, const Setup& setup, FleetFiles files,
              const std::filesystem::path& folder, Progress& progress);
    ~Processes() override;
    Processes(const Processes&) = delete;
    Processes& operator=(const Processes&) = delete;

    /// Starts all and waits until each has learnt its main model.
    [[nodiscard]] tl::expected<void, std::string> start(const std::filesystem::path& program);
    /// Waits until every seed has reached every neighbour.
    [[nodiscard]] tl::expected<void, std::string> exchange();
    [[nodiscard]] tl::expected<std::vector<Evaluation>, std::string> evaluate() override;
    [[nodiscard]] tl::expected<ExitOutcome, std::string> exit(const std::string& name) override;
    [[nodiscard]] std::vector<NodeFacts> facts() const override;
    /// `traffic` of result.json.
    [[nodiscard]] tl::expected<nlohmann::json, std::string> traffic();
    /// Ends all and checks that each ended well.
    [[nodiscard]] tl::expected<void, std::string> stop();

  private:
    struct Member;

    [[nodiscard]] std::string failure(Member& member, const std::string& what);
    [[nodiscard]] std::optional<std::string> first_ended();
    [[nodiscard]] tl::expected<bool, std::string> has_learnt(Member& member);
    [[nodiscard]] tl::expected<std::size_t, std::string> settled_seeds(Member& member);
    [[nodiscard]] std::optional<std::string> load_main(Member& member);
    [[nodiscard]] std::optional<std::string> predict(Member& member, Evaluation& out);
    [[nodiscard]] std::string name_of(const std::string& id) const;
    [[nodiscard]] bool has_exited(const std::string& id) const;
    void follow_events(Member& member);
    void join_events();

    const Scenario& scenario_;
    const Setup& setup_;
    Progress& progress_;
    EventLog events_;
    Workers workers_;
    at::Tensor test_inputs_;                        ///< scaled as models see them
    std::vector<std::unique_ptr<Member>> members_;  ///< in the order of setup_.nodes
};

}  // namespace unlearn::sim
