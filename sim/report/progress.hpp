#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <list>
#include <mutex>
#include <string>

#include "sim/report/terminal.hpp"

namespace unlearn::sim::report {

/// Progress of several things at once. In a terminal: a line with a bar for each phase that is running, drawn
/// again as they advance, and a line that stays for each that ended. In a file or pipe: a line when a phase
/// starts and ends, and now and then between when there is something new to say, rarer the longer it takes.
///
/// Any thread may call any function. Outlives its phases.
///
///     Progress progress(stderr);
///     auto train = progress.start("train", nodes * epochs);
///     ... in the workers: train.advance();
class Progress {
    struct Entry;

  public:
    /// Whether a phase leaves a line behind. A transient one (a node within "train") shows in terminals only
    /// and leaves nothing.
    enum class Keep { kLine, kNothing };

    /// One running phase; it ends when this object goes. Movable, so that it can be handed to whoever does
    /// the work.
    class Phase {
      public:
        Phase(Phase&& other) noexcept;
        Phase& operator=(Phase&&) = delete;
        ~Phase();

        /// More of the phase's total is done.
        void advance(std::uint64_t steps = 1);

        /// A few words beside the bar about what is happening, for example "node-3".
        void note(std::string text);

      private:
        friend class Progress;
        Phase(Progress* progress, std::list<Entry>::iterator entry) : progress_(progress), entry_(entry) {}

        Progress* progress_;  ///< null when moved from
        std::list<Entry>::iterator entry_;
    };

    /// Draws on `out`, usually stderr, which must stay open. The second form says what the terminal can do
    /// instead of looking.
    explicit Progress(std::FILE* out) : Progress(out, detect_terminal(out)) {}
    Progress(std::FILE* out, Terminal terminal, std::chrono::milliseconds plain_line_every = kPlainLineEvery);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// A phase begins. `total` is in whatever units `advance` counts; 0 when it is not known, which shows the
    /// time instead of a bar.
    [[nodiscard]] Phase start(std::string label, std::uint64_t total, Keep keep = Keep::kLine);

    /// A line of text that stays, above the bars. Whoever prints to the same terminal in another way tears
    /// the bars apart.
    void message(const std::string& text);

  private:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::seconds kPlainLineEvery{15};

    struct Entry {
        std::string label;
        std::uint64_t total = 0;
        std::uint64_t done = 0;
        std::string note;
        Keep keep = Keep::kLine;
        Clock::time_point started;
        Clock::time_point last_plain;  ///< when the last line about it went to a file
        std::string last_text;         ///< and what it said
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
    std::list<Entry> entries_;  ///< running, in the order of their start
    int drawn_ = 0;             ///< lines of bars now on the screen, the cursor below them
    Clock::time_point last_drawn_;
};

}  // namespace unlearn::sim::report
