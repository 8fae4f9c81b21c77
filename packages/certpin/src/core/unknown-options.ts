import { refuseUnknown } from '../leaf/options.ts';

/**
 * As {@link refuseUnknown}, but the error also names the option that was probably meant.
 *
 * @throws CertpinError `ERR_OPTION_INVALID`
 */
export function refuseUnknownOptions(options: object, known: readonly string[], where: string): void {
  refuseUnknown(options, known, where, (option) => similarOption(option, known));
}

function similarOption(option: string, known: readonly string[]): string {
  const similar = closestOf(option, known, 2);
  return similar === undefined ? '' : `; did you mean \`${similar}\`?`;
}

/** The known word that was probably meant: the one that differs in the fewest letters, and in at most `most` letters. */
export function closestOf(word: string, known: readonly string[], most: number): string | undefined {
  const distances = known.map((key) => distance(key.toLowerCase(), word.toLowerCase()));
  const least = Math.min(...distances);
  return least > most ? undefined : known[distances.indexOf(least)];
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
