import { isIPv4, isIPv6 } from 'node:net';
import { CertpinError } from '../errors.ts';
import { urlHost } from '../host.ts';
import type { UpgradeProtocol, UpgradeStep } from './contract.ts';

const name = 'socks5';

const VERSION = 5;
const NO_LOGIN = 0;
const LOGIN = 2;
const NOTHING_ACCEPTABLE = 0xff;

/** What the client asks of a SOCKS proxy. */
export interface SocksRequest {
  readonly host: string;
  readonly port: number;
  readonly login?: { readonly user: string; readonly password: string } | undefined;
  /** Whether the server speaks first, in plaintext. Then its greeting may directly follow the proxy's consent. */
  readonly greets?: boolean | undefined;
}

/**
 * SOCKS version 5 (RFC 1928), with a login if one is given (RFC 1929). The proxy looks up the name. After its consent, the connection leads
 * to the server.
 *
 * @throws CertpinError `ERR_OPTION_INVALID` if the host is not a host, or if the login is longer than the protocol allows
 */
export function createSocks5({ host, port, login, greets = false }: SocksRequest): UpgradeProtocol {
  const request = Buffer.of(VERSION, 1, 0, ...toAddress(host), port >>> 8, port & 0xff);
  const credentials = login === undefined ? undefined : toLogin(login);
  const methods = credentials === undefined ? [NO_LOGIN] : [NO_LOGIN, LOGIN];
  let phase: 'method' | 'login' | 'reply' = 'method';
  let read = Buffer.alloc(0);

  const receive = (bytes: Uint8Array): UpgradeStep => {
    read = Buffer.concat([read, bytes]);
    const needed = phase === 'reply' ? replyLength(read) : 2;
    if (phase === 'method' && read.length > 0 && read[0] !== VERSION) throw unexpected('it does not speak SOCKS5');
    if (needed === undefined || read.length < needed) return { next: 'wait' };
    const [, status] = read;
    const rest = read.subarray(needed);
    if (phase === 'reply' && greets) return { next: 'tls', rest };
    // The proxy answers one question at a time.
    if (rest.length > 0) throw injected(rest.length);
    read = Buffer.alloc(0);
    if (phase === 'reply') return { next: 'tls' };
    if (phase === 'method' && status === LOGIN && credentials !== undefined) {
      phase = 'login';
      return { next: 'send', bytes: credentials };
    }
    if (phase === 'method') checkMethod(status, credentials !== undefined);
    // RFC 1929 §2: anything except 0 is a refusal.
    else if (status !== 0) throw refused('it refuses this user name and password', 1);
    phase = 'reply';
    return { next: 'send', bytes: request };
  };
  return { name, opening: Buffer.of(VERSION, methods.length, ...methods), receive };
}

function checkMethod(method: number | undefined, hasLogin: boolean): void {
  if (method === NO_LOGIN) return;
  if (method !== NOTHING_ACCEPTABLE) throw unexpected('it chose a login that was not offered');
  const wanted = hasLogin ? 'another login than user name and password' : 'a login';
  throw refused(
    `it demands ${wanted}${hasLogin ? '' : ': put user name and password into the URL of the proxy'}`,
    NOTHING_ACCEPTABLE,
  );
}

/** RFC 1928 §6: version, reply, reserved, and an address whose length depends on its type. undefined: the length is not known yet. */
function replyLength(reply: Buffer): number | undefined {
  const [version = VERSION, status = 0, reserved = 0, type, length] = reply;
  if (version !== VERSION) throw unexpected('its answer is not of SOCKS5');
  if (status !== 0) throw refused(meanings[status] ?? 'it gives no reason', status);
  if (reserved !== 0) throw unexpected('its answer is not of SOCKS5');
  if (type === undefined) return undefined;
  if (type === 1) return 10;
  if (type === 4) return 22;
  if (type !== 3) throw unexpected('its answer is not of SOCKS5');
  return length === undefined ? undefined : 7 + length;
}

/** RFC 1928 §6. */
const meanings: Record<number, string> = {
  1: 'it failed',
  2: 'it does not allow this host or port',
  3: 'it has no way to the network',
  4: 'it could not reach the server',
  5: 'the server refused its connection',
  6: 'it could not reach the server in time',
  7: 'it opens no connections',
  8: 'it does not accept this kind of address',
};

/** RFC 1928 §5: type and address. */
function toAddress(host: string): Uint8Array {
  const canonical = urlHost(host)?.replace(/^\[(.*)\]$/, '$1');
  if (canonical === undefined || canonical.length > 255) {
    const message = 'the host to be reached through the proxy is neither a host name nor an IP address';
    throw new CertpinError('ERR_OPTION_INVALID', message, { option: 'host' });
  }
  if (isIPv4(canonical)) return Uint8Array.of(1, ...canonical.split('.').map(Number));
  if (isIPv6(canonical)) return Uint8Array.of(4, ...toBytes(canonical));
  return Uint8Array.of(3, canonical.length, ...Buffer.from(canonical, 'latin1'));
}

/** The 16 bytes of an IPv6 address in the spelling of a URL, which has no dots. */
function toBytes(address: string): number[] {
  const [head = [], end = []] = address.split('::').map((half) => half.split(':').filter((group) => group !== ''));
  const zeros = Array<string>(8 - head.length - end.length).fill('0');
  return [...head, ...zeros, ...end].flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >>> 8, value & 0xff];
  });
}

/** RFC 1929 §2. */
function toLogin({ user, password }: { readonly user: string; readonly password: string }): Uint8Array {
  const parts = [Buffer.from(user), Buffer.from(password)];
  if (parts.some(({ length }) => length < 1 || length > 255)) {
    const message = 'proxy: SOCKS5 takes a user name and a password of 1 to 255 bytes each';
    throw new CertpinError('ERR_OPTION_INVALID', message, { option: 'proxy.url' });
  }
  return Buffer.concat([Buffer.of(1), ...parts.flatMap((part) => [Buffer.of(part.length), part])]);
}

function refused(meaning: string, status: number): CertpinError<'ERR_PROXY_REFUSED'> {
  return new CertpinError('ERR_PROXY_REFUSED', `the SOCKS5 proxy answered with ${status}: ${meaning}`, { status });
}

function unexpected(what: string): CertpinError<'ERR_UPGRADE_UNEXPECTED'> {
  return new CertpinError('ERR_UPGRADE_UNEXPECTED', `the proxy cannot be used: ${what}`, { protocol: name });
}

function injected(count: number): CertpinError<'ERR_UPGRADE_INJECTED'> {
  const message = `${count} plaintext bytes followed the proxy's answer: somebody injected them`;
  return new CertpinError('ERR_UPGRADE_INJECTED', message, { protocol: name });
}
