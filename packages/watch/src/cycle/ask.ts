import {
  askEachAddress,
  type Entry,
  type Judged,
  type JudgedAddress,
  judge,
  judgeAddresses,
  type Span,
} from '@certpin/pins-file';
import { CertpinError } from 'certpin';
import { type Inspected, inspect, type ProbeOptions, toProbeFailure } from 'certpin/probe';
import { familyOf, type HasFamily } from '../states/out-of-reach.ts';

export interface AskOptions extends Pick<ProbeOptions, 'timeoutMs' | 'lookup' | 'signal'> {
  readonly retries: number;
  readonly near: Span;
  readonly now: () => number;
  readonly hasFamily: HasFamily;
}

/**
 * Asks a target, a server at each of its addresses, and judges what it presents: the probe of `certpin get`, and the judge of `certpin check
 * --file`.
 *
 * @throws the reason of the signal
 */
export async function askEntry(entry: Entry, { retries, near, now, hasFamily, ...given }: AskOptions): Promise<Judged> {
  const { target, protocol, servername } = entry;
  const options: ProbeOptions = { ...given, protocol, servername };
  const found = (peer: Inspected): Judged => judge(entry, { protocol: peer.protocol, peer }, near, new Date(now()));
  const failed = (error: unknown): Judged => {
    const { error: failure, protocol: known } = toProbeFailure(target, error, protocol);
    return judge(entry, { protocol: known, failure }, near, new Date(now()));
  };
  try {
    if (!('host' in target)) return found(await inspect(target, options));
    const outcomes = await askEachAddress(target, options, retries, (own) => inspect(target, own));
    if (outcomes.length === 0) throw noAddress();
    return judgeAddresses(
      outcomes.map((outcome): JudgedAddress => {
        const address = outcome.target;
        return {
          ...(outcome.ok ? found(outcome.answer) : failed(withoutWay(outcome.error, address, hasFamily))),
          address,
        };
      }),
    );
  } catch (error) {
    if (given.signal?.aborted) throw error;
    return failed(error);
  }
}

/** Where this machine has no address of the family but its own, it has no way there; some systems say "no route to the host" then. */
function withoutWay(error: unknown, address: string, hasFamily: HasFamily): unknown {
  if ((error as { code?: unknown }).code !== 'EHOSTUNREACH' || hasFamily(familyOf(address))) return error;
  return Object.assign(new Error((error as Error).message), { code: 'ENETUNREACH' });
}

function noAddress(): CertpinError<'ERR_TARGET_INVALID'> {
  const reason = 'its name has no address';
  return new CertpinError('ERR_TARGET_INVALID', reason, { reason });
}
