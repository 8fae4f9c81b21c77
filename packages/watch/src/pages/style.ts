/** The only style sheet. It is a text of this module, so that no request reads a file. */
export const style = `:root {
  color-scheme: light dark;
  --page: #fbfbfa; --card: #fff; --text: #1c1e21; --quiet: #5a6068; --line: #d9dce0; --link: #0b57a4; --code: #f1f2f4;
  --good: #1a6b37; --good-back: #e5f4ea; --calm: #385170; --calm-back: #e8eef6;
  --soon: #7d4a00; --soon-back: #fdf1da; --bad: #a3161d; --bad-back: #fdeaea;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #15171a; --card: #1d2024; --text: #e7e9ec; --quiet: #a3abb5; --line: #363b42; --link: #82b8f5; --code: #262a30;
    --good: #7ad79a; --good-back: #16301f; --calm: #a9c3e6; --calm-back: #1f2b3b;
    --soon: #f2bf6b; --soon-back: #38290d; --bad: #ff9a97; --bad-back: #42191b;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 1rem; }
body { margin: 0 auto; max-width: 76rem; padding: 0 1.25rem 3rem; background: var(--page); color: var(--text);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 1.25rem 0 .5rem; }
h2 { font-size: 1.2rem; line-height: 1.3; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 0 0 .25rem; }
p { margin: .35rem 0; }
a { color: var(--link); text-underline-offset: .15em; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 2px; }
main:focus { outline: none; }
code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .875em; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: .5rem; background: var(--card); padding: .5rem 1rem; z-index: 1; }
header { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; align-items: center; border-bottom: 1px solid var(--line); padding: .75rem 0; }
.brand { margin: 0; font-weight: 700; }
.brand a { color: inherit; text-decoration: none; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem; list-style: none; margin: 0; padding: 0; }
nav a { display: inline-block; padding: .3rem 0; }
nav [aria-current] { color: inherit; font-weight: 600; text-decoration-thickness: 2px; }
header form { margin-left: auto; }
.lead { font-size: 1.05rem; }
.quiet { color: var(--quiet); font-weight: 400; }
h2 .quiet, h3 .quiet { font-size: .9rem; }
.note { color: var(--quiet); display: block; font-weight: 400; font-size: .9rem; }
.state { display: inline-block; padding: 0 .5em; border-radius: .25rem; border: 1px solid currentColor; font-size: .875rem; font-weight: 600; white-space: nowrap; }
.state.good { color: var(--good); background: var(--good-back); }
.state.calm { color: var(--calm); background: var(--calm-back); }
.state.soon { color: var(--soon); background: var(--soon-back); }
.state.bad { color: var(--bad); background: var(--bad-back); }
.mark { font-size: .8rem; color: var(--quiet); border: 1px dashed var(--quiet); border-radius: .25rem; padding: 0 .35em; white-space: nowrap; }
.card, .address { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .9rem 1.1rem; margin: 1rem 0; }
.card h2 { margin-top: 0; }
.card.bad { border-color: var(--bad); border-left-width: .35rem; }
ul.todo { list-style: none; margin: .75rem 0 0; padding: 0; }
ul.todo li { border-top: 1px solid var(--line); padding: .6rem 0; }
ul.todo li > p:first-child { font-weight: 600; }
ul.todo .quiet { font-size: .9rem; }
pre.command { background: var(--code); border-radius: .35rem; margin: .5rem 0 0; padding: .5rem .75rem; white-space: pre-wrap; user-select: all; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: 0 2.5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .45rem .6rem .45rem 0; border-bottom: 1px solid var(--line); font-weight: 400; }
thead th { font-weight: 600; font-size: .875rem; color: var(--quiet); }
tbody th { font-weight: 600; }
tfoot th, tfoot td { border-bottom: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
table.counts { max-width: 24rem; }
table.year { max-width: 40rem; }
table.year th { width: 11rem; font-weight: 400; }
table.year .number { width: 5rem; padding-right: 1rem; }
table.year svg { width: 100%; height: .6rem; display: block; margin-top: .45rem; fill: var(--calm); }
table.cards { margin-top: .75rem; }
table.cards th[role="rowheader"] { width: 26%; }
table.cards td.end { min-width: 13.5rem; }
table.cards td.when { white-space: nowrap; padding-right: 0; }
svg.life { display: block; width: 100%; max-width: 14rem; height: .4rem; margin-top: .35rem; border-radius: .2rem; }
.wide svg.life { max-width: none; height: 1rem; }
svg.life .all { fill: var(--line); }
svg.life.calm .used { fill: var(--calm); }
svg.life.soon .used { fill: var(--soon); }
svg.life.bad .used { fill: var(--bad); }
.ends-of-bar { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem; font-size: .9rem; }
svg.days { width: 100%; height: 2.5rem; display: block; }
svg.days .none { fill: var(--line); }
svg.days .good { fill: var(--good); }
svg.days .calm { fill: var(--calm); }
svg.days .soon { fill: var(--soon); }
svg.days .bad { fill: var(--bad); }
dl.facts { margin: .75rem 0; }
dl.facts > div { display: grid; grid-template-columns: 12rem 1fr; gap: 0 1rem; padding: .3rem 0; border-bottom: 1px solid var(--line); }
dl.facts > div:last-child { border-bottom: 0; }
dt { color: var(--quiet); }
dd { margin: 0; }
dd .state { margin-right: .25rem; }
ul.names { margin: 0; padding: 0; list-style: none; }
ul.ends, ul.pins, ul.days, ul.remarks { padding-left: 1.1rem; }
ul.ends li, ul.pins li, ul.days li { margin: .35rem 0; }
ol.timeline { list-style: none; margin: .75rem 0; padding: 0 0 0 1.1rem; border-left: 2px solid var(--line); }
ol.timeline li { position: relative; padding-bottom: .9rem; }
ol.timeline li::before { content: ""; position: absolute; left: -1.5rem; top: .45rem; width: .65rem; height: .65rem; border-radius: 50%; background: var(--calm); }
ol.timeline p { margin: 0; }
form.filter { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(14rem, 100%), 1fr)); gap: .6rem 1rem; align-items: end; background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .9rem 1.1rem; margin: 1rem 0; }
form.filter p { margin: 0; }
form.filter fieldset, form.filter .go { grid-column: 1 / -1; }
label { display: block; font-size: .9rem; color: var(--quiet); }
fieldset { border: 0; margin: 0; padding: 0; }
legend { font-size: .9rem; color: var(--quiet); padding: 0; }
fieldset label { display: inline-flex; align-items: center; gap: .35em; margin-right: 1rem; color: var(--text); min-height: 1.75rem; }
input[type="search"], input[type="password"], select { width: 100%; font: inherit; color: inherit; background: var(--page); border: 1px solid var(--quiet); border-radius: .35rem; padding: .35rem .5rem; min-height: 2.4rem; }
input[type="checkbox"] { width: 1.1rem; height: 1.1rem; accent-color: var(--link); margin: 0; }
button { font: inherit; font-weight: 600; color: var(--page); background: var(--link); border: 1px solid var(--link); border-radius: .35rem; padding: .35rem 1rem; min-height: 2.4rem; cursor: pointer; }
button.plain { color: var(--link); background: none; border-color: var(--line); font-weight: 400; min-height: 2rem; padding: .15rem .75rem; }
.pager { display: flex; flex-wrap: wrap; gap: .5rem 1.25rem; align-items: center; margin: 1rem 0; }
form.login { max-width: 26rem; }
form.login button { margin-top: .75rem; }
footer { border-top: 1px solid var(--line); margin-top: 2.5rem; padding-top: .75rem; color: var(--quiet); font-size: .9rem; }
@media (max-width: 44rem) {
  h1 { font-size: 1.4rem; }
  dl.facts > div { grid-template-columns: 1fr; }
  table.cards, table.cards tbody, table.cards tr, table.cards td, table.cards th { display: block; }
  table.cards thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table.cards tr { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .9rem; margin: .75rem 0; }
  table.cards td, table.cards th, table.cards th[role="rowheader"] { border: 0; padding: .15rem 0; width: auto; }
  svg.life { max-width: none; }
  table.cards td.end { min-width: 0; }
  table.cards td.end time::before { content: "ends "; }
  table.cards td.when::before { content: "checked "; }
  table.year th { width: auto; white-space: nowrap; }
  table.year .number { width: 3rem; }
}
@media print {
  :root { --page: #fff; --card: #fff; --text: #000; --quiet: #333; --line: #999; --link: #000; --code: #fff;
    --good: #000; --good-back: #fff; --calm: #000; --calm-back: #fff; --soon: #000; --soon-back: #fff; --bad: #000; --bad-back: #fff; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  nav, form, form.filter, .pager, .skip, footer { display: none; }
  a { text-decoration: none; }
  pre.command { border: 1px solid var(--line); }
  .card, .address, tr, ol.timeline li, ul.todo li { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  svg rect { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
@media (prefers-contrast: more) { :root { --quiet: var(--text); --line: var(--text); } }
`;

export const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#0b57a4" d="M8 0 2 2.5V8c0 4 2.6 6.9 6 8 3.4-1.1 6-4 6-8V2.5z"/><path fill="none" stroke="#fff" stroke-width="2" d="m5 8 2.2 2.2L11.2 6"/></svg>`;
