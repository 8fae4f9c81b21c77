import { lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { CertpinError } from '../errors.ts';
import { type ProbeOptions, readProbeOptions, type Settings } from './options.ts';
import { type Target, toTarget } from './target.ts';
import { type Stop, withTimeLimit } from './time-limit.ts';

/** A name with more addresses than these would keep us busy. */
const MAX_ADDRESSES = 64;

/**
 * Every address of the server's name, from its A and AAAA records and the hosts file, in the order of the look-up.
 *
 * @throws CertpinError `ERR_CONNECT_TIMEOUT`; `ERR_TARGET_INVALID` for a file and a unix socket, and for a name with more than 64
 * addresses. Node's own error (`ENOTFOUND`, …) if the look-up fails
 */
export async function addressesOf(target: string | Target, options: ProbeOptions = {}): Promise<readonly string[]> {
  const { lookup, family, timeoutMs, signal } = readProbeOptions(options);
  const read = toTarget(target);
  // As a connection to it does: an address is not looked up.
  if ('host' in read && isIP(read.host) !== 0) return [read.host];
  return withTimeLimit(timeoutMs, signal, (own) => lookUp(read, { lookup, family }, own));
}

async function lookUp(
  target: Target,
  {
    lookup = systemLookup as LookupFunction,
    family = 0,
  }: Partial<Pick<Settings, 'lookup'>> & { family?: number | undefined },
  signal: Stop,
): Promise<readonly string[]> {
  if (!('host' in target)) {
    const kind = target.protocol === 'file' ? 'a file' : 'srvName' in target ? 'a cluster' : 'a unix socket';
    throw invalid(`${kind} has no addresses to ask: name a server`);
  }
  const found = await new Promise<string[]>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
    lookup(target.host, { all: true, family }, (error, addresses) =>
      error ? reject(error) : resolve(toList(addresses)),
    );
  });
  if (found.length > MAX_ADDRESSES) throw invalid(`its name has more than ${MAX_ADDRESSES} addresses`);
  return found;
}

/** The same look-up, but it also reports the addresses that it has found. */
export function overheard(lookup: LookupFunction | undefined, tell: (addresses: string[]) => void): LookupFunction {
  const ask = lookup ?? (systemLookup as LookupFunction);
  return (host, options, done) =>
    ask(host, { ...options, all: true }, (error, addresses) => {
      if (error) return done(error, '', 0);
      tell(toList(addresses));
      if (options.all || typeof addresses === 'string') return done(null, addresses);
      const [first] = addresses;
      // With the same code as Node's own look-up.
      if (first === undefined)
        return done(Object.assign(new Error(`${host} has no address`), { code: 'ENOTFOUND' }), '');
      done(null, first.address, first.family);
    });
}

/** Each address once: a hosts file may name one twice. */
function toList(addresses: string | readonly { readonly address: string }[]): string[] {
  return typeof addresses === 'string' ? [addresses] : [...new Set(addresses.map(({ address }) => address))];
}

function invalid(reason: string): CertpinError<'ERR_TARGET_INVALID'> {
  return new CertpinError('ERR_TARGET_INVALID', reason, { reason });
}
