#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <list>
#include <mutex>
#include <string>

#include "sim/report/terminal.hpp"

namespace unlearn::sim::report {

/// Shows the progress of several things at once. In a terminal, each running phase has a line with a bar,
/// which is redrawn as the phase advances; each finished phase leaves a line. In a file or pipe, a phase
/// writes a line when it starts, when it ends, and now and then in between if there is something new. These
/// lines become rarer the longer the phase takes.
///
/// All functions may be called from any thread. A `Progress` must outlive its phases.
///
///     Progress progress(stderr);
///     auto train = progress.start("train", nodes * epochs);
///     ... in the workers: train.advance();
class Progress {
    struct Entry;

  public:
    /// Whether a phase leaves a line when it ends. A transient phase (a node within "train") is shown in
    /// terminals only and leaves nothing.
    enum class Keep { line, nothing };

    /// One running phase. It ends when this object is destroyed. It is movable, so that it can be handed to
    /// the worker.
    class Phase {
      public:
        Phase(Phase&& other) noexcept;
        Phase& operator=(Phase&&) = delete;
        ~Phase();

        /// Adds `steps` to what is done of the phase's total.
        void advance(std::uint64_t steps = 1);

        /// Shows a few words beside the bar about what is happening, for example "node-3".
        void note(std::string text);

      private:
        friend class Progress;
        Phase(Progress* progress, std::list<Entry>::iterator entry) : progress_(progress), entry_(entry) {}

        Progress* progress_;  ///< null when moved from
        std::list<Entry>::iterator entry_;
    };

    /// Draws on `out`, usually stderr, which must stay open. The second form is given the terminal's
    /// abilities instead of detecting them.
    explicit Progress(std::FILE* out) : Progress(out, detect_terminal(out)) {}
    Progress(std::FILE* out, Terminal terminal, std::chrono::milliseconds plain_line_every = kPlainLineEvery);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// Starts a phase. `total` is in the units that `advance` counts. With 0 it is not known, and the elapsed
    /// time is shown instead of a bar.
    [[nodiscard]] Phase start(std::string label, std::uint64_t total, Keep keep = Keep::line);

    /// Prints a line of text that stays above the bars. Other output to the same terminal garbles the bars.
    void message(const std::string& text);

  private:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::seconds kPlainLineEvery{15};

    struct Entry {
        std::string label;
        std::uint64_t total = 0;
        std::uint64_t done = 0;
        std::string note;
        Keep keep = Keep::line;
        Clock::time_point started;
        Clock::time_point last_plain;  ///< when the last line about it was written to a file
        std::string last_text;         ///< the text of that line
    };

    void end(std::list<Entry>::iterator entry);
    void changed(Entry& entry);
    void erase_bars();
    void draw_bars();
    [[nodiscard]] std::string bar_line(const Entry& entry) const;
    void plain_line(Entry& entry, std::string text);
    [[nodiscard]] Clock::duration plain_pause(const Entry& entry) const;

    std::mutex mutex_;  ///< guards everything below, and the drawing
    std::FILE* out_;
    Terminal terminal_;
    std::chrono::milliseconds plain_line_every_;
    std::list<Entry> entries_;  ///< the running phases, in the order of their start
    int drawn_ = 0;             ///< number of bars on the screen; the cursor is below them
    Clock::time_point last_drawn_;
};

}  // namespace unlearn::sim::report
