#pragma once

namespace unlearn::sim::report {

/// The style sheet that an experiment's report.html adds to that of style.hpp. gnuplot draws in black on
/// white, so its plots keep a white background on dark screens, too.
inline constexpr const char* kExperimentStyle = R"css(
figure { margin: .6rem 0 0; }
figure.paper { background: #fff; border-radius: 6px; padding: 8px; max-width: 800px; }
svg.drawn { font: inherit; }
svg.drawn text { fill: #000; }
table.fit { width: auto; min-width: 40%; font-size: .92rem; }
table.fit th, table.fit td { padding: 5px 12px; }
table.facts th { vertical-align: top; } table.facts td { white-space: normal; }
thead th.group, thead th.number { text-align: right; } thead th.group { text-align: center; }
td .half { color: var(--soft); }
p.failed { color: var(--bad); border-left: 4px solid; padding-left: 10px; }
details pre { font: .82rem/1.45 ui-monospace, "DejaVu Sans Mono", monospace; overflow-x: auto; margin: .6rem 0 0; }
summary { cursor: pointer; font-weight: 600; }
@media print { figure.paper { padding: 0; max-width: 16cm; } details pre { white-space: pre-wrap; font-size: 7pt; }
  table:not(.fit) td { white-space: normal; } table.fit { font-size: 8.5pt; } .tiles { grid-template-columns: repeat(4, 1fr); } h2, h3 { break-after: avoid; } }
)css";

}  // namespace unlearn::sim::report
