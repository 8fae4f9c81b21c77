/** What a pin costs: `npm run bench -- verdict connect --quick`. */
import { Command } from 'commander';
import { benchmarks } from './benchmarks.ts';
import type { Chart, Figure } from './figure.ts';
import { writePage } from './page.ts';
import { reasonFor } from './reasons.ts';
import { tableOf } from './report.ts';
import { createStage } from './stage.ts';

const names = benchmarks.map(({ name }) => name);

const program = new Command('npm run bench --')
  .description('What a pin costs: each figure is a ratio against its peer, measured in turn in this run.')
  .argument('[name...]', `what to measure: ${names.join(', ')}. Default: all`)
  .option('--quick', 'fewer and shorter rounds: for a look, not for a claim', false)
  .option('--json', 'print JSON', false)
  .option('--write', 'write docs/reference/performance.md and its charts; needs all names, and not --quick', false)
  .parse();

const asked = new Set(program.args);
const unknown = [...asked].filter((name) => !names.includes(name));
if (unknown.length > 0) program.error(`error: no such name: ${unknown.join(', ')}`, { exitCode: 2 });
const { quick, json, write } = program.opts<{ quick: boolean; json: boolean; write: boolean }>();
if (write && (quick || asked.size > 0)) program.error('error: --write needs a whole run', { exitCode: 2 });

const stage = createStage(quick);
const figures: Figure[] = [];
const charts: Chart[] = [];
const progress = (text: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
};
try {
  for (const { name, run } of benchmarks) {
    if (asked.size > 0 && !asked.has(name)) continue;
    progress(name);
    const findings = await run(stage);
    figures.push(...findings.figures);
    charts.push(...(findings.charts ?? []));
  }
} finally {
  progress('');
  await stage.stop();
}
if (write) writePage(figures, charts);
const told = figures.map((figure) => ({ ...figure, ...(figure.met === false && { reason: reasonFor(figure) }) }));
process.stdout.write(json ? `${JSON.stringify(told, null, 2)}\n` : `${tableOf(figures)}\n`);
process.exit(0); // Idle connections of the clients belong to nobody any more.
