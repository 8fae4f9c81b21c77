import type { Played } from './play.ts';
import type { Second } from './tally.ts';

const [WIDTH, PANEL, LEFT, RIGHT, TOP, BOTTOM] = [760, 190, 48, 24, 52, 26];
const COLUMNS = 180;

/** Drawn from bottom to top. */
const layers = [
  { key: 'failures', color: '#dc2626', label: 'failed' },
  { key: 'outlived', color: '#d97706', label: 'failed, in containers that outlive the wait' },
  { key: 'in', color: '#93c5fd', label: 'logged in' },
] as const;

interface Panel {
  readonly title: string;
  readonly played: Pick<Played, 'seconds' | 'marks'>;
}

/** Logins per second, one panel below the other, to be read on a light page and on a dark one. */
export function svgOf(panels: readonly Panel[]): string {
  const height = 24 + panels.length * PANEL;
  // The same seconds and the same logins in every panel, so that they can be compared.
  const seconds = Math.max(1, ...panels.map(({ played }) => played.seconds.length));
  const wide = Math.ceil(seconds / COLUMNS);
  const columns = panels.map(({ played }) => columnsOf(played.seconds, wide));
  const highest = niceCeiling(Math.max(1, ...columns.flat().map(({ logins }) => logins)));
  const parts = panels.flatMap(({ title, played }, index) => {
    const ground = 24 + (index + 1) * PANEL - BOTTOM;
    const across = (second: number): number => round(LEFT + (second * (WIDTH - LEFT - RIGHT)) / seconds);
    const up = (logins: number): number => round((logins / highest) * (PANEL - TOP - BOTTOM));
    return [
      text(LEFT, ground - PANEL + BOTTOM + 16, title, 'start', 13),
      ...[0, 0.5, 1].map((share) => {
        const y = round(ground - up(highest * share));
        const line = `<line x1="${LEFT}" y1="${y}" x2="${WIDTH - RIGHT}" y2="${y}" stroke="#9ca3af" stroke-opacity="0.35"/>`;
        return line + text(LEFT - 6, y + 4, String(highest * share), 'end');
      }),
      ...(columns[index] ?? []).flatMap((column, place) =>
        barsOf(column, { across, up, ground, at: place * wide, wide }),
      ),
      ...played.marks.map(({ second, text: label }, place) => {
        const [x, y] = [across(second), ground - up(highest) - 4 - (place % 2) * 12];
        return `<line x1="${x}" y1="${y}" x2="${x}" y2="${ground}" stroke="#6b7280" stroke-dasharray="2 3"/>${text(x, y - 2, label, 'middle', 10)}`;
      }),
      ...ticksOf(seconds).map((second) => text(across(second), ground + 14, `${second} s`)),
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="sans-serif" role="img">`,
    `<title>Logins per second: ${panels.map(({ title }) => title).join('; ')}</title>`,
    ...legend(),
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

type Column = Readonly<Record<(typeof layers)[number]['key'] | 'logins', number>>;

/** Several seconds in one, as logins per second. */
function columnsOf(seconds: readonly Second[], wide: number): readonly Column[] {
  return Array.from({ length: Math.ceil(seconds.length / wide) }, (_, index) => {
    const some = seconds.slice(index * wide, (index + 1) * wide);
    const rate = (key: keyof Second): number => some.reduce((sum, second) => sum + second[key], 0) / some.length;
    const [logins, failures, outlived] = [rate('logins'), rate('failures'), rate('outlived')];
    return { logins, failures, outlived, in: logins - failures - outlived };
  });
}

interface Place {
  readonly across: (second: number) => number;
  readonly up: (logins: number) => number;
  readonly ground: number;
  readonly at: number;
  readonly wide: number;
}

function barsOf(column: Column, { across, up, ground, at, wide }: Place): string[] {
  let top = ground;
  return layers.flatMap(({ key, color }) => {
    if (column[key] <= 0) return [];
    // A single failure must be visible too.
    const height = Math.max(1, up(column[key]));
    top = round(top - height);
    const [x, width] = [across(at), round(across(at + wide) - across(at))];
    return [`<rect x="${x}" y="${top}" width="${width}" height="${height}" fill="${color}"/>`];
  });
}

function legend(): string[] {
  let x = LEFT;
  return layers.map(({ color, label }) => {
    const shown = `<rect x="${x}" y="6" width="10" height="10" fill="${color}"/>${text(x + 14, 15, label, 'start')}`;
    x += 34 + label.length * 6;
    return shown;
  });
}

function ticksOf(seconds: number): number[] {
  const step = niceCeiling(seconds / 6);
  return Array.from({ length: Math.floor(seconds / step) + 1 }, (_, index) => index * step);
}

function text(x: number, y: number, content: string, anchor = 'middle', size = 11): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" font-size="${size}" fill="#6b7280">${content}</text>`;
}

/** 1, 2, 3, 5 or 10 times a power of ten. */
function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 3, 5, 10].find((factor) => factor * power >= value) ?? 10) * power;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
