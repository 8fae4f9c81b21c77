import type { Certificate } from 'certpin';
import { type Io, printWarning } from '../io.ts';

/** What to say of a file that does not show which of its certificates is meant. undefined: it does show it. */
export function severalLeaves(leaves: readonly Certificate[] = []): string | undefined {
  if (leaves.length === 0) return undefined;
  const names = leaves.slice(0, 3).map((leaf) => leaf.toJSON().subject.replace(/\s+/g, ' ') || '(no subject)');
  const more = leaves.length > names.length ? ', …' : '';
  return `it holds ${leaves.length} certificates that may be the leaf (${names.join('; ')}${more})`;
}

/** What to do. */
export const OWN_FILE = 'put the right one into a file of its own';

/** The first one is shown or compared. It need not be the one that is meant. */
export function warnOfLeaves(io: Io, label: string, leaves: readonly Certificate[] | undefined): void {
  const several = severalLeaves(leaves);
  if (several !== undefined) printWarning(io, `${label}: ${several}: the first is taken; ${OWN_FILE}`);
}
