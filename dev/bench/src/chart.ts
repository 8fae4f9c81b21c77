import type { Chart } from './figure.ts';

const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [420, 220, 48, 44, 34];

/** A small line chart, readable on a light page and on a dark one. */
export function svgOf({ title, x, y, series }: Chart): string {
  const points = series.flatMap(({ points: own }) => own);
  const highest = niceCeiling(Math.max(1, ...points.map(([, value]) => value)));
  const labels = series[0]?.points.map(([label]) => label) ?? [];
  const across = (index: number): number => LEFT + 16 + (index * (WIDTH - LEFT - 40)) / Math.max(1, labels.length - 1);
  const up = (value: number): number => HEIGHT - BOTTOM - (value / highest) * (HEIGHT - BOTTOM - TOP);
  const text = (left: number, top: number, content: string, anchor = 'middle', size = 11): string =>
    `<text x="${round(left)}" y="${round(top)}" text-anchor="${anchor}" font-size="${size}" fill="#6b7280">${content}</text>`;
  const grid = [0, 0.5, 1].map((share) => {
    const top = round(up(highest * share));
    const line = `<line x1="${LEFT}" y1="${top}" x2="${WIDTH - 12}" y2="${top}" stroke="#9ca3af" stroke-opacity="0.35"/>`;
    return line + text(LEFT - 6, top + 4, String(Number((highest * share).toPrecision(3))), 'end');
  });
  const lines = series.map(({ points: own }) => {
    const places = own.map(([, value], index) => [round(across(index)), round(up(value))] as const);
    const dots = places.map(([left, top]) => `<circle cx="${left}" cy="${top}" r="3" fill="#2563eb"/>`).join('');
    return `<polyline points="${places.map((place) => place.join(',')).join(' ')}" fill="none" stroke="#2563eb" stroke-width="2"/>${dots}`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" role="img">`,
    `<title>${title}</title>`,
    text(LEFT, 14, title, 'start', 13),
    text(LEFT, 28, y, 'start', 10),
    ...grid,
    ...labels.map((label, index) => text(across(index), HEIGHT - BOTTOM + 16, label)),
    text((WIDTH + LEFT) / 2, HEIGHT - 8, x),
    ...lines,
    '</svg>',
    '',
  ].join('\n');
}

/** 1, 2, 3, 5 or 10 times a power of ten. */
function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 1.5, 2, 3, 5, 10].find((factor) => factor * power >= value) ?? 10) * power;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
