import { isIP } from 'node:net';
import type { ConnectionOptions, SecureVersion } from 'node:tls';
import { type CertpinError, optionInvalid } from '../core/errors.ts';
import { INLINE } from '../core/form.ts';
import { canonicalHost } from '../core/host.ts';
import { createServerPolicies, type HostOptions, hostKeys, type ServerPolicies } from '../core/host-policies.ts';
import { ownOptions } from '../core/own-options.ts';
import {
  createPolicy,
  type Policy,
  type PolicyOptions,
  policyKeys,
  policyKeysIn,
  refuseUnknownOptions,
} from '../core/policy.ts';

/** What certpin adds to a client's connection options. */
export interface GuardOptions extends PolicyOptions, HostOptions {
  /**
   * Longest time from the call to the verdict, in milliseconds: name look-up, TCP and TLS together. Default 10 000; 0: no limit.
   */
  readonly connectTimeoutMs?: number | undefined;
}

/** Options of `tls.connect` (doc/api/tls.md, net.md) that decide nothing about trust, or that the guard sets safely. */
const allTlsOptionKeys: readonly string[] = [
  // the address
  ...['host', 'port', 'path', 'socket', 'lookup', 'family', 'hints', 'localAddress', 'localPort'],
  ...['autoSelectFamily', 'autoSelectFamilyAttemptTimeout'],
  // the socket
  ...['allowHalfOpen', 'keepAlive', 'keepAliveInitialDelay', 'noDelay', 'highWaterMark', 'onread', 'signal', 'timeout'],
  // TLS
  ...['servername', 'ALPNProtocols', 'minVersion', 'maxVersion', 'ciphers', 'ecdhCurve', 'sigalgs', 'honorCipherOrder'],
  ...['minDHSize', 'dhparam', 'secureContext', 'secureOptions', 'enableTrace', 'requestOCSP'],
  // the client's own certificate, and CAs for `caVerification: 'require'`
  ...['cert', 'key', 'pfx', 'passphrase', 'ca', 'crl', 'allowPartialTrustChain', 'clientCertEngine'],
  ...['privateKeyEngine', 'privateKeyIdentifier'],
];

/** In a script those that one may need. The others are unknown options there, with those that would weaken a pin. */
const tlsOptionKeys = INLINE
  ? 'host port keepAlive timeout servername ciphers cert key passphrase'.split(' ')
  : allTlsOptionKeys;

/** TLS options of a client beside its policy: those of `tls.connect`, less those that have no meaning beside a pin. */
export type ClientTlsOptions = Omit<
  ConnectionOptions,
  'rejectUnauthorized' | 'checkServerIdentity' | 'session' | 'pskCallback' | 'secureProtocol'
>;

/** Options of `tls.connect` that mean something else under a pin: why each is refused. */
const refusedOptions: Record<string, string> = {
  rejectUnauthorized:
    "the pin decides; remove it (`caVerification: 'require'` demands the ordinary CA verification too)",
  checkServerIdentity: "the pin decides; remove it (`hostnameVerification: 'require'` demands the host name too)",
  session: 'a TLS session is resumed without showing a certificate; remove it',
  pskCallback: 'a pre-shared key shows no certificate, so there is nothing to pin',
  maxCachedSessions: 'TLS sessions are not cached: a resumed one shows no certificate; remove it',
  proxyEnv: 'a proxy would make the TLS connection itself; remove it',
  proxy: 'this client does not go through one; the agent, axios, fetch and undici do, by an option of their own',
  secureProtocol: 'it can choose a version older than TLS 1.2; use minVersion and maxVersion',
};

/**
 * Separates a policy from the connection options that stand beside it, and checks both when the configuration is made.
 *
 * @param ownKeys further options that this client knows
 * @throws CertpinError `ERR_OPTION_INVALID`
 */
export function splitOptions<Options extends GuardOptions>(
  options: Options,
  ownKeys: readonly string[],
  where: string,
): { policy: ServerPolicies; connectTimeoutMs: number; rest: Omit<Options, keyof GuardOptions> } {
  const guardKeys = INLINE ? [...policyKeys, 'connectTimeoutMs'] : guardKeysIn(options);
  const policy = Object.create(null) as Record<string | symbol, unknown>;
  const rest = Object.create(null) as Record<string, unknown>;
  const given: Record<string | symbol, unknown> = ownOptions(
    readTlsOptions(options, where, [...guardKeys, ...ownKeys]),
  ) as never;
  // A copy of a policy is known by its symbol.
  for (const key of Reflect.ownKeys(given)) {
    if (typeof key === 'symbol' || guardKeys.includes(key)) policy[key] = given[key];
    else rest[key] = given[key];
  }
  return { ...readPolicy(policy), rest: rest as Omit<Options, keyof GuardOptions> };
}

/** The options of a policy, and what else stands beside them. */
function guardKeysIn(options: object): readonly string[] {
  return [...policyKeysIn(Object(options)), ...hostKeys, 'connectTimeoutMs'];
}

