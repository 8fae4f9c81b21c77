import type { Policy } from '../core/policy-type.ts';
import type { Pinner } from '../leaf/pinner.ts';
import type { OpenTunnel } from '../wire/tunnel.ts';
import { createPinner } from './guard.ts';
import { type GuardOptions, readPolicy } from './options.ts';

/** What a client is given as its policy. */
export type PolicyInput = GuardOptions | Policy;

/**
 * All that an adapter needs of a policy.
 *
 * @param tunnel where a proxy stands before the server
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`
 */
export function pinnerOf(policy: PolicyInput, tunnel?: OpenTunnel): Pinner {
  return createPinner({ ...readPolicy(policy), tunnel });
}
