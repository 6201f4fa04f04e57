#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include "node/ctl/command.hpp"
#include "node/ctl/table.hpp"

// The command with which scripts wait until the node can be used: wait.
namespace unlearn::ctl {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using std::chrono::steady_clock;

struct WaitOptions {
    std::size_t seeds = 0;
    std::int64_t timeout_s = 600;
};

/// Tells from one answer to `GET /v1/status` whether the node is ready.
class Readiness {
  public:
    Readiness(const json& status, std::size_t seeds_wanted) : status_(status), seeds_wanted_(seeds_wanted) {}

    [[nodiscard]] bool is_ready() const {
        return field(status_, "state") == "running" && status_.value("own_seed", json()).is_object() &&
               settled() >= seeds_wanted_;
    }
    /// Returns why the node cannot become ready as things are; nothing when it can.
    [[nodiscard]] std::optional<std::string> failure() const {
        const auto state = field(status_, "state");
        if (state == "exiting" || state == "retired") return "this node is leaving the network";
        const json model = status_.value("model", json::object());
        if (const auto problem = field(model, "problem");
            problem != "-" && model.value("training", json()) != true)
            return "learning failed: " + problem;
        return std::nullopt;
    }
    /// Returns what is missing, for a caller that waited in vain.
    [[nodiscard]] std::string missing() const {
        const json peers = status_.value("peers", json::object());
        std::string line = field(status_, "state") == "running" ? "the main model is in use"
                                                                : "the node is " + field(status_, "state");
        if (!status_.value("own_seed", json()).is_object()) line += ", its own seed is not published";
        if (settled() < seeds_wanted_)
            line += ", " + std::to_string(settled()) + " of " + std::to_string(seeds_wanted_) +
                    " seeds are here (" + field(peers, "up") + " of " + field(peers, "known") +
                    " peers are up)";
        for (const auto& peer : peers.value("problems", json::array()))
            line += "; peer " + short_id(field(peer, "id")) + ": " + field(peer, "problem");
        for (const auto& seed : seeds())
            if (const auto state = field(seed, "state"); state != "in-use" && state != "held-aside")
                line += "; the seed of " + short_id(field(seed, "owner")) + " is " + state;
        const json storage = status_.value("storage", json::object());
        if (const auto problem = field(storage, "problem"); problem != "-")
            line += "; storage fails: " + problem;
        return line;
    }
    /// Prints one line for each seed that is here and not in use.
    void print_aside(std::ostream& out) const {
        for (const auto& seed : seeds())
            if (field(seed, "state") == "held-aside")
                out << "the seed of " << short_id(field(seed, "owner"))
                    << " is held aside: " << field(seed, "detail") << '\n';
    }

  private:
    [[nodiscard]] json seeds() const {
        auto seeds = status_.value("seeds", json::array());
        return seeds.is_array() ? seeds : json::array();
    }
    [[nodiscard]] std::size_t settled() const {
        const json all = seeds();
        return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](const json& seed) {
            const auto state = field(seed, "state");
            return state == "in-use" || state == "held-aside";
        }));
    }

    const json& status_;
    std::size_t seeds_wanted_;
};

Outcome<ExitCode> wait(const Context& context, const WaitOptions& options) {
    constexpr std::chrono::milliseconds kPollInterval{200};
    const auto daemon = context.daemon();
    if (!daemon) return tl::unexpected(daemon.error());
    const auto deadline = steady_clock::now() + seconds(options.timeout_s);
    for (;; std::this_thread::sleep_for(kPollInterval)) {
        const auto status = daemon->get("/v1/status");
        if (!status) return tl::unexpected(status.error());
        const Readiness readiness(*status, options.seeds);
        if (const auto why = readiness.failure()) return fail_with(ExitCode::failed, *why);
        const bool ready = readiness.is_ready();
        if (!ready && steady_clock::now() < deadline) continue;
        if (!ready)
            return fail_with(ExitCode::incomplete, "not ready after " + std::to_string(options.timeout_s) +
                                                       " s: " + readiness.missing());
        if (context.json)
            context.show(*status);
        else
            readiness.print_aside(context.console.out);
        return ExitCode::ok;
    }
}

}  // namespace

void add_wait_command(CLI::App& app, Commands& commands) {
    auto* command =
        app.add_subcommand("wait", "For scripts: return when the node predicts and has published its seed");
    auto options = std::make_shared<WaitOptions>();
    command
        ->add_option("--seeds", options->seeds,
                     "also wait for the seeds of this many peers, in use or held aside")
        ->capture_default_str();
    command->add_option("--timeout", options->timeout_s, "seconds until exit code 5")
        ->check(CLI::Range(1, 1'000'000'000))
        ->capture_default_str();
    commands.on(command, [options](const Context& context) { return wait(context, *options); });
}

}  // namespace unlearn::ctl
