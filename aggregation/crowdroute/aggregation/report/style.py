"""How a report looks, in light, in dark, on a narrow screen and on paper."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark;
  --paper: #fbfaf7; --card: #ffffff; --ink: #1d2129; --quiet: #646b78; --line: #e4e2dc; --grid: #ecebe6;
  --a: #1f6feb; --b: #c2410c; --c: #a8b0bd; --band: #c9dcfb; --deep: #ffffff; --cell: #f3f2ee;
  --s1: #e08a4f; --s2: #7a6fd0; --s3: #3a9d8f; --s4: #b5bac4; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #14161b; --card: #1c1f26; --ink: #e8e9ec; --quiet: #9aa2b1; --line: #2d323c; --grid: #2a2e37;
  --a: #6ea8ff; --b: #ff9a62; --c: #5c6575; --band: #2b456f; --deep: #0e1116; --cell: #262a33;
  --s1: #e39a67; --s2: #a59cf0; --s3: #5cc2b2; --s4: #6d7584; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
main { max-width: 880px; margin: 0 auto; padding: 48px 24px 72px; }
h1 { font-size: 2rem; line-height: 1.2; letter-spacing: -.02em; margin: 0 0 6px;
  overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; letter-spacing: -.01em; margin: 56px 0 6px; }
h3 { font-size: 1rem; margin: 0 0 8px; }
p { margin: 0 0 16px; max-width: 68ch; } .quiet, .note, figcaption { color: var(--quiet); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 12px;
  margin: 28px 0; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: 14px 16px; }
.tile b { display: block; font-size: 1.65rem; font-weight: 650; letter-spacing: -.02em;
  line-height: 1.25;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.tile b.long { font-size: 1.05rem; line-height: 1.35; letter-spacing: 0; padding-block: 4px; }
.tile span { font-size: .82rem; color: var(--quiet); display: block; }
.blocks { display: flex; flex-wrap: wrap; gap: 16px; }
figure, .scroll { background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  margin: 0;
  padding: 16px 18px; flex: 1 1 340px; min-width: 0; }
figure.wide, .scroll { flex-basis: 100%; } .scroll { overflow-x: auto; padding: 6px 18px; }
figcaption { font-size: .86rem; margin-top: 8px; } .note { font-size: .86rem; margin: 8px 0; }
figure svg { display: block; width: 100%; height: auto; margin: 0 auto; } td svg { width: 150px;
  display: block; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums; }
th { text-align: start; font-weight: 600; color: var(--quiet); font-size: .8rem; }
th, td { padding: 7px 14px 7px 0; border-bottom: 1px solid var(--line); vertical-align: middle; }
tr:last-child td { border-bottom: 0; } th.end, td.end { text-align: end; }
  td.strong { font-weight: 650; }
td { overflow-wrap: anywhere; min-width: 3.5em; } td:first-child { min-width: 7em; }
td.end, th.end { white-space: nowrap;
  padding-inline-end: 14px; }
details { margin-top: 10px; font-size: .86rem; } summary { cursor: pointer; color: var(--quiet); }
footer { margin-top: 56px; padding-top: 16px; border-top: 1px solid var(--line); font-size: .86rem;
  color: var(--quiet); }
svg text { font: 12px system-ui, "Liberation Sans", sans-serif; } svg text.small { font-size: 11px; }
svg .ink { fill: var(--ink); } svg .quiet { fill: var(--quiet); } svg .strong { font-weight: 650; }
svg .on-deep { fill: var(--deep); } svg .a { fill: var(--a); } svg .b { fill: var(--b); }
  svg .c { fill: var(--c); }
svg .cell { fill: var(--cell); } svg .band { fill: var(--band); } svg .axis { stroke: var(--quiet); }
svg .grid { stroke: var(--grid); } svg .dashed { stroke: var(--quiet); stroke-dasharray: 4 4; }
svg .line-a { stroke: var(--a); } svg .line-b { stroke: var(--b); }
svg .thick { stroke-width: 3; stroke-linecap: round; stroke-opacity: .5; }
svg .share-0 { fill: var(--a); } svg .share-1 { fill: var(--s1); } svg .share-2 { fill: var(--s2); }
svg .share-3 { fill: var(--s3); } svg .share-4 { fill: var(--s4); }
@media (max-width: 560px) { main { padding: 28px 14px 48px; } h1 { font-size: 1.6rem; }
  .tiles { grid-template-columns: repeat(2, 1fr); } figure { padding: 12px; } }
@media print { body { background: none; } figure, tr, .tile { break-inside: avoid; }
  details { display: none; } }
"""