/** A policy that stands alone, with the time limit that may stand beside it. */
export function readPolicy(options: GuardOptions | Policy): { policy: ServerPolicies; connectTimeoutMs: number } {
  if (!INLINE) checkTlsOptions(options, 'policy');
  const { connectTimeoutMs = 10_000, ...others }: GuardOptions = ownOptions(options ?? {});
  /** A delay that setTimeout cannot keep fires at once. */
  if (!(Number.isInteger(connectTimeoutMs) && connectTimeoutMs >= 0 && connectTimeoutMs < 2 ** 31))
    throw optionInvalid('connectTimeoutMs', '`connectTimeoutMs` must be a whole number of milliseconds, or 0');
  if (INLINE) return { policy: createPolicy(others), connectTimeoutMs };
  /** A policy that was made stays whole: its pins may be live. */
  const isPolicyAlone = !Object.hasOwn(Object(options), 'connectTimeoutMs');
  return { policy: createServerPolicies(isPolicyAlone ? options : others), connectTimeoutMs };
}

/** @throws CertpinError `ERR_OPTION_INVALID` for options of `tls.connect` that would weaken a pin or make it meaningless */
function checkTlsOptions(options: object, where: string, ownKeys: readonly string[] = []): void {
  if (typeof options !== 'object' || options === null) return; // which is refused as a whole
  const own: Record<string, unknown> = ownOptions(options) as never;
  for (const [option, why] of Object.entries(refusedOptions)) {
    if (!ownKeys.includes(option) && own[option] !== undefined) {
      throw optionInvalid(option, `${where}: \`${option}\` has no place beside a pin: ${why}`);
    }
  }
  const { minVersion, maxVersion } = own as ConnectionOptions;
  if (isOld(minVersion)) throw tooOld('minVersion', minVersion);
  if (isOld(maxVersion)) throw tooOld('maxVersion', maxVersion);
}

/**
 * The TLS options of a database client, as they stand in the `ssl` of its configuration.
 *
 * @throws CertpinError `ERR_OPTION_INVALID` for whatever is neither absent, `true` nor an object of TLS options
 */
export function readClientTls(ssl: unknown): ConnectionOptions {
  if (!INLINE && ssl === false)
    throw optionInvalid('ssl', '`ssl: false` contradicts a pin: there is always TLS; remove it');
  if (ssl === undefined || ssl === true) return {};
  return readTlsOptions(ssl as object, 'ssl');
}

/**
 * TLS options that stand alone, beside a policy.
 *
 * @param ownKeys further options that this client knows
 * @throws CertpinError `ERR_OPTION_INVALID`
 */
export function readTlsOptions<Options extends object>(
  options: Options,
  where: string,
  ownKeys: readonly string[] = [],
): Options {
  if (!INLINE) checkTlsOptions(options, where, ownKeys);
  refuseUnknownOptions(options, [...tlsOptionKeys, ...ownKeys], where);
  /** Without a prototype, see {@link ownOptions}; and with what is not enumerable: a pool of pg makes `ssl.key` so. */
  return Object.create(null, Object.getOwnPropertyDescriptors(options)) as Options;
}

/** The options with which the guard calls `tls.connect`: what the caller chose, and what is not the caller's to choose. */
export function safeHandshake(options: ConnectionOptions): ConnectionOptions {
  const { minVersion, secureOptions, servername, host } = options;
  return {
    ...options,
    minVersion: minVersion === 'TLSv1.3' ? minVersion : 'TLSv1.2',
    // RFC 5746 renegotiation would put another certificate under a connection whose verdict has been given.
    secureOptions: (secureOptions ?? 0) | SSL_OP_NO_RENEGOTIATION,
    ...serverNameIndication(servername ?? host),
    session: undefined,
    pskCallback: undefined,
  } as object as ConnectionOptions;
}

/**
 * As {@link safeHandshake}.
 *
 * @param oldVersions whether a `minVersion` before TLS 1.2 is taken: only where nothing is sent on the connection
 */
export function handshakeOptions(options: ConnectionOptions, oldVersions = false): ConnectionOptions {
  const { minVersion, host, servername = host } = options;
  const name = servername == null ? {} : { servername: canonicalHost(servername) ?? '' };
  const version = oldVersions && minVersion !== undefined ? { minVersion } : {};
  return ownOptions({ ...notInherited, ...safeHandshake({ ...options, ...name }), ...version });
}

/** Node reads options from `Object.prototype` too. These would choose whom it trusts and where it connects. */
const notInherited: ConnectionOptions = Object.fromEntries(
  ['ca', 'crl', 'secureContext', 'socket', 'path', 'lookup'].map((option) => [option, undefined]),
);

/** Of OpenSSL 1.1.1 and newer; not among the constants of every Node. */
const SSL_OP_NO_RENEGOTIATION = 0x4000_0000;

/** RFC 6066 §3: a DNS name without trailing dot; literal addresses are not permitted (Node 25 throws on them). */
function serverNameIndication(name: string | undefined): { servername?: string } {
  const host = name?.replace(/^\[(.*)\]$/, '$1').replace(/%.*$/, '');
  /** An empty name, given on purpose, keeps Node from taking the host. */
  return host === undefined ? {} : { servername: isIP(host) === 0 ? host.replace(/\.$/, '') : '' };
}

/** Before TLS 1.2. */
export function isOld(version: SecureVersion | undefined): boolean {
  return version !== undefined && version !== null && version !== 'TLSv1.2' && version !== 'TLSv1.3';
}

function tooOld(option: string, version: SecureVersion | undefined): CertpinError<'ERR_OPTION_INVALID'> {
  return optionInvalid(option, `\`${option}\` must be 'TLSv1.2' or 'TLSv1.3', not '${version}'`);
}
