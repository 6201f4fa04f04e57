#include "sim/report/plot_script.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include <spdlog/fmt/fmt.h>

#include "sim/report/axis.hpp"

namespace unlearn::sim::report {
namespace {

// ---- The look of the series. The lists differ in length, so that even the twelfth series is distinct. ----

/// The palette of Okabe and Ito, darkened where white paper needs it.
constexpr std::array<const char*, 6> kColours = {"#0072B2", "#B34700", "#000000",
                                                 "#007A5A", "#A03A82", "#6E5600"};
constexpr std::array<const char*, 5> kDashes = {"solid", "(12,5)", "(3,4)", "(12,4,3,4)", "(7,4)"};
/// Point types of gnuplot's SVG terminal: filled circle, hollow square, filled triangle, hollow diamond, ...
constexpr std::array<int, 11> kMarks = {7, 4, 9, 12, 5, 6, 11, 8, 13, 10, 3};
/// Fill styles: light, then hatchings that differ in grey.
constexpr std::array<const char*, 7> kFills = {"solid 0.35", "pattern 4", "pattern 0", "pattern 1",
                                               "solid 0.75", "pattern 5", "pattern 2"};

std::string dash(std::size_t series) {
    return series % kDashes.size() == 0 ? std::string("solid") : kDashes[series % kDashes.size()];
}

// ---- Sizes in units of the SVG: 1 px on screen; 720 units are 18 cm on paper. ----

constexpr double kWidth = 720.0;
constexpr double kHeight = 380.0;  // without the legend and slanted words
constexpr double kGlyph = 7.6;     // mean width of a letter
constexpr double kLegendLine = 20.0;
constexpr double kLegendMark = 72.0;  // space for the mark of a legend entry
constexpr double kPlotWidth = 620.0;  // approximate: what the numbers of the y axis leave
constexpr std::size_t kLongestWord = 28;
constexpr std::size_t kMostMarks = 20;  // most points of a line with marks at all of them
constexpr std::size_t kSparseMarks = 12;
constexpr std::size_t kMostXTicks = 10;

/// Counts letters instead of bytes, by skipping the continuation bytes of UTF-8.
std::size_t letters(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

/// Quotes a text for gnuplot. Within single quotes, only the quote itself has a meaning.
std::string gnuplot_string(const std::string& text) {
    std::string result = "'";
    for (const char c : text) {
        if (c == '\'') result += '\'';
        result += static_cast<unsigned char>(c) < ' ' || c == 0x7f ? ' ' : c;
    }
    return result + "'";
}

/// Quotes the text of a tick, which gnuplot takes for a format.
std::string quoted_tick(const std::string& text) {
    std::string doubled;
    for (const char c : text)
        doubled += c == '%' ? std::string("%%") : std::string(1, c);
    return gnuplot_string(doubled);
}

std::string shortened(const std::string& word) {
    if (letters(word) <= kLongestWord) return word;
    std::size_t end = 0;
    for (std::size_t count = 0; count < kLongestWord; ++count)
        for (++end; end < word.size() && (static_cast<unsigned char>(word[end]) & 0xC0) == 0x80;)
            ++end;
    return word.substr(0, end) + "\u2026";
}

// ---- What is drawn, in the units of the axes. ----

struct Mark {
    double x = 0.0;
    double y = 0.0;
    double low = 0.0;  ///< lower end of the interval; both ends are y if there is none
    double high = 0.0;
    bool has_interval = false;
};

struct DrawnSeries {
    std::string title;
    std::vector<Mark> marks;
};

class ScriptWriter {
  public:
    ScriptWriter(const PlotSpec& plot, const PlotData& data) : plot_(plot), data_(data) {
        bars_ = plot.kind == PlotSpec::Kind::bars;
        const auto is_word = [](const Label& x) { return std::holds_alternative<std::string>(x); };
        words_ = bars_ || std::any_of(data.xs.begin(), data.xs.end(), is_word);
        for (std::size_t i = 0; i < data.xs.size(); ++i)
            place_[data.xs[i]] = static_cast<double>(i);
        for (std::size_t i = 0; i < data.series.size(); ++i)
            drawn_.push_back({title_of(data.series[i]), marks_of(i)});
    }

    std::string write() {
        text_ = head();
        if (words_)
            write_word_axis();
        else
            write_x_axis();
        write_y_axis();
        for (std::size_t i = 0; i < drawn_.size(); ++i)
            write_data(i);
        for (std::size_t i = 0; i < drawn_.size(); ++i)
            add_series(i);
        for (std::size_t i = 0; i < parts_.size(); ++i)
            text_ += (i == 0 ? "plot " : ", ") + parts_[i];
        return text_ + "\n";
    }

  private:
    [[nodiscard]] bool side_by_side() const {
        return bars_ || (words_ && plot_.kind == PlotSpec::Kind::points);
    }

    /// The width of a bar, or of the place of a mark beside others.
    [[nodiscard]] double slot() const {
        return (bars_ ? 0.8 : 0.6) / static_cast<double>(std::max<std::size_t>(1, data_.series.size()));
    }

    [[nodiscard]] std::string title_of(const PlotSeries& series) const {
        if (!series.name) return "";
        const std::string text = to_text(*series.name);
        // A bare number in a legend would not say what it counts.
        return std::holds_alternative<double>(*series.name) ? *plot_.series + " = " + text : text;
    }

    [[nodiscard]] double x_of(const Label& x, std::size_t series) const {
        if (!words_) return std::get<double>(x);
        const double middle = (static_cast<double>(data_.series.size()) - 1.0) / 2.0;
        return place_.at(x) + (side_by_side() ? (static_cast<double>(series) - middle) * slot() : 0.0);
    }

    [[nodiscard]] std::vector<Mark> marks_of(std::size_t series) const {
        std::vector<Mark> marks;
        for (const auto& point : data_.series[series].points) {
            Mark mark{x_of(point.x, series), point.y.mean, point.y.mean, point.y.mean,
                      point.y.half_width.has_value()};
            mark.low -= point.y.half_width.value_or(0.0);
            mark.high += point.y.half_width.value_or(0.0);
            if (plot_.log_y && mark.y <= 0.0) continue;
            if (plot_.log_x && !words_ && mark.x <= 0.0) continue;
            // On a logarithmic axis, an interval that reaches zero has no lower end. It is cut at a tenth of
            // the mean.
            if (plot_.log_y) mark.low = std::max(mark.low, mark.y / 10.0);
            marks.push_back(mark);
        }
        return marks;
    }

    [[nodiscard]] bool has_legend() const { return !drawn_.front().title.empty(); }

    [[nodiscard]] double legend_height() const {
        std::size_t longest = 0;
        std::size_t entries = 0;
        for (const auto& series : drawn_) {
            longest = std::max(longest, letters(series.title));
            entries += series.title.empty() ? 0 : 1;
        }
        const double entry = static_cast<double>(longest) * kGlyph + kLegendMark;
        const double columns = std::max(1.0, std::floor(kWidth / entry));
        return std::ceil(static_cast<double>(entries) / columns) * kLegendLine;
    }

    [[nodiscard]] std::size_t longest_word() const {
        std::size_t longest = 0;
        for (const Label& x : data_.xs)
            longest = std::max(longest, letters(shortened(to_text(x))));
        return longest;
    }

    /// Whether the words of the x axis are slanted, because they do not fit side by side.
    [[nodiscard]] bool slanted() const {
        const double room = kPlotWidth / static_cast<double>(std::max<std::size_t>(1, data_.xs.size()));
        return words_ && static_cast<double>(longest_word()) * kGlyph > room * 0.95;
    }

    [[nodiscard]] std::string head() const {
        const double slant = slanted() ? static_cast<double>(longest_word()) * kGlyph * 0.6 : 0.0;
        const double height = kHeight + legend_height() + slant;
        return fmt::format(
            "set encoding utf8\n"
            "set terminal svg size {:.0f},{:.0f} dynamic noenhanced font 'Arial,14' background rgb "
            "'#ffffff'\n"
            "set key bmargin center horizontal Left reverse samplen 3.5 spacing 1.15\n"
            "set border 3 linewidth 1.2\n"
            "set grid ytics linetype 1 linewidth 0.6 linecolor rgb '#d0d0d0' dashtype solid\n"
            "set xlabel {}{} offset 0,{}\nset ylabel {}\n",
            kWidth, height, gnuplot_string(plot_.x_title), has_legend() ? ".\"\\n\"" : "",
            slanted() ? 1.2 : 0.5, gnuplot_string(plot_.y_title));
    }

    void write_ticks(const char* axis, const std::vector<double>& ticks) {
        text_ += fmt::format("set {}tics nomirror out scale 0.6 (", axis);
        for (std::size_t i = 0; i < ticks.size(); ++i)
            text_ += fmt::format("{}{} {}", i == 0 ? "" : ", ", quoted_tick(tick_text(ticks[i])), ticks[i]);
        text_ += ")\n";
    }

    void write_word_axis() {
        text_ += fmt::format("set xrange [-0.6:{}]\nset xtics nomirror out scale 0.6 {} (",
                             static_cast<double>(data_.xs.size()) - 0.4,
                             slanted() ? "rotate by 35 right" : "norotate");
        for (std::size_t i = 0; i < data_.xs.size(); ++i)
            text_ +=
                fmt::format("{}{} {}", i == 0 ? "" : ", ", quoted_tick(shortened(to_text(data_.xs[i]))), i);
        text_ += ")\n";
    }

    void write_x_axis() {
        double least = std::numeric_limits<double>::infinity();
        double most = -least;
        std::vector<double> values;
        for (const Label& label : data_.xs) {
            const double x = std::get<double>(label);
            if (plot_.log_x && x <= 0.0) continue;
            values.push_back(x);
            least = std::min(least, x);
            most = std::max(most, x);
        }
        if (values.empty()) return;
        const bool whole =
            std::all_of(values.begin(), values.end(), [](double x) { return x == std::trunc(x); });
        Axis axis = plot_.log_x ? log_axis(least, most) : linear_axis(least, most, whole);
        // The first mark of a line that begins at round 0 must not touch the y axis.
        if (!plot_.log_x && values.size() <= kMostMarks)
            axis.least = std::min(axis.least, least - 0.03 * (most - least));
        if (values.size() <= kMostXTicks && far_apart(values)) axis.ticks = values;
        text_ += fmt::format("set xrange [{}:{}]\n{}", axis.least, axis.most,
                             plot_.log_x ? "set logscale x\n" : "");
        write_ticks("x", axis.ticks);
    }

    /// Whether swept values such as 1, 3, 9 are so far apart that each can have a tick.
    [[nodiscard]] bool far_apart(const std::vector<double>& ascending) const {
        const auto at = [&](double value) { return plot_.log_x ? std::log(value) : value; };
        const double whole = at(ascending.back()) - at(ascending.front());
        for (std::size_t i = 1; i < ascending.size(); ++i)
            if (at(ascending[i]) - at(ascending[i - 1]) < whole * 0.06) return false;
        return true;
    }

    void write_y_axis() {
        double least = bars_ && !plot_.log_y ? 0.0 : std::numeric_limits<double>::infinity();
        double most = bars_ && !plot_.log_y ? 0.0 : -std::numeric_limits<double>::infinity();
        for (const auto& series : drawn_) {
            for (const Mark& mark : series.marks) {
                least = std::min(least, mark.low);
                most = std::max(most, mark.high);
            }
        }
        if (least > most) return;
        Axis axis = plot_.log_y ? log_axis(least, most) : linear_axis(least, most);
        text_ += fmt::format("set yrange [{}:{}]\n{}", axis.least, axis.most,
                             plot_.log_y ? "set logscale y\n" : "");
        write_ticks("y", axis.ticks);
        if (axis.least < 0.0) text_ += "set xzeroaxis linetype 1 linewidth 1 linecolor rgb '#606060'\n";
    }

    /// Whether a mark of a series is drawn. A long line has marks only at some of its points, and not at
    /// those of the neighbouring lines.
    [[nodiscard]] bool is_marked(std::size_t series, std::size_t index) const {
        const std::size_t count = drawn_[series].marks.size();
        if (plot_.kind != PlotSpec::Kind::lines || count <= kMostMarks) return true;
        const std::size_t every = (count + kSparseMarks - 1) / kSparseMarks;
        return index % every == (series * every / drawn_.size()) % every;
    }

    void write_data(std::size_t series) {
        std::string marks;
        std::string intervals;
        text_ += fmt::format("$line{} << EOD\n", series);
        for (std::size_t i = 0; i < drawn_[series].marks.size(); ++i) {
            const Mark& mark = drawn_[series].marks[i];
            text_ += fmt::format("{} {}\n", mark.x, mark.y);
            if (!is_marked(series, i)) continue;
            marks += fmt::format("{} {}\n", mark.x, mark.y);
            if (mark.has_interval)
                intervals += fmt::format("{} {} 0 {}\n", mark.x, mark.low, mark.high - mark.low);
        }
        text_ += "EOD\n";
        // gnuplot rejects an empty block.
        if (!marks.empty()) text_ += fmt::format("$marks{} << EOD\n{}EOD\n", series, marks);
        if (!intervals.empty()) text_ += fmt::format("$intervals{} << EOD\n{}EOD\n", series, intervals);
        has_intervals_.push_back(!intervals.empty());
    }

    void add_series(std::size_t i) {
        if (drawn_[i].marks.empty()) return;
        const std::string title =
            drawn_[i].title.empty() ? std::string("notitle") : "title " + gnuplot_string(drawn_[i].title);
        const char* colour = kColours[i % kColours.size()];
        if (bars_) {
            parts_.push_back(fmt::format(
                "$line{} using 1:2:({}) with boxes linecolor rgb '{}' linewidth 1.2 fillstyle {} border {}",
                i, slot() * 0.92, colour, kFills[i % kFills.size()], title));
            add_intervals(i, "#000000");
            return;
        }
        add_intervals(i, colour);
        if (plot_.kind == PlotSpec::Kind::points) {
            add_marks(i, colour, title);
            return;
        }
        const std::string line = fmt::format("dashtype {} linewidth 1.8 linecolor rgb '{}'", dash(i), colour);
        parts_.push_back(fmt::format("$line{} with lines {} notitle", i, line));
        add_marks(i, colour, "notitle");
        if (!drawn_[i].title.empty())
            parts_.push_back(fmt::format("keyentry with linespoints {} pointtype {} pointsize 0.9 {}", line,
                                         kMarks[i % kMarks.size()], title));
    }

    /// Draws intervals as arrows with flat heads, because gnuplot's own error bars leave a white gap where
    /// they cross a line.
    void add_intervals(std::size_t series, const char* colour) {
        if (!has_intervals_[series]) return;
        parts_.push_back(
            fmt::format("$intervals{} with vectors heads size screen 0.005,90 fixed nofilled linewidth 1.2 "
                        "dashtype solid "
                        "linecolor rgb '{}' notitle",
                        series, colour));
    }

    /// Fills hollow marks with white, so that what lies below does not make them look like other marks.
    void add_marks(std::size_t series, const char* colour, const std::string& title) {
        const int mark = kMarks[series % kMarks.size()];
        const bool hollow = mark % 2 == 0;
        if (hollow)
            parts_.push_back(
                fmt::format("$marks{} with points pointtype {} pointsize 0.9 linecolor rgb '#ffffff' notitle",
                            series, mark + 1));
        parts_.push_back(
            fmt::format("$marks{} with points pointtype {} pointsize 0.9 linewidth 1.6 linecolor rgb '{}' {}",
                        series, mark, colour, title));
    }

    const PlotSpec& plot_;
    const PlotData& data_;
    bool bars_ = false;
    bool words_ = false;  ///< whether the x axis has places for words instead of numbers
    std::map<Label, double> place_;
    std::vector<DrawnSeries> drawn_;
    std::vector<bool> has_intervals_;
    std::string text_;
    std::vector<std::string> parts_;  ///< the parts of the plot command
};

}  // namespace

std::string plot_script(const PlotSpec& plot, const PlotData& data) {
    return ScriptWriter(plot, data).write();
}

}  // namespace unlearn::sim::report
