import { explain, type Verdict } from 'certpin';
import type { Inspected } from 'certpin/probe';
import { describeAddress } from '../answers/address.ts';

/** Which address has answered, and which the name has besides. */
export type Reached = { readonly [Name in 'address' | 'otherAddresses']?: Inspected[Name] | undefined };

/** The explanation of a verdict, and which address of the server it is about, where the server was called by a name. */
export function explainAt(verdict: Verdict, { address, otherAddresses }: Reached): string {
  const text = explain(verdict);
  if (address === undefined || address === verdict.host) return text;
  return `${text}\n  address: ${describeAddress({ address, otherAddresses })}`;
}
