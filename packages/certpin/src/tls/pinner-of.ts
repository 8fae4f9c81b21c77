import type { Policy } from '../core/policy-type.ts';
import type { Pinner } from '../leaf/pinner.ts';
import type { OpenTunnel } from '../wire/tunnel.ts';
import { watchOpen } from './attempt.ts';
import { createPinner } from './guard.ts';
import { type GivenGuardOptions, readPolicy } from './options.ts';

/** What a client is given as its policy. */
export type PolicyInput = GivenGuardOptions | Policy;

/**
 * All that an adapter needs of a policy, where the client's server is asked for TLS first.
 *
 * @param client the subpath of the adapter
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`
 */
export function pinnerOf(policy: PolicyInput, client: string): Pinner {
  return createPinner({ ...readPolicy(policy), client });
}

/**
 * As {@link pinnerOf}, where the connection begins with TLS.
 *
 * @param tunnel where a proxy stands before the server
 */
export function tlsPinnerOf(policy: PolicyInput, client: string, tunnel?: OpenTunnel): Pinner {
  return watchOpen(createPinner({ ...readPolicy(policy), tunnel }), client);
}
