import { closestMatch } from 'leven';

/** The word that was probably meant: two letters away at most, and with a letter in common. */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  return closestMatch(word.toLowerCase(), candidates, { maxDistance: Math.min(2, word.length - 1) });
}
