import type { Entry } from '@certpin/pins-file';
import type { DeliverError } from './deliver-error.ts';
import { breachesOfUnion, type UnionOptions } from './union.ts';
import { isNeeded, type Step } from './wish.ts';

interface AskingOptions extends UnionOptions {
  readonly onProgress?: ((text: string) => void) | undefined;
}

/** Each target once with each set of pins. A push writes one set for a target, but an undo may write another one at each place. */
export async function findBreaches(steps: readonly Step[], options: AskingOptions): Promise<readonly DeliverError[]> {
  const sets = new Map<Entry, Set<string>>();
  for (const step of steps) {
    for (const item of step.items) {
      if (isNeeded(step, item)) sets.set(item.entry, (sets.get(item.entry) ?? new Set()).add(item.pins));
    }
  }
  const breaches: DeliverError[] = [];
  for (const [entry, texts] of sets) {
    options.onProgress?.(`asking every address of ${entry.label}`);
    for (const pins of texts) breaches.push(...(await breachesOfUnion(entry, pins, options)));
  }
  return breaches;
}
