#pragma once

namespace unlearn::sim::report {

/// The style sheet of report.html. Colours are variables, set once for light and once for dark screens; print
/// is always light. Whatever a colour shows is also shown by a word, a shape or a line style, so that the
/// page can be read in grey.
inline constexpr const char* kReportStyle = R"css(
:root { color-scheme: light dark;
  --page: #f5f6f8; --card: #ffffff; --ink: #1b2430; --soft: #566273; --line: #d6dbe2; --grid: #e6e9ee;
  --accent: #1f5c99; --fill: #cfe0f1; --good: #176b3a; --good-back: #e7f4ec; --bad: #a3201f; --bad-back: #fbe9e8;
  --warn: #7a5200; --warn-back: #fdf3dc; }
@media screen and (prefers-color-scheme: dark) { :root {
  --page: #12161c; --card: #1b212a; --ink: #e6eaf0; --soft: #9aa7b8; --line: #364152; --grid: #29323f;
  --accent: #7db4ea; --fill: #24415f; --good: #7fd6a1; --good-back: #16301f; --bad: #ff9d98; --bad-back: #3d1917;
  --warn: #f0c674; --warn-back: #37290c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto,
  "Helvetica Neue", "Noto Sans", "Liberation Sans", Arial, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 28px 20px 56px; }
h1 { font-size: 1.5rem; margin: 0; line-height: 1.25; }
h2 { font-size: 1.12rem; margin: 0 0 .6rem; }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
p { margin: .4rem 0; }
a { color: var(--accent); }
.soft, .note { color: var(--soft); }
.note { font-size: .88rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 20px 22px; margin-top: 18px; }
.verdict { border: 2px solid; border-left-width: 12px; }
.pair h3 { margin-top: .2rem; }
.verdict h2 { font-size: 1.6rem; line-height: 1.2; margin-bottom: .3rem; }
.verdict p { font-size: 1.05rem; color: var(--ink); }
.verdict.good { color: var(--good); background: var(--good-back); border-color: var(--good); }
.verdict.bad { color: var(--bad); background: var(--bad-back); border-color: var(--bad); border-style: double;
  border-width: 6px; border-left-width: 12px; }
.verdict.warn { color: var(--warn); background: var(--warn-back); border-color: var(--warn); border-style: dashed; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin-top: 18px; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 16px; }
.tile b { display: block; font-size: 1.45rem; line-height: 1.25; font-variant-numeric: tabular-nums; }
.tile span { color: var(--soft); font-size: .88rem; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 12px 32px; align-items: start; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .84rem; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 6px; text-align: left; border-bottom: 1px solid var(--line); white-space: nowrap; }
thead th { color: var(--soft); font-weight: 600; border-bottom: 2px solid var(--line); vertical-align: bottom; }
th.group { text-align: center; border-left: 1px solid var(--line); }
td.number, th.number { text-align: right; }
td.first, th.first { border-left: 1px solid var(--line); }
tr.mean td, tr.mean th { font-weight: 600; border-top: 2px solid var(--line); }
tr.gone td, tr.gone th { color: var(--soft); font-style: italic; }
tbody th { font-weight: 500; }
svg { display: block; width: 100%; height: auto; font: 12px system-ui, "Noto Sans", "Liberation Sans", Arial, sans-serif; }
svg text { fill: var(--ink); }
svg .title { font-size: 13px; font-weight: 600; }
svg .strong { font-weight: 700; }
svg.plot { max-width: 520px; }
svg.graph text { paint-order: stroke; stroke: var(--card); stroke-width: 4px; stroke-linejoin: round; }
svg.graph { max-width: 640px; margin: 0 auto; font-size: 13px; }
.link { stroke: var(--soft); stroke-width: 1.4; }
.link.gone { stroke-dasharray: 4 5; opacity: .65; }
.node { fill: var(--fill); stroke: var(--accent); stroke-width: 2; }
.node.left { fill: var(--card); stroke: var(--bad); stroke-dasharray: 4 3; }
.cross { stroke: var(--bad); stroke-width: 2.6; fill: none; }
.ring { fill: none; stroke: var(--accent); stroke-width: 2; }
.ring.silent { stroke: var(--bad); stroke-dasharray: 2 4; stroke-width: 3; }
.grid { stroke: var(--grid); stroke-width: 1; }
.span { stroke: var(--soft); stroke-width: 1; opacity: .6; }
.mark.main { fill: var(--card); stroke: var(--soft); stroke-width: 1.8; }
.mark.before { fill: none; stroke: var(--ink); stroke-width: 1.6; }
.mark.after { fill: var(--accent); stroke: var(--card); stroke-width: .6; }
.bar { fill: var(--accent); }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 22px; padding: 0; margin: .4rem 0 .9rem; font-size: .9rem; }
.legend li { display: flex; align-items: center; gap: 7px; }
svg.key { width: 18px; height: 18px; flex: none; }
@media (max-width: 520px) { main { padding: 16px 10px 40px; } section { padding: 16px 14px; } .verdict h2 { font-size: 1.35rem; } }
@media print { body { background: none; font-size: 11pt; } main { max-width: none; padding: 0; }
  section, .tile { break-inside: avoid; border-color: #999; } .scroll { overflow: visible; } table { font-size: 7pt; } th, td { padding: 2px 3px; } }
)css";

}  // namespace unlearn::sim::report
