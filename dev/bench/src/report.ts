import Table from 'cli-table3';
import type { Figure, Target } from './figure.ts';

/** The figures for a terminal. */
export function tableOf(figures: readonly Figure[]): string {
  const table = new Table({
    head: ['name', 'what', 'peer', 'ratio', 'spread', 'target', 'met'],
    style: { head: [], border: [] },
  });
  for (const { name, what, peer, ratio, spread, target, met } of figures) {
    table.push([name, what, peer, number(ratio), spread.map(number).join(' to '), targetText(target), metText(met)]);
  }
  return table.toString();
}

export function targetText(target: Target | undefined): string {
  if (target === undefined) return '';
  return 'atLeast' in target ? `at least ${number(target.atLeast)}` : `at most ${number(target.atMost)}`;
}

export function metText(met: boolean | undefined): string {
  return met === undefined ? '' : met ? 'yes' : 'no';
}

/** Three digits that count. */
export function number(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : Number(value.toPrecision(3)).toString();
}
