import { everyRule } from '../core/host-policies.ts';
import type { Policy } from '../core/policy-type.ts';
import { type CertpinError, optionInvalid } from '../errors.ts';
import type { Attacher } from '../leaf/attacher.ts';
import type { Pinner } from '../leaf/pinner.ts';
import type { OpenTunnel } from '../wire/tunnel.ts';
import { createAttacher } from './attach.ts';
import { watchOpen } from './attempt.ts';
import { createPinner } from './guard.ts';
import { type GivenGuardOptions, readPolicy } from './options.ts';

/** What a client is given as its policy. */
export type PolicyInput = GivenGuardOptions | Policy;

/**
 * All that an adapter needs of a policy, if the client's server is first asked for TLS.
 *
 * @param client the subpath of the adapter
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`
 */
export function pinnerOf(policy: PolicyInput, client: string): Pinner {
  return createPinner({ ...readPolicy(policy), client });
}

/**
 * As {@link pinnerOf}, for connections that begin with TLS.
 *
 * @param tunnel set if a proxy stands before the server
 */
export function tlsPinnerOf(policy: PolicyInput, client: string, tunnel?: OpenTunnel): Pinner {
  return watchOpen(createPinner({ ...readPolicy(policy), tunnel }), client);
}

/**
 * As {@link pinnerOf}, if the client makes its own TLS connection and certpin sees it when it is made (drivers/seen.ts). The context trusts
 * no CA, so that Node refuses a connection that certpin did not see. So the ordinary verification cannot work here.
 */
export function seenPinnerOf(policy: PolicyInput, client: string): Attacher {
  const guarded = readPolicy(policy);
  for (const rule of everyRule(guarded.policies)) {
    if (rule === 'verify') throw needsOwn('otherHosts', 'verify', 'name each host with its pins');
    if (rule.caVerification === 'require') throw needsOwn('caVerification', 'require', 'pin the CA with `issuerPins`');
    if (rule.resumption === 'own') throw needsOwn('resumption', 'own', 'remove it');
  }
  return createAttacher(guarded, client);
}

function needsOwn(option: string, value: string, advice: string): CertpinError<'ERR_OPTION_INVALID'> {
  const message = `\`${option}: '${value}'\` needs a connection that certpin makes, and this client makes its own: ${advice}`;
  return optionInvalid(option, message);
}
