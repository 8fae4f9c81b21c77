import { type Judged, outcomeOf } from '@certpin/pins-file';
import { explain, type Verdict } from 'certpin';
import type { Inspected } from 'certpin/probe';
import { describeAddress } from '../answers/address.ts';

/** Which address has answered, and which other addresses the name has. */
export type Reached = { readonly [Name in 'address' | 'otherAddresses']?: Inspected[Name] | undefined };

/** The explanation of a verdict. If the server was called by a name, also the address that it is about. */
export function explainAt(verdict: Verdict, reached: Reached): string {
  return withAddress(explain(verdict), verdict, reached);
}

/**
 * The same for a target of a pins file. undefined: the answer is not no. For a revoked pin, nothing can be configured. Whatever else the
 * verdict says, nobody must learn how to make this certificate match.
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
    '  next: find out who answers there. It is your server with its old certificate, or somebody with a revoked key',
  ];
  return withAddress(text.join('\n'), verdict, judged);
}

function withAddress(text: string, { host }: Verdict, { address, otherAddresses }: Reached): string {
  if (address === undefined || address === host) return text;
  return `${text}\n  address: ${describeAddress({ address, otherAddresses })}`;
}
