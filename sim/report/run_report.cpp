#include "sim/report/run_report.hpp"

#include <algorithm>
#include <cmath>

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include "sim/report/graph_drawing.hpp"
#include "sim/report/html.hpp"
#include "sim/report/run_plots.hpp"
#include "sim/report/text.hpp"
#include "sim/report/verdict.hpp"

namespace unlearn::sim::report {
namespace {

using namespace html;

/// With more nodes than this, a plot by node would be too long to read. The table lists all of them.
constexpr std::size_t kMaxPlottedNodes = 40;

// ---- The parts of the page, from top to bottom. ----

std::string title_part(const RunResult& result) {
    std::string machine;
    if (!result.machine.cpu.empty()) machine += " \u00b7 " + result.machine.cpu;
    if (result.machine.cores > 0) machine += " \u00b7 " + counted(result.machine.cores, "core");
    return fmt::format(
        "<header>\n<h1>Learning apart, leaving for good: {}</h1>\n<p class=\"soft\">{} \u00b7 seed {}{}</p>\n"
        "</header>\n",
        escape_html(result.scenario), counted(result.nodes.size(), "node"), result.seed,
        escape_html(machine));
}

std::string verdict_part(const Verdict& verdict) {
    const bool warning = verdict.outcome == Outcome::incomplete || verdict.outcome == Outcome::not_checked;
    const char* kind = verdict.good() ? "good" : warning ? "warn" : "bad";
    const char* sign = verdict.good() ? "&#10003;" : warning ? "!" : "&#10007;";
    return fmt::format(
        "<section class=\"verdict {}\" role=\"status\">\n<h2>{} {}</h2>\n<p>{}</p>\n</section>\n", kind, sign,
        escape_html(verdict.headline), escape_html(verdict.detail));
}

std::string tiles_part(const RunResult& result) {
    std::string tiles;
    if (result.exactness.checked) {
        tiles += tile(grouped(result.exactness.differing),
                      "of " + grouped(result.exactness.predictions) +
                          " predictions differ from the world without the leaver");
    }
    if (!result.exits.empty()) {
        std::uint64_t receipts = 0;
        std::uint64_t holders = 0;
        double slowest = kNotMeasured;
        for (const auto& exit : result.exits) {
            receipts += exit.receipts;
            holders += exit.holders.size();
            slowest = std::fmax(slowest, exit.p99_ms);
        }
        tiles += tile(fmt::format("{} of {}", receipts, holders), "holders sent a signed receipt");
        tiles += tile(milliseconds(slowest), "to forget (99th percentile of the holders)");
    }
    tiles += tile(points(result.mean.full.gain()),
                  "points gained by the ensemble over the main model, on all classes");
    tiles += tile(points(result.mean.own.gain()), "points gained on each node's own classes");
    return "<div class=\"tiles\">\n" + tiles + "</div>\n";
}

std::string shown(const Verdict& verdict) {
    switch (verdict.outcome) {
        case Outcome::forgotten:
        case Outcome::incomplete:
            return "Whoever left is removed from this network's predictions.";
        case Outcome::different:
            return "Whoever left is not removed from this network's predictions: they are not those of a "
                   "world without it.";
        case Outcome::vacuous:
        case Outcome::unnoticed:
            return "Nothing: a comparison that cannot fail proves nothing.";
        case Outcome::receipted:
            return "Every holder has signed that it erased what it held of whoever left. Whether predictions "
                   "are "
                   "those of a world without it was not compared.";
        case Outcome::not_checked:
            return "Nothing about forgetting: no comparison with a world without the leaver was made.";
        case Outcome::nobody_left:
            return "How well the nodes learn together. Nobody left, so there was nothing to forget.";
    }
    return "";
}

std::string meaning_part(const RunResult& result, const Verdict& verdict) {
    std::string left =
        "<div>\n<h3>What this shows</h3>\n<p><strong>" + escape_html(shown(verdict)) + "</strong></p>\n";
    if (result.exactness.checked) {
        left += paragraph(
            "The scenario was run a second time, in a process of its own with nothing kept from the first, "
            "and in that "
            "world whoever left here had never existed. Every prediction of every survivor on the whole test "
            "set was "
            "compared bit for bit.");
        if (!std::isnan(result.exactness.world_b_seconds)) {
            left += paragraph("That second world took " + seconds(result.exactness.world_b_seconds) + ".",
                              " class=\"note\"");
        }
    }
    const std::string right =
        "</div>\n<div>\n<h3>What nobody can show</h3>\n" +
        paragraph(
            "That no dishonest holder kept a copy of the seed somewhere else. A receipt is a holder's signed "
            "word; its signature "
            "can be checked by anybody, the memory of its machine cannot.") +
        paragraph("Equality of bits holds for the same machine, software and number of threads.",
                  " class=\"note\"") +
        "</div>\n";
    return section("What is proved, and what is not", "<div class=\"pair\">\n" + left + right + "</div>\n");
}

std::vector<NodeMark> marks_of(const RunResult& result, const topologies::Graph& graph) {
    std::vector<NodeMark> marks(graph.size(), NodeMark::none);
    const auto mark = [&](const std::string& name, NodeMark value) {
        if (const auto index = graph.index_of(name)) marks[*index] = value;
    };
    for (const auto& exit : result.exits) {
        for (const auto& holder : exit.holders)
            mark(holder, NodeMark::holder);
        for (const auto& holder : exit.missing)
            mark(holder, NodeMark::silent);
    }
    // Leavers are marked last, because one leaver may have held the seed of another.
    for (const auto& exit : result.exits)
        mark(exit.node, NodeMark::left);
    return marks;
}

std::string network_part(const RunResult& result, const topologies::Graph& graph) {
    const auto key = [](const char* html, const char* text) {
        return fmt::format(
            "<li><svg class=\"key\" viewBox=\"0 0 32 32\" aria-hidden=\"true\">{}</svg>{}</li>", html, text);
    };
    std::string html = "<ul class=\"legend\">";
    html += key("<circle class=\"node\" cx=\"16\" cy=\"16\" r=\"11\"/>", "node");
    if (!result.exits.empty()) {
        html +=
            key("<circle class=\"node left\" cx=\"16\" cy=\"16\" r=\"11\"/>"
                "<path class=\"cross\" d=\"M10 10L22 22M10 22L22 10\"/>",
                "left for good");
        html +=
            key("<circle class=\"node\" cx=\"16\" cy=\"16\" r=\"9\"/><circle class=\"ring\" cx=\"16\" "
                "cy=\"16\" r=\"14\"/>",
                "held the leaver's seed, and erased it");
    }
    const std::vector<NodeMark> marks = marks_of(result, graph);
    if (std::find(marks.begin(), marks.end(), NodeMark::silent) != marks.end()) {
        html +=
            key("<circle class=\"node\" cx=\"16\" cy=\"16\" r=\"9\"/>"
                "<circle class=\"ring silent\" cx=\"16\" cy=\"16\" r=\"14\"/>",
                "held it, and sent no receipt");
    }
    html += "</ul>\n";
    const Layout layout = lay_out(graph);
    html += draw_graph(graph, layout, marks);
    if (!layout.by_graphviz) {
        html += paragraph(
            "Drawn on a circle, in the order of the nodes: Graphviz (neato) was not available for a better "
            "layout.",
            " class=\"note\"");
    }
    return section(
        "The network: " + counted(graph.size(), "node") + ", " + counted(graph.edges.size(), "link"), html);
}

/// Returns the rows of one accuracy plot. `part` selects own or full.
std::vector<AccuracyRow> accuracy_rows(const RunResult& result, Scores Accuracy::*part) {
    std::vector<AccuracyRow> rows;
    const bool exits = !result.exits.empty();
    if (exits) {
        // Means over the survivors of the last exit. Each of them has a value before and after it, so that
        // the means can be compared.
        const ExitResult& last = result.exits.back();
        rows.push_back({"mean", (last.before.*part).main, (last.before.*part).ensemble,
                        (last.after.*part).ensemble, true});
    } else {
        rows.push_back({"mean", (result.mean.*part).main, (result.mean.*part).ensemble, kNotMeasured, true});
    }
    if (result.nodes.size() > kMaxPlottedNodes) return rows;
    for (const auto& node : result.nodes) {
        const SurvivorResult* change = result.last_change_of(node.name);
        rows.push_back({node.name + (result.has_left(node.name) ? " (left)" : ""), (node.accuracy.*part).main,
                        (node.accuracy.*part).ensemble,
                        change ? (change->after.*part).ensemble : kNotMeasured, false});
    }
    return rows;
}

std::string accuracy_part(const RunResult& result) {
    std::string html = paragraph(
        "A main model knows its node's own data and nothing else. The ensemble adds what the neighbours' "
        "seed models know. "
        "The axes begin where the data do, not at zero.");
    html += accuracy_legend(!result.exits.empty());
    html += "<div class=\"pair\">\n" +
            plot_accuracy("On the node's own classes", accuracy_rows(result, &Accuracy::own)) +
            plot_accuracy("On all classes", accuracy_rows(result, &Accuracy::full)) + "</div>\n";
    if (result.nodes.size() > kMaxPlottedNodes)
        html += paragraph("The nodes one by one are in the table below.", " class=\"note\"");
    return section(result.exits.empty() ? "Accuracy" : "Accuracy before and after the exit", html);
}

std::string aside_part(const RunResult& result) {
    if (result.held_aside.empty()) return "";
    std::string rows;
    for (const auto& seed : result.held_aside)
        rows += "<tr>" + row_head(seed.holder) + cell(seed.owner) + cell(seed.why) + "</tr>\n";
    return section(
        "Seeds that arrived and are held aside",
        paragraph("A holder does not use a seed that would do harm, judged by what that seed says about "
                  "the reference set and about the holder's own validation data.") +
            table("<tr><th>Holder</th><th>Seed of</th><th>Why</th></tr>", rows));
}

std::string change_row(const std::string& label, const Accuracy& accuracy, const char* kind = "") {
    std::string row = fmt::format("<tr{}>", kind) + row_head(label);
    for (const auto& scores : {accuracy.own, accuracy.full}) {
        row += number_cell(percent(scores.main), true) + number_cell(percent(scores.ensemble)) +
               number_cell(points(scores.gain()));
    }
    return row + "</tr>\n";
}

const char* const kScoresHead =
    "<tr><th rowspan=\"2\"></th><th class=\"group\" colspan=\"3\">own classes, %</th>"
    "<th class=\"group\" colspan=\"3\">all classes, %</th></tr>\n"
    "<tr><th class=\"number first\">main</th><th class=\"number\">ensemble</th><th class=\"number\">gain</th>"
    "<th class=\"number first\">main</th><th class=\"number\">ensemble</th><th "
    "class=\"number\">gain</th></tr>";

std::string exit_part(const RunResult& result, const ExitResult& exit) {
    std::vector<HolderTime> times = exit.per_holder;
    std::stable_sort(times.begin(), times.end(), [](const auto& a, const auto& b) {
        return std::isnan(b.ms) ? !std::isnan(a.ms) : a.ms > b.ms;
    });
    std::vector<Bar> bars;
    std::string rows;
    for (const auto& time : times) {
        if (bars.size() < kMaxPlottedNodes) bars.push_back({time.node, time.ms, milliseconds(time.ms)});
    }
    for (const auto& name : exit.missing) {
        const auto why = exit.why_missing.find(name);
        rows += "<tr>" + row_head(name) +
                cell(why == exit.why_missing.end() ? "no receipt" : "no receipt: " + why->second) + "</tr>\n";
    }

    std::string html = paragraph(fmt::format(
        "{} held the seed of {}, and {} sent a signed receipt after erasing it from memory and "
        "disk. Time to forget, from the command to leave until the holder's receipt is stored at the "
        "leaver{}: median {}, 99th percentile {}, longest {}.",
        counted(exit.holders.size(), "node"), exit.node,
        exit.receipts == exit.holders.size() ? "each" : grouped(exit.receipts),
        result.in_virtual_time() ? ", in the virtual time of a simulated network" : "",
        milliseconds(exit.p50_ms), milliseconds(exit.p99_ms), milliseconds(exit.max_ms)));
    if (!rows.empty()) html += table("<tr><th>Holder</th><th>Receipt</th></tr>", rows);
    if (!bars.empty()) html += plot_bars("Time to forget, by holder", bars);
    html += "<h3>Mean accuracy of those who stayed</h3>\n";
    html += table(kScoresHead, change_row("before", exit.before) + change_row("after", exit.after));
    if (!exit.certificate.empty()) {
        html += fmt::format(
            "<p class=\"note\">The erasure certificate names every holder: <a href=\"{0}\">{0}</a></p>\n",
            escape_html(exit.certificate));
    }
    return section("The exit of " + exit.node, html);
}

std::string traffic_part(const RunResult& result) {
    const TrafficResult& traffic = result.traffic;
    std::string facts;
    const auto fact = [&](const char* name, const std::string& value) {
        facts += "<tr>" + row_head(name) + number_cell(value) + "</tr>\n";
    };
    // Exact bytes, because the three sizes differ by little.
    const auto exact = [](double value) {
        return std::isnan(value) ? std::string("-") : grouped(static_cast<std::uint64_t>(value)) + " B";
    };
    fact("on the wire, in all", exact(traffic.bytes));
    fact("seeds themselves", exact(traffic.seed_bytes));
    fact("seeds as transferred", exact(traffic.seed_transfer_bytes));
    fact("overhead of the transfer", decimal(traffic.overhead * 100.0, 2) + " %");
    fact("control messages", exact(traffic.control_bytes));

    std::string kinds;
    for (const auto& kind : traffic.by_kind) {
        kinds += "<tr>" + row_head(kind.kind) + number_cell(kind.messages ? grouped(*kind.messages) : "-") +
                 number_cell(exact(kind.bytes)) + "</tr>\n";
    }
    std::string html =
        "<div class=\"pair\">\n" + table("<tr><th>What</th><th class=\"number\">Size</th></tr>", facts);
    if (!kinds.empty()) {
        html +=
            table("<tr><th>Message</th><th class=\"number\">Number</th><th class=\"number\">Bytes</th></tr>",
                  kinds);
    }
    return section("Traffic", html + "</div>\n");
}

std::string seconds_part(const RunResult& result) {
    std::vector<Bar> bars;
    double total = kNotMeasured;
    for (const auto& [phase, value] : result.seconds) {
        if (phase == "total")
            total = value;
        else
            bars.push_back({phase, value, seconds(value)});
    }
    if (bars.empty()) return "";
    return section("Time",
                   paragraph("The whole run took " + seconds(total) + ".") + plot_bars("By phase", bars));
}

std::string node_row(const RunResult& result, const NodeResult& node) {
    const bool left = result.has_left(node.name);
    const SurvivorResult* change = result.last_change_of(node.name);
    std::string row = left ? "<tr class=\"gone\">" : "<tr>";
    row += row_head(node.name + (left ? " (left)" : "")) + number_cell(grouped(node.neighbours.size()));
    row += cell(node.main_architecture) + number_cell(grouped(node.main_parameters));
    row += cell(node.seed_architecture) + number_cell(grouped(node.seed_parameters));
    row += number_cell(grouped(node.training_images)) +
           cell(fmt::format("{}", fmt::join(node.missing_classes, ", ")));
    row +=
        number_cell(decimal(node.rho, 2), true) + number_cell(change ? decimal(change->rho_after, 2) : "-");
    for (const auto part : {&Accuracy::own, &Accuracy::full}) {
        row += number_cell(percent((node.accuracy.*part).main), true) +
               number_cell(percent((node.accuracy.*part).ensemble));
        row += number_cell(change ? percent((change->after.*part).ensemble) : "-");
    }
    return row + "</tr>\n";
}

std::string nodes_part(const RunResult& result) {
    const std::string scores =
        "<th class=\"number first\">main</th><th class=\"number\">before</th><th "
        "class=\"number\">after</th>";
    const std::string model = "<th class=\"first\">kind</th><th class=\"number\">size</th>";
    const std::string head =
        "<tr><th rowspan=\"2\">Node</th><th class=\"number\" rowspan=\"2\">Links</th>"
        "<th class=\"group\" colspan=\"2\">main model</th><th class=\"group\" colspan=\"2\">seed model</th>"
        "<th class=\"number first\" rowspan=\"2\">Images</th><th rowspan=\"2\">Lacks<br>classes</th>"
        "<th class=\"group\" colspan=\"2\">rho</th><th class=\"group\" colspan=\"3\">own classes, %</th>"
        "<th class=\"group\" colspan=\"3\">all classes, %</th></tr>\n<tr>" +
        model + model + "<th class=\"number first\">before</th><th class=\"number\">after</th>" + scores +
        scores + "</tr>";
    std::string rows;
    for (const auto& node : result.nodes)
        rows += node_row(result, node);
    return section(
        "The nodes",
        table(head, rows) + paragraph("Size counts parameters; before and after are the ensemble's. rho is "
                                      "the weight of the neighbours' seeds in the ensemble; each node "
                                      "chooses it on its own validation data, again after every change.",
                                      " class=\"note\""));
}

std::string footer_part(const RunResult& result) {
    std::string software;
    for (const auto& [key, value] : result.software) {
        software += (software.empty() ? "" : " \u00b7 ") + key + " " + value;
    }
    return fmt::format(
        "<footer class=\"note\"><p>Every number on this page comes from <a "
        "href=\"result.json\">result.json</a>. "
        "{}</p></footer>\n",
        escape_html(software));
}

}  // namespace

std::string render_report(const RunResult& result, const topologies::Graph& graph) {
    const Verdict verdict = judge(result);
    std::string body =
        title_part(result) + verdict_part(verdict) + tiles_part(result) + meaning_part(result, verdict);
    body += network_part(result, graph) + accuracy_part(result) + aside_part(result);
    for (const auto& exit : result.exits)
        body += exit_part(result, exit);
    body += traffic_part(result) + seconds_part(result) + nodes_part(result) + footer_part(result);
    return html::page(result.scenario + ": " + verdict.headline, body);
}

}  // namespace unlearn::sim::report
