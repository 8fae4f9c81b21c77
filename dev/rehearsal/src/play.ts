import type { Act, Stage } from './act.ts';
import type { Report } from './leader.ts';
import type { Scale } from './scale.ts';
import type { Count, Second } from './tally.ts';

/** A line of the table. */
export interface Row extends Count {
  readonly act: string;
  readonly database: string;
  /** How it ended, in words. */
  readonly end: string;
}

/** The result of an act. */
export interface Played {
  readonly rows: readonly Row[];
  /** What did not hold. */
  readonly faults: readonly string[];
  readonly seconds: readonly Second[];
  readonly marks: readonly { readonly second: number; readonly text: string }[];
}

/** What a whole rehearsal has found. */
export interface Rehearsal {
  readonly ok: boolean;
  readonly seconds: number;
  /** Connections of scripts that the servers have let in, by the name of the database. */
  readonly sessions: Readonly<Record<string, number>>;
  /** By the name of the act. */
  readonly played: Readonly<Record<string, Played>>;
  readonly scale: Scale;
}

export type Expect = (holds: boolean, text: string) => void;

/** Plays an act to its end, under load, and counts. */
export async function play(
  { onProgress }: Stage,
  act: Act,
  name: string,
  work: (expect: Expect) => Promise<readonly string[]>,
): Promise<Played> {
  onProgress(name);
  const faults: string[] = [];
  const expect: Expect = (holds, text) => {
    if (!holds) faults.push(`${name}: ${text}`);
  };
  let ends: readonly string[] = [];
  try {
    ends = await work(expect);
  } catch (error) {
    faults.push(`${name}: ${(error as Error).message}`);
  }
  const { seconds, marks } = act.course;
  const counts = await act.close();
  const rows = act.parts.map(({ database }, index) => ({
    ...{ act: name, database: database.name, end: ends[index] ?? 'not to its end' },
    ...(counts[index] as Count),
  }));
  return { rows, faults, seconds, marks };
}

/** @throws Error if the step was not taken */
export function expectStep({ code, ok, step, reason, details = [] }: Report, wanted: string): void {
  if (code === 0 && ok && step === wanted) return;
  throw new Error(`the step "${wanted}" was not taken: ${[reason, ...details].join('; ')} (exit ${code}, ${step})`);
}
