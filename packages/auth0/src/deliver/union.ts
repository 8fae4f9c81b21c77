import type { LookupFunction } from 'node:net';
import { askEachAddress, type Entry, findRevoked } from '@certpin/pins-file';
import { type Certificate, verify } from 'certpin';
import { inspect, type ProbeOptions, type Target, type TargetOutcome } from 'certpin/probe';
import { plain } from '../tenant/tenant-error.ts';
import { DeliverError } from './deliver-error.ts';

export interface UnionOptions {
  readonly lookup?: LookupFunction | undefined;
  /** For one address. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Addresses that need not be reached, and targets by their name. */
  readonly unreached?: readonly string[] | undefined;
}

/**
 * Whether a set of pins matches what every address of a target proves by a handshake now. A set that does not match would lock somebody
 * out. A certificate with a revoked pin need not be matched.
 *
 * @returns why not, once for each address
 */
export async function breachesOfUnion(
  entry: Entry,
  pins: string,
  { unreached = [], lookup, timeoutMs, signal }: UnionOptions,
): Promise<readonly DeliverError[]> {
  const { label, id, target } = entry;
  const options: ProbeOptions = { lookup, timeoutMs, signal, protocol: entry.protocol, servername: entry.servername };
  const isAccepted = [label, id].some((name) => name !== undefined && unreached.includes(name));
  const breach = (message: string): DeliverError => new DeliverError('ERR_UNION', `${label}: ${message}`);
  if (!('host' in target) && !('socketPath' in target)) {
    return isAccepted
      ? []
      : [breach(`it is a file, and no server proves its pins: to go on anyway: --unreached ${id ?? label}`)];
  }
  let outcomes: readonly TargetOutcome<string, Answer>[];
  try {
    outcomes = await askServer(target, options);
  } catch (error) {
    signal?.throwIfAborted();
    return isAccepted ? [] : [breach(`its addresses cannot be looked up (${plain((error as Error).message)})`)];
  }
  const breaches: DeliverError[] = [];
  if (outcomes.length === 0 && !isAccepted) breaches.push(breach('its name has no address'));
  for (const { target: address, ...outcome } of outcomes) {
    const at = address === '' ? '' : ` at ${address}`;
    if (!outcome.ok) {
      if (isAccepted || unreached.includes(address)) continue;
      const why = plain((outcome.error as Error).message);
      breaches.push(
        breach(`it was not reached${at} (${why}): to go on anyway: --unreached ${address || (id ?? label)}`),
      );
      continue;
    }
    const { certificates } = outcome.answer;
    const revoked = findRevoked(entry, certificates as readonly Certificate[]);
    if (typeof revoked === 'object') continue;
    // Validity and names do not matter for the set.
    const policy = { pins, expired: 'accept', hostnameVerification: 'ignore' } as const;
    const verdict = verify(outcome.answer, policy);
    const isMatched = verdict.ok || verdict.code === 'ERR_CERTIFICATE_NOT_YET_VALID'; // The pin is checked before the dates.
    if (!isMatched)
      breaches.push(breach(`the certificate that it presents${at} matches none of the pins that would be written`));
  }
  return breaches;
}

type Answer = Awaited<ReturnType<typeof inspect>>;

/** At each address of its name. A socket has no address, and is asked once. */
async function askServer(target: Target, options: ProbeOptions): Promise<readonly TargetOutcome<string, Answer>[]> {
  if ('host' in target) return askEachAddress(target, options, undefined, (own) => inspect(target, own));
  try {
    return [{ index: 0, ok: true, target: '', answer: await inspect(target, options) }];
  } catch (error) {
    options.signal?.throwIfAborted();
    return [{ index: 0, ok: false, target: '', error }];
  }
}
