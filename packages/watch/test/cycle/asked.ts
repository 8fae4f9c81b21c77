import type { Judged } from '@certpin/pins-file';
import type { askEntry } from '../../src/cycle/ask.ts';
import type { State } from '../../src/types.ts';

/** Pins file entries of so many servers, which nobody is going to connect to. */
export function manyTargets(count: number): readonly object[] {
  return Array.from({ length: count }, (_, index) => ({ target: `s${index}.example:443`, pins: ['AA'.repeat(32)] }));
}

/** In place of the question over the network: every server answers, and is found in a state. */
export function askAs(stateOf: (label: string) => State | Promise<State>): typeof askEntry {
  return async (entry) => {
    const status = await stateOf(entry.label);
    return { entry, status, reason: `found ${status}`, remarks: [], protocol: 'tls' } as unknown as Judged;
  };
}
