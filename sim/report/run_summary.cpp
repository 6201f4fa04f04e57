#include <algorithm>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include "sim/report/run_report.hpp"
#include "sim/report/text.hpp"
#include "sim/report/verdict.hpp"

namespace unlearn::sim::report {
namespace {

/// More rows than this push the verdict off the screen. The page lists all of them.
constexpr std::size_t kMaxNodeRows = 24;

constexpr int kMinWidth = 72;
constexpr int kMaxWidth = 100;

/// Prints the parts of the summary with what the terminal supports.
class Summary {
  public:
    Summary(const RunResult& result, std::ostream& out, const Terminal& terminal)
        : result_(result),
          out_(out),
          terminal_(terminal),
          width_(std::clamp(terminal.width, kMinWidth, kMaxWidth)) {}

    void print() {
        print_nodes();
        print_means();
        print_aside();
        for (const auto& exit : result_.exits)
            print_exit(exit);
        print_costs();
        print_verdict();
    }

  private:
    void line(const std::string& text = "") { out_ << text << '\n'; }

    void heading(const std::string& text) {
        const std::string shown = text + " ";
        std::string rule;
        for (int i = static_cast<int>(shown.size()); i < width_; ++i)
            rule += terminal_.unicode ? "\u2500" : "-";
        line();
        line((terminal_.colour ? "\033[1m" + shown + "\033[0m" : shown) + rule);
    }

    /// Prints text, broken between words to fit the width.
    void wrapped(const std::string& text) {
        std::istringstream stream(text);
        std::vector<std::string> words;
        for (std::string word; stream >> word;)
            words.push_back(word);
        wrapped(words);
    }

    /// Prints pieces of text on as few lines as possible, without breaking a piece.
    void wrapped(const std::vector<std::string>& pieces) {
        const std::string indent = "  ";
        std::string current = indent;
        for (const auto& piece : pieces) {
            if (current.size() > indent.size() &&
                current.size() + 1 + piece.size() > static_cast<std::size_t>(width_)) {
                line(current);
                current = indent;
            }
            current += (current.size() > indent.size() ? " " : "") + piece;
        }
        if (current.size() > indent.size()) line(current);
    }

    static std::string scores(const Accuracy& accuracy) {
        return fmt::format("{:>8} {:>8} {:>6}   {:>8} {:>8} {:>6}", percent(accuracy.own.main),
                           percent(accuracy.own.ensemble), points(accuracy.own.gain()),
                           percent(accuracy.full.main), percent(accuracy.full.ensemble),
                           points(accuracy.full.gain()));
    }

    void scores_head(const char* first) {
        line(fmt::format("  {:<20} {:>19}        {:>19}", "", "own classes, %", "all classes, %"));
        line(fmt::format("  {:<20} {:>8} {:>8} {:>6}   {:>8} {:>8} {:>6}", first, "main", "ensemble", "gain",
                         "main", "ensemble", "gain"));
    }

    void print_nodes() {
        heading(fmt::format("{}, seed {}: {}", cut_to(result_.scenario, 30), result_.seed,
                            counted(result_.nodes.size(), "node")));
        scores_head("node");
        const std::size_t shown = std::min(result_.nodes.size(), kMaxNodeRows);
        for (std::size_t i = 0; i < shown; ++i) {
            const NodeResult& node = result_.nodes[i];
            const std::string name = cut_to(node.name, 9);
            line(fmt::format("  {:<9} {:<10} {}", name, cut_to(node.main_architecture, 10),
                             scores(node.accuracy)));
        }
        if (shown < result_.nodes.size()) line(fmt::format("  and {} more", result_.nodes.size() - shown));
    }

    void print_means() { line(fmt::format("  {:<20} {}", "mean", scores(result_.mean))); }

