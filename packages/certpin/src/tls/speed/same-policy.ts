import { createServerPolicies, type HostOptions, type ServerPolicies } from '../../core/host-policies.ts';
import { type PolicyOptions, policyKeys } from '../../core/policy.ts';
import type { Policy } from '../../core/policy-type.ts';
import { ownOptions } from '../../leaf/options.ts';

// Saves the reading of pins that were read before, if options are given again for each connection. It never decides: the same text makes the
// same policy, which nobody can change.

/** By the text that they were made from. */
const policies = new Map<string, ServerPolicies>();

/** A program that makes more than these has new pins at each connection. */
const MAX_POLICIES = 16;

/** The key is as long as the text. */
const MAX_LENGTH = 4_096;

/**
 * As {@link createServerPolicies}, but options that consist only of the same text give the same policy.
 *
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`
 */
export function samePolicies(options: (PolicyOptions & HostOptions) | Policy): ServerPolicies {
  const own = ownOptions(Object(options) as PolicyOptions);
  const key = own.pins === undefined ? undefined : keyOf(own);
  if (key === undefined) return createServerPolicies(options);
  const policy = policies.get(key) ?? createServerPolicies(own);
  policies.set(key, policy);
  if (policies.size > MAX_POLICIES) policies.delete(policies.keys().next().value as string);
  return policy;
}

/**
 * Each value with its length, so that no text looks like two. undefined: something is not text and may change, or sessions are kept.
 * Sessions belong to the one client that was made.
 */
function keyOf(own: PolicyOptions): string | undefined {
  const values = policyKeys.map((option) => own[option]);
  const isText = values.every((value) => value === undefined || typeof value === 'string');
  const isKnown = Reflect.ownKeys(own).every((option) => policyKeys.includes(option as keyof PolicyOptions));
  if (!isText || !isKnown || own.resumption === 'own') return undefined;
  const key = values.map((value) => `${(value as string | undefined)?.length} ${value as string}`).join();
  return key.length > MAX_LENGTH ? undefined : key;
}
