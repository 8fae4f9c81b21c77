import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { benchmarks } from './benchmarks.ts';
import { svgOf } from './chart.ts';
import type { Chart, Figure } from './figure.ts';
import { reasonFor } from './reasons.ts';
import { metText, number, targetText } from './report.ts';

const docs = fileURLToPath(new URL('../../../docs/reference/', import.meta.url));

/** Writes docs/reference/performance.md and its charts from a whole run. */
export function writePage(figures: readonly Figure[], charts: readonly Chart[]): void {
  mkdirSync(`${docs}performance`, { recursive: true });
  for (const chart of charts) writeFileSync(`${docs}performance/${chart.id}.svg`, svgOf(chart));
  writeFileSync(`${docs}performance.md`, pageOf(figures, charts));
}

export function pageOf(figures: readonly Figure[], charts: readonly Chart[]): string {
  const cores = cpus();
  const machine = `${cores.length} cores (${cores[0]?.model.trim() || 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB of memory, ${process.platform}, Node ${process.versions.node} with OpenSSL ${process.versions.openssl}`;
  const sections = benchmarks.flatMap(({ name, about }) => [
    ...[`## ${name}`, '', about, ''],
    ...tableLines(figures.filter((figure) => figure.name === name)),
    ...(name === 'growth' ? charts.flatMap(({ id, title }) => [`![${title}](performance/${id}.svg)`, '']) : []),
  ]);
  return `${[
    '# Performance',
    '',
    'The bench writes this page from a run: `npm run bench -- --write`. `npm run bench -- verdict` measures one name, `--json` prints the',
    'figures, and `--quick` takes fewer rounds.',
    '',
    'Every figure is a ratio against its peer. Both are measured in the same run, in turn, round by round. The ratio is the median of the',
    'rounds, and the spread is their middle half. The servers are real ones (HAProxy, PostgreSQL, MariaDB), in their own processes on the',
    'same machine. Absolute times are left out, because they belong to one machine on one day.',
    '',
    `This run: ${machine}. Other work of the machine affects both sides. So nothing here is more than a ratio.`,
    '',
    ...sections,
  ]
    .join('\n')
    .trim()}\n`;
}

function tableLines(figures: readonly Figure[]): string[] {
  const reasons = figures.flatMap((figure) => {
    const reason = figure.met === false ? reasonFor(figure) : undefined;
    return reason === undefined
      ? []
      : [`- **${figure.what}, against ${figure.peer}: the target is not met.** ${reason}`];
  });
  return [
    '| what | peer | ratio | spread | target | met |',
    '|---|---|---|---|---|---|',
    ...figures.map(
      ({ what, peer, ratio, spread, target, met }) =>
        `| ${what} | ${peer} | ${number(ratio)} | ${spread.map(number).join(' to ')} | ${targetText(target)} | ${metText(met)} |`,
    ),
    '',
    ...(reasons.length === 0 ? [] : [...reasons, '']),
  ];
}
