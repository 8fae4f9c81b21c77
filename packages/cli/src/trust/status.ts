import type { Failure } from '../failure.ts';
import type { ExitCode } from '../io.ts';

/** The outcome for a target of `certpin trust`. Each is worse than those before it. */
const statuses = [
  'already-trusted',
  'added',
  'pin-added',
  'pins-replaced',
  'removed',
  'pin-revoked',
  'already-revoked',
  /** Nobody could be asked. */
  'unconfirmed',
  'failed',
  'declined',
  /** The addresses of the server present different certificates. */
  'differs',
  /**
   * An expired certificate, a CA's certificate as the server's own, or the only pin to be revoked, without a confirmation that this is
   * intended.
   */
  'refused',
  /** No pin matches what was fetched, and nobody has said what to do. */
  'changed',
  /** The pin is revoked, so it is never added again. */
  'revoked',
] as const;

export type TrustStatus = (typeof statuses)[number];

export interface TrustOutcome {
  readonly status: TrustStatus;
  readonly error?: Failure | undefined;
}

/** Whether the file now says what was asked for. */
export function isDone(status: TrustStatus): boolean {
  return rank(status) < rank('unconfirmed');
}

export function worse(one: TrustStatus, other: TrustStatus): TrustStatus {
  return rank(other) > rank(one) ? other : one;
}

/** 1 if an answer is no. Otherwise, 2 if a question could not be asked. */
export function codeOf(outcomes: readonly TrustOutcome[]): ExitCode {
  const worst = outcomes.reduce<TrustStatus>((one, { status }) => worse(one, status), 'already-trusted');
  return isDone(worst) ? 0 : rank(worst) > rank('failed') ? 1 : 2;
}

/** `285 targets, 3 already trusted, 280 added, 2 failed (ECONNREFUSED 2)` */
export function summarize(outcomes: readonly TrustOutcome[]): string {
  const counts = statuses.flatMap((status) => {
    const found = outcomes.filter((one) => one.status === status);
    return found.length === 0 ? [] : [`${found.length} ${words[status]}${codes(found)}`];
  });
  return [`${outcomes.length} ${outcomes.length === 1 ? 'target' : 'targets'}`, ...counts].join(', ');
}

const words: Record<TrustStatus, string> = {
  'already-trusted': 'already trusted',
  added: 'added',
  'pin-added': 'with a pin added',
  'pins-replaced': 'with pins replaced',
  removed: 'removed',
  'pin-revoked': 'with a pin revoked',
  'already-revoked': 'already revoked',
  unconfirmed: 'not confirmed',
  failed: 'failed',
  declined: 'declined',
  differs: 'with different certificates',
  refused: 'refused',
  changed: 'changed',
  revoked: 'revoked',
};

/** The most frequent codes come first. */
function codes(outcomes: readonly TrustOutcome[]): string {
  const counts = new Map<string, number>();
  for (const { error } of outcomes) if (error !== undefined) counts.set(error.code, (counts.get(error.code) ?? 0) + 1);
  const sorted = [...counts].sort(([, a], [, b]) => b - a).map(([code, count]) => `${code} ${count}`);
  return sorted.length === 0 ? '' : ` (${sorted.join(', ')})`;
}

function rank(status: TrustStatus): number {
  return statuses.indexOf(status);
}
