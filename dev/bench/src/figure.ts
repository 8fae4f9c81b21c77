import type { Comparison, Spread } from './measure.ts';
import type { Stage } from './stage.ts';

/** One result: a ratio against a peer that was measured beside it. */
export interface Figure {
  /** The name on the command line. */
  readonly name: string;
  /** What was measured. */
  readonly what: string;
  readonly peer: string;
  readonly ratio: number;
  /** The middle half of the ratios of the rounds. */
  readonly spread: readonly [low: number, high: number];
  /** undefined: measured only for information. */
  readonly target?: Target;
  /** undefined: there is no target. */
  readonly met?: boolean;
  /** Medians, with their unit in the name. */
  readonly details: Readonly<Record<string, number | string>>;
}

export type Target = { readonly atLeast: number } | { readonly atMost: number };

/** A series of points for a chart. */
export interface Chart {
  /** The name of its file. */
  readonly id: string;
  readonly title: string;
  /** The text below the points, and next to them. */
  readonly x: string;
  readonly y: string;
  readonly series: readonly { readonly label: string; readonly points: readonly (readonly [x: string, y: number])[] }[];
}

interface Findings {
  readonly figures: readonly Figure[];
  readonly charts?: readonly Chart[];
}

/** Something that is measured under one name. */
export interface Benchmark {
  readonly name: string;
  /** One sentence for the page. */
  readonly about: string;
  readonly run: (stage: Stage) => Promise<Findings>;
}

export interface FigureOptions {
  readonly name: string;
  readonly what: string;
  readonly peer: string;
  readonly ratio: Spread;
  readonly target?: Target;
  readonly details?: Figure['details'];
}

export function figure({ ratio, details = {}, target, ...others }: FigureOptions): Figure {
  return {
    ...others,
    ratio: ratio.median,
    spread: [ratio.low, ratio.high],
    ...(target === undefined ? {} : { target, met: isMet(ratio.median, target) }),
    details,
  };
}

function isMet(ratio: number, target: Target): boolean {
  return 'atLeast' in target ? ratio >= target.atLeast : ratio <= target.atMost;
}

/** The medians of a comparison, as details. */
export function medians({ ours, peer, cpu }: Comparison): Figure['details'] {
  return {
    'ours, ms': ours.elapsedMs.median,
    'peer, ms': peer.elapsedMs.median,
    'ours, CPU ms': ours.cpuMs.median,
    'peer, CPU ms': peer.cpuMs.median,
    'CPU, ours to peer': cpu.median,
  };
}
