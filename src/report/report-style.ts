/** The look of a report: the same words and colours as the dashboard's, light, dark and on paper. */
export const REPORT_STYLE = `
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6878; --line: #dfe5ec; --back: #f5f7fa; --card: #fff; --good: #17704a; --bad: #b42318; --warn: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf2; --soft: #98a6b8; --line: #2b3541; --back: #10151b; --card: #171d25; --good: #5cc9a0; --bad: #ff7b72; --warn: #f0b45c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink); font: 15px/1.5 ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 3rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0; letter-spacing: -.01em; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .75rem; }
h3 { font-size: .95rem; margin: 0; }
p { margin: .25rem 0 .75rem; }
.soft { color: var(--soft); }
.good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .75rem; margin: 1.25rem 0 0; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .75rem 1rem; }
.card span, .card small { display: block; color: var(--soft); font-size: .82rem; }
.card b { display: block; font-size: 1.4rem; line-height: 1.35; font-weight: 650; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
figure { margin: 0 0 1rem; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .9rem 1rem .75rem; break-inside: avoid; }
figcaption { display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: baseline; margin-bottom: .5rem; font-size: .85rem; }
.chart { overflow: hidden; min-height: 2rem; }
.chart:not(.live) { background: #fff; border-radius: .4rem; }
.chart svg { width: 100%; height: auto; display: block; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td { text-align: left; padding: .45rem .9rem; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: break-word; }
tbody tr:last-child td { border-bottom: 0; }
td:last-child:not(.n) { min-width: 14rem; }
th { color: var(--soft); font-weight: 600; white-space: nowrap; }
.n { text-align: right; white-space: nowrap; }
footer { margin-top: 2.5rem; font-size: .85rem; }
@media print { body { background: #fff; } main { max-width: none; padding: 0; } .scroll { overflow: visible; } }
`;
