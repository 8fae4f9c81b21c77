import type { ScanFlags } from '../command-line/options.ts';
import { UsageError } from '../failure.ts';
import type { PasswordFlags } from '../files/password.ts';

export interface TrustFlags extends ScanFlags, PasswordFlags {
  readonly file: string;
  readonly targetsFile?: string[];
  readonly from?: string;
  readonly pinsFile?: string;
  readonly issuer?: true;
  readonly leaf?: true;
  readonly acceptExpired?: true;
  readonly publicKey?: true;
  readonly note?: string;
  readonly yes?: true;
  readonly add?: true;
  readonly replace?: true;
  readonly remove?: true;
  readonly revoke?: string[];
  readonly reason?: string;
  readonly quiet?: true;
  readonly json?: true;
}

type Name = keyof TrustFlags;

/** Flags about a pin that is added. */
const ofAdding = [
  ...(['from', 'pinsFile', 'issuer', 'leaf', 'acceptExpired', 'publicKey', 'note', 'add', 'replace'] as const),
  'allAddresses',
] as const;

/** Each flag, with those that exclude it. */
const contradictions: readonly (readonly [name: Name, others: readonly Name[]])[] = [
  ['remove', [...ofAdding, 'revoke']],
  ['revoke', ofAdding],
  ['add', ['replace']],
  ['issuer', ['leaf']],
  ['pinsFile', ['from', 'publicKey', 'allAddresses']],
  ['from', ['allAddresses']],
];

/** Each flag, with those of which it needs one. */
const needs: readonly (readonly [name: Name, others: readonly Name[]])[] = [
  ['reason', ['revoke']],
  ['issuer', ['from', 'pinsFile']],
  ['leaf', ['from', 'pinsFile']],
  ['quiet', ['yes']],
];

/** @throws UsageError */
export function checkTrustFlags(args: readonly string[], flags: TrustFlags): void {
  const { targetsFile = [] } = flags;
  const isGiven = (name: Name): boolean => flags[name] !== undefined;
  for (const [name, others] of contradictions) {
    const other = isGiven(name) ? others.find(isGiven) : undefined;
    if (other !== undefined) throw new UsageError(`${spelling(other)} does not go with ${spelling(name)}`, 'trust');
  }
  for (const [name, others] of needs) {
    if (!isGiven(name) || others.some(isGiven)) continue;
    throw new UsageError(`${spelling(name)} goes with ${others.map(spelling).join(' or ')}`, 'trust');
  }
  if (targetsFile.indexOf('-') !== targetsFile.lastIndexOf('-')) {
    throw new UsageError('standard input can be read once only', 'trust');
  }
  if (args.length + targetsFile.length === 0 && flags.revoke === undefined) {
    throw new UsageError("missing required argument 'target'", 'trust');
  }
}

function spelling(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
