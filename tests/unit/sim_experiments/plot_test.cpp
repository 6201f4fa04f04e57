#include "sim/report/plot.hpp"

#include <cstdlib>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "sample.hpp"

using namespace unlearn::sim::report;
using namespace unlearn::sim::report::test;

namespace {

std::string draw(const PlotSpec& plot, const std::vector<Row>& rows = sample_rows()) {
    const auto svg = draw_plot(plot, rows);
    REQUIRE_MESSAGE(svg.has_value(), (svg ? "" : svg.error().message));
    return *svg;
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size()))
        ++found;
    return found;
}

/// Programs are looked for in a folder without any, until the end of the test.
class NoPrograms {
  public:
    NoPrograms() : path_(std::getenv("PATH")) { ::setenv("PATH", "/nowhere", 1); }
    ~NoPrograms() { ::setenv("PATH", path_.c_str(), 1); }
    NoPrograms(const NoPrograms&) = delete;
    NoPrograms& operator=(const NoPrograms&) = delete;

  private:
    std::string path_;
};

}  // namespace

TEST_CASE("every kind of plot can be drawn, and twice the same") {
    for (const auto kind : {PlotSpec::Kind::lines, PlotSpec::Kind::points, PlotSpec::Kind::bars}) {
        for (const auto* x : {"temperature", "method"}) {
            for (const bool with_series : {true, false}) {
                PlotSpec plot = sample_plot();
                plot.kind = kind;
                plot.x = x;
                if (!with_series) plot.series.reset();
                const std::string svg = draw(plot);
                CHECK(svg == draw(plot));
                CHECK(contains(svg, "accuracy, %</text>"));
                CHECK(contains(svg, "<title>Accuracy by temperature</title>"));
                CHECK(count(svg, "<title>") == 1);
                CHECK(contains(svg, ">hdus</text>") == (with_series || plot.x == "method"));
            }
        }
    }
}

TEST_CASE("series differ in dashes, marks and fill, not only in colour") {
    PlotSpec plot = sample_plot();
    const std::string lines = draw(plot);
    CHECK(contains(lines, "stroke-dasharray"));
    CHECK(contains(lines, "<use xlink:href='#gpPt6'"));  // a filled circle
    CHECK(contains(lines, "<use xlink:href='#gpPt3'"));  // a hollow square
    plot.kind = PlotSpec::Kind::bars;
    CHECK(contains(draw(plot), "url(#gpPat"));
}

TEST_CASE("swept values stand at the axis as they are") {
    const std::string svg = draw(sample_plot());
    for (const auto* tick : {">1</text>", ">3</text>", ">9</text>"})
        CHECK(contains(svg, tick));
}

TEST_CASE("odd words are drawn as they are and run nothing") {
    PlotSpec plot = sample_plot();
    plot.title = "<b>\"it's\"</b> & more";
    plot.x_title = "it's \"a_b\" @c `touch /tmp/x` ^{2} 100% %g \\n {/Bold x}\nEOD";
    plot.kind = PlotSpec::Kind::bars;
    plot.x = "kind";
    plot.series = "who's";
    const std::string odd = "q'; system('false') # 50% <i>&amp;";
    const std::vector<Row> rows = {{"accuracy", 0.5, {{"kind", odd}, {"who's", std::string("_x_^'$0'")}}},
                                   {"accuracy", 0.6, {{"kind", std::string("b")}, {"who's", 2.0}}}};
    const std::string svg = draw(plot, rows);
    CHECK(contains(svg, "<title>&lt;b&gt;&quot;it&#39;s&quot;&lt;/b&gt; &amp; more</title>"));
    CHECK(contains(svg, "it's \"a_b\" @c `touch /tmp/x` ^{2} 100% %g \\n {/Bold x} EOD</text>"));
    CHECK(contains(svg, "q'; system('false') # 50% &lt;"));
    CHECK(contains(svg, ">_x_^'$0'</text>"));
    CHECK(contains(svg, ">who's = 2</text>"));
}

TEST_CASE("a long word is cut between letters") {
    PlotSpec plot = sample_plot();
    plot.kind = PlotSpec::Kind::points;
    plot.x = "name";
    plot.series.reset();
    std::string name;
    for (int i = 0; i < 40; ++i)
        name += "\u00e9";
    const std::string svg = draw(plot, {{"accuracy", 0.5, {{"name", name}}}});
    CHECK(contains(svg, name.substr(0, 2 * 28) + "\u2026</text>"));
}

TEST_CASE("twelve long lines have marks at some points") {
    std::vector<Row> rows;
    for (int series = 0; series < 12; ++series)
        for (int x = 0; x < 200; ++x)
            for (int seed = 1; seed <= 2; ++seed)
                rows.push_back({"accuracy",
                                series + 0.01 * x * seed,
                                {{"method", "method " + std::to_string(series)},
                                 {"temperature", double(x)},
                                 {"seed", double(seed)}}});
    const std::string svg = draw(sample_plot(), rows);
    CHECK(count(svg, "<use xlink") < 12 * 30);
    for (int series = 0; series < 12; ++series)
        CHECK(contains(svg, ">method " + std::to_string(series) + "</text>"));
}

TEST_CASE("a logarithmic axis leaves out what it cannot show") {
    PlotSpec plot = sample_plot();
    plot.series.reset();
    plot.log_x = true;
    plot.log_y = true;
    std::vector<Row> rows;
    for (const double seed : {1.0, 2.0})
        for (const double x : {0.0, 1.0, 10.0, 100.0})
            rows.push_back({"accuracy", x * seed * seed, {{"temperature", x}, {"seed", seed}}});
    CHECK(contains(draw(plot, rows), ">100</text>"));
    const auto none = draw_plot(plot, {{"accuracy", -1.0, {{"temperature", 1.0}}}});
    REQUIRE_FALSE(none);
    CHECK(none.error().message == "a logarithmic axis shows only what is above zero");
}

TEST_CASE("a plot without rows says so") {
    PlotSpec plot = sample_plot();
    plot.rows.metric = "loss";
    plot.rows.where["seed"] = {1.0};
    const auto svg = draw_plot(plot, sample_rows());
    REQUIRE_FALSE(svg);
    CHECK(svg.error().message ==
          "no measured row has metric \"loss\", label \"temperature\", label \"method\" and what \"where\" "
          "asks for");
}

TEST_CASE("without gnuplot there is one line that says how to get it") {
    const NoPrograms nothing;
    const auto svg = draw_plot(sample_plot(), sample_rows());
    REQUIRE_FALSE(svg);
    CHECK(svg.error().message == "gnuplot cannot be started; is it installed (Debian package gnuplot-nox)?");
}

TEST_CASE("an inline plot has ids of its own and no head of a document") {
    PlotSpec plot = sample_plot();
    plot.kind = PlotSpec::Kind::bars;
    const std::string svg = inline_svg(draw(plot), "plot7", "a \"label\"");
    CHECK(svg.rfind("<svg class=\"drawn\" role=\"img\" aria-label=\"a &quot;label&quot;\"", 0) == 0);
    CHECK_FALSE(contains(svg, "xmlns"));
    CHECK(contains(svg, "url(#plot7-gpPat"));
    CHECK(count(svg, " id='") + count(svg, " id=\"") ==
          count(svg, " id='plot7-") + count(svg, " id=\"plot7-"));
    CHECK(count(svg, "href='#") == count(svg, "href='#plot7-"));
}
