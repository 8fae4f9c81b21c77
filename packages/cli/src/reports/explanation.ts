import { type Judged, outcomeOf } from '@certpin/pins-file';
import { explain, type Verdict } from 'certpin';
import type { Inspected } from 'certpin/probe';
import { describeAddress } from '../answers/address.ts';

/** Which address has answered, and which the name has besides. */
export type Reached = { readonly [Name in 'address' | 'otherAddresses']?: Inspected[Name] | undefined };

/** The explanation of a verdict, and which address of the server it is about, where the server was called by a name. */
export function explainAt(verdict: Verdict, reached: Reached): string {
  return withAddress(explain(verdict), verdict, reached);
}

/**
 * The same of a target of a pins file; undefined where the answer is not no. Of a revoked pin there is nothing to configure: whatever else
 * the verdict may say, nobody is told how to make this certificate match.
 */
export function explainRefusal({ status, reason, ...judged }: Judged): string | undefined {
  const { verdict } = judged;
  if (verdict === undefined || outcomeOf[status] !== 'no') return undefined;
  if (status !== 'revoked') return explainAt(verdict, judged);
  const [leaf] = verdict.presented;
  const { subject, sha256, publicKeySha256 } = leaf?.toJSON() ?? {};
  const text = [
    `pin revoked: ${reason}`,
    `  presented: ${subject || '(no subject)'}`,
    `    certificate SHA-256: ${sha256}`,
    `    public key SHA-256: ${publicKeySha256 ?? 'none: its key is not written in DER'}`,
    '  next: find out who answers there: your server with its old certificate, or somebody with a revoked key',
  ];
  return withAddress(text.join('\n'), verdict, judged);
}

function withAddress(text: string, { host }: Verdict, { address, otherAddresses }: Reached): string {
  if (address === undefined || address === host) return text;
  return `${text}\n  address: ${describeAddress({ address, otherAddresses })}`;
}
