import type { Pin } from '../leaf/pin.ts';
import type { Certificate } from './certificate.ts';

/**
 * A policy points to itself, and a copy of a policy points to the original. Symbol.for, so that the ESM and the CommonJS copy of this file
 * recognise each other's policies.
 */
export const policyBrand: unique symbol = Symbol.for('certpin.policy') as never;
/** Where a policy keeps what its pins come from; a copy does not take it along. */
export const policySources: unique symbol = Symbol.for('certpin.policy-sources') as never;

/** A checked policy. Made by `createPolicy`; wherever a policy is expected, options and policies are both accepted. */
export interface Policy {
  readonly pins: readonly Pin[];
  readonly issuerPins: readonly Pin[];
  /** Certificates that the pins were made from. */
  readonly knownCertificates: readonly Certificate[];
  readonly expired: 'refuse' | 'accept';
  /** undefined: by the rule told at `PolicyOptions`. */
  readonly hostnameVerification: 'require' | 'ignore' | undefined;
  readonly caVerification: 'require' | 'ignore';
  readonly resumption: 'refuse' | 'own';
  /**
   * Where pins are live: calls `listener` after each change, until the returned function is called. undefined where none are; then
   * nothing of the policy ever changes.
   */
  readonly onChange: ((listener: () => void) => () => void) | undefined;
  /** @internal */
  readonly [policyBrand]: Policy;
  /** @internal */
  readonly [policySources]: unknown;
}