    void print_aside() {
        constexpr std::size_t kMost = 4;
        const auto& aside = result_.held_aside;
        if (aside.empty()) return;
        heading("Held aside: " + counted(aside.size(), "seed"));
        // Holders judge a seed alike unless their data differ, so they are grouped.
        std::map<std::pair<std::string, std::string>, std::vector<std::string>> holders;
        for (const auto& seed : aside)
            holders[{seed.owner, seed.why}].push_back(seed.holder);
        std::size_t shown = 0;
        for (const auto& [seed, by] : holders) {
            if (++shown > kMost) break;
            wrapped(fmt::format("That of {} by {}: {}.", seed.first, list(by), seed.second));
        }
        if (holders.size() > kMost) line(fmt::format("  and those of {} more", holders.size() - kMost));
    }

    void print_exit(const ExitResult& exit) {
        heading("Exit of " + cut_to(exit.node, 40));
        line(fmt::format("  {:<20} {}", "survivors before", scores(exit.before)));
        line(fmt::format("  {:<20} {}", "survivors after", scores(exit.after)));
        wrapped(fmt::format("Held by {}: {} of {} sent a receipt.", list(exit.holders), exit.receipts,
                            exit.holders.size()));
        if (!exit.missing.empty()) wrapped(fmt::format("MISSING: no receipt from {}.", list(exit.missing)));
        for (const auto& [holder, why] : exit.why_missing)
            wrapped(fmt::format("{}: {}.", holder, why));
        line(fmt::format("  Time to forget{}: median {}, 99th percentile {}, longest {}",
                         result_.in_virtual_time() ? " (virtual)" : "", milliseconds(exit.p50_ms),
                         milliseconds(exit.p99_ms), milliseconds(exit.max_ms)));
    }

    void print_costs() {
        heading("Cost");
        const TrafficResult& traffic = result_.traffic;
        wrapped(fmt::format("Traffic: {} in all; seeds {}, overhead {} %, control {}.", bytes(traffic.bytes),
                            bytes(traffic.seed_bytes), decimal(traffic.overhead * 100.0, 2),
                            bytes(traffic.control_bytes)));
        std::vector<std::string> phases;
        for (const auto& [phase, value] : result_.seconds) {
            phases.push_back((phases.empty() ? "Time: " : "") + phase + " " + seconds(value) + ",");
        }
        if (phases.empty()) return;
        phases.back().back() = '.';
        wrapped(phases);
    }

    void print_verdict() {
        const Verdict verdict = judge(result_);
        const char* sign =
            verdict.good() ? (terminal_.unicode ? "\u2713 " : "") : (terminal_.unicode ? "\u2717 " : "");
        const char* colour = verdict.good() ? "\033[1;32m" : "\033[1;31m";
        heading("Forgetting");
        line("  " +
             (terminal_.colour ? colour + (sign + verdict.headline) + "\033[0m" : sign + verdict.headline));
        wrapped(verdict.detail);
        if (verdict.outcome == Outcome::forgotten || verdict.outcome == Outcome::incomplete) {
            wrapped(
                "This shows removal from this network's predictions. That no dishonest holder kept a copy "
                "cannot be shown by "
                "anybody.");
        }
    }

    const RunResult& result_;
    std::ostream& out_;
    const Terminal& terminal_;
    int width_;
};

/// Replaces control characters, so that a name from a file cannot control the terminal.
std::string without_controls(const std::string& text) {
    std::string result = text;
    std::replace_if(
        result.begin(), result.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; },
        '?');
    return result;
}

void disarm(nlohmann::json& json) {
    if (json.is_string()) {
        json = without_controls(json.get<std::string>());
        return;
    }
    if (!json.is_structured()) return;
    for (auto& element : json)
        disarm(element);
}

}  // namespace

void print_summary(const RunResult& result, std::ostream& out, const Terminal& terminal) {
    nlohmann::json safe = to_json(result);
    disarm(safe);
    Summary(read_result(safe).value(), out, terminal).print();
}

}  // namespace unlearn::sim::report
