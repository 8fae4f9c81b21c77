import { closestMatch } from 'leven';

/** The word that was probably meant. At most two letters differ, and at least one is the same. */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  return closestMatch(word.toLowerCase(), candidates, { maxDistance: Math.min(2, word.length - 1) });
}
