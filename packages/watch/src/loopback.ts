import dns from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';

/** Only literal addresses: tomorrow, a name could lead to anybody. {@link lookupLoopback} checks `localhost`. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  return bare === 'localhost' || isLoopbackAddress(bare);
}

function isLoopbackAddress(address: string): boolean {
  return address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}

/** The `code` of the refusal. */
export const NOT_LOOPBACK = 'ERR_NOT_LOOPBACK';

/**
 * For connections without TLS. If no file of the machine says what `localhost` is, its resolver decides, and that may be an attacker. So a
 * name that leads to another machine is refused before anything is sent (RFC 6761 §6.3).
 */
export const lookupLoopback: LookupFunction = (host, options, done) => {
  dns.lookup(host, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return done(error, []);
    const other = addresses.find(({ address }) => !isLoopbackAddress(address));
    if (other !== undefined) {
      const message = `${host} is ${other.address} here, and not this machine: write 127.0.0.1`;
      return done(Object.assign(new Error(message), { code: NOT_LOOPBACK }), []);
    }
    const [first] = addresses;
    if (options.all || first === undefined) return done(null, addresses);
    done(null, first.address, first.family);
  });
};
