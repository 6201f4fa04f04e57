#include "sim/report/progress.hpp"

#include <algorithm>
#include <utility>

#include <spdlog/fmt/fmt.h>

#include "sim/report/text.hpp"

namespace unlearn::sim::report {
namespace {

constexpr std::chrono::milliseconds kRedrawEvery{100};
/// The pause between lines in a file grows to 1/20 of the age of the phase: three minutes after an hour.
constexpr int kLinesOfAnAge = 20;
/// The largest number of bars; later phases are not shown. A terminal cannot redraw lines that have scrolled
/// away.
constexpr int kMaxBars = 12;
constexpr std::size_t kLabelWidth = 16;
constexpr int kBarWidth = 24;

double since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Formats a time as "1:05" or "12:40": short, and of a steady width.
std::string clock_time(double value) {
    const auto whole = static_cast<std::uint64_t>(std::clamp(value, 0.0, 359'999.0) + 0.5);
    return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

Progress::Phase::Phase(Phase&& other) noexcept
    : progress_(std::exchange(other.progress_, nullptr)), entry_(other.entry_) {}

Progress::Phase::~Phase() {
    if (progress_) progress_->end(entry_);
}

void Progress::Phase::advance(std::uint64_t steps) {
    const std::scoped_lock lock(progress_->mutex_);
    entry_->done += steps;
    if (entry_->total != 0) entry_->done = std::min(entry_->done, entry_->total);
    progress_->changed(*entry_);
}

void Progress::Phase::note(std::string text) {
    const std::scoped_lock lock(progress_->mutex_);
    entry_->note = std::move(text);
    progress_->changed(*entry_);
}

Progress::Progress(std::FILE* out, Terminal terminal, std::chrono::milliseconds plain_line_every)
    : out_(out), terminal_(terminal), plain_line_every_(plain_line_every) {}

Progress::~Progress() {
    const std::scoped_lock lock(mutex_);
    erase_bars();
    std::fflush(out_);
}

Progress::Phase Progress::start(std::string label, std::uint64_t total, Keep keep) {
    const std::scoped_lock lock(mutex_);
    const auto now = Clock::now();
    entries_.push_back({std::move(label), total, 0, "", keep, now, now, ""});
    if (terminal_.interactive)
        draw_bars();
    else
        plain_line(entries_.back(), "...");
    return {this, std::prev(entries_.end())};
}

void Progress::message(const std::string& text) {
    const std::scoped_lock lock(mutex_);
    erase_bars();
    fmt::print(out_, "{}\n", text);
    if (terminal_.interactive) draw_bars();
    std::fflush(out_);
}

void Progress::end(std::list<Entry>::iterator entry) {
    const std::scoped_lock lock(mutex_);
    const std::string took = seconds(since(entry->started));
    if (terminal_.interactive) {
        erase_bars();
        if (entry->keep == Keep::line) {
            fmt::print(out_, "{} {:<{}} {}\n", terminal_.unicode ? "\u2713" : "*", entry->label, kLabelWidth,
                       took);
        }
    } else {
        plain_line(*entry, "done in " + took);
    }
    entries_.erase(entry);
    if (terminal_.interactive) draw_bars();
}

/// Shows a change, unless the last drawing was a moment ago.
void Progress::changed(Entry& entry) {
    const auto now = Clock::now();
    if (terminal_.interactive) {
        if (now - last_drawn_ >= kRedrawEvery) draw_bars();
    } else if (now - entry.last_plain >= plain_pause(entry) && entry.total != 0) {
        plain_line(entry, fmt::format("{} %{}{}", entry.done * 100 / entry.total,
                                      entry.note.empty() ? "" : "  ", entry.note));
    }
}

Progress::Clock::duration Progress::plain_pause(const Entry& entry) const {
    return std::max<Clock::duration>(plain_line_every_, (Clock::now() - entry.started) / kLinesOfAnAge);
}

void Progress::plain_line(Entry& entry, std::string text) {
    if (entry.keep == Keep::nothing || text == entry.last_text) return;
    entry.last_plain = Clock::now();
    fmt::print(out_, "{}: {}\n", entry.label, text);
    entry.last_text = std::move(text);
    std::fflush(out_);
}

void Progress::erase_bars() {
    // Moves up to the first bar and clears everything from there.
    if (drawn_ > 0) fmt::print(out_, "\033[{}A\r\033[J", drawn_);
    drawn_ = 0;
}

void Progress::draw_bars() {
    erase_bars();
    for (const auto& entry : entries_) {
        if (drawn_ == kMaxBars) break;
        fmt::print(out_, "{}\n", bar_line(entry));
        ++drawn_;
    }
    last_drawn_ = Clock::now();
    std::fflush(out_);
}

std::string Progress::bar_line(const Entry& entry) const {
    const double elapsed = since(entry.started);
    std::string label = entry.label.substr(0, kLabelWidth);
    std::string text;
    int extra_bytes = 0;  // bytes that take no column of their own
    if (entry.total == 0) {
        text = fmt::format("  {:<{}} {}", label, kLabelWidth, clock_time(elapsed));
    } else {
        const int filled = static_cast<int>(entry.done * kBarWidth / entry.total);
        const char* full = terminal_.unicode ? "\u2588" : "#";
        const char* empty = terminal_.unicode ? "\u2591" : ".";
        std::string bar;
        for (int i = 0; i < kBarWidth; ++i)
            bar += i < filled ? full : empty;
        extra_bytes = static_cast<int>(bar.size()) - kBarWidth;
        const double part = static_cast<double>(entry.done) / static_cast<double>(entry.total);
        text = fmt::format("  {:<{}} {} {:3.0f} %  {}", label, kLabelWidth, bar, part * 100.0,
                           clock_time(elapsed));
        if (entry.done > 0 && entry.done < entry.total) {
            text += fmt::format(", {} left", clock_time(elapsed / part - elapsed));
        }
    }
    if (!entry.note.empty()) text += "  " + entry.note;
    // A line that wraps would take two lines, but be erased as one.
    const auto room = static_cast<std::size_t>(std::max(terminal_.width - 1, 1) + extra_bytes);
    if (text.size() > room && static_cast<std::size_t>(terminal_.width) > kLabelWidth + kBarWidth + 10)
        text.resize(room);
    return text;
}

}  // namespace unlearn::sim::report
