import type { Remark, State, TargetRow } from '../types.ts';

export type ShownState = State | 'unknown';

/** The name of a state for people. */
export const stateWords: Readonly<Record<ShownState, string>> = {
  unknown: 'not asked yet',
  holds: 'holds',
  rotated: 'rotated',
  mixed: 'mixed',
  'ends-soon': 'ends soon',
  'no-such-name': 'no such name',
  unreachable: 'unreachable',
  refused: 'refused',
  'not-yet-valid': 'not yet valid',
  expired: 'expired',
  drift: 'drift',
  revoked: 'revoked',
};

/** How alarming a state is: the colour of its word. The word itself is always there too. */
export const toneOf: Readonly<Record<ShownState, 'good' | 'calm' | 'soon' | 'bad'>> = {
  unknown: 'calm',
  holds: 'good',
  rotated: 'calm',
  mixed: 'calm',
  'ends-soon': 'soon',
  'no-such-name': 'soon',
  unreachable: 'soon',
  refused: 'bad',
  'not-yet-valid': 'bad',
  expired: 'bad',
  drift: 'bad',
  revoked: 'bad',
};

export const remarkWords: Readonly<Record<Remark, string>> = {
  'next-pin': 'The pin that holds is not the first in the file: the next certificate is in use.',
  'one-of-several': 'The name has other addresses, and they were not asked.',
  'end-accepted': 'The certificate has ended, or its end cannot be read, and the file accepts that.',
  'no-backup-pin': 'There is no backup pin: when the certificate is replaced, every client is locked out at once.',
  'next-pin-never-seen': 'No server has ever presented the next pin.',
  'same-key': 'Other targets have the same key: who steals one key has them all.',
  'address-not-asked': 'Some addresses were not asked.',
};

export function count(number: number, one: string): string {
  return `${number.toLocaleString('en')} ${one}${number === 1 ? '' : 's'}`;
}

/** What is shown of a target: the file's own words, and the server name if it distinguishes two targets. */
export function nameOf({ label, servername }: Pick<TargetRow, 'label' | 'servername'>): string {
  return servername === null ? label : `${label} (${servername})`;
}

export function stateOf({ state }: Pick<TargetRow, 'state'>): ShownState {
  return state ?? 'unknown';
}
