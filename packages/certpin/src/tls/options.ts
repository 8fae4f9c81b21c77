import type { ConnectionOptions, SecureVersion } from 'node:tls';
import { type HostOptions, hostKeys } from '../core/host-policies.ts';
import { type PolicyOptions, policyKeysIn, type SomePins } from '../core/policy.ts';
import type { Policy } from '../core/policy-type.ts';
import { refuseUnknownOptions } from '../core/unknown-options.ts';
import { type CertpinError, optionInvalid } from '../errors.ts';
import { ownOptions, readConnectTimeout, refuseOptions } from '../leaf/options.ts';
import type { PinnerConfig } from './guard.ts';
import { samePolicies } from './speed/same-policy.ts';

/** What certpin adds to a client's connection options. */
export interface GuardOptions extends PolicyOptions, HostOptions {
  /**
   * Longest time from the call to the verdict, in milliseconds: name look-up, TCP and TLS together. Default 10 000; 0: no limit.
   */
  readonly connectTimeoutMs?: number | undefined;
}

/** {@link GuardOptions} of which one says what must hold. */
export type GivenGuardOptions = GuardOptions & (SomePins | { readonly hosts: HostOptions['hosts'] });

/** Options of `tls.connect` (doc/api/tls.md, net.md) that decide nothing about trust, or that the guard sets safely. */
const tlsOptionKeys: readonly string[] = [
  // The address
  ...['host', 'port', 'path', 'socket', 'lookup', 'family', 'hints', 'localAddress', 'localPort'],
  ...['autoSelectFamily', 'autoSelectFamilyAttemptTimeout'],
  // The socket
  ...['allowHalfOpen', 'keepAlive', 'keepAliveInitialDelay', 'noDelay', 'highWaterMark', 'onread', 'signal', 'timeout'],
  // TLS
  ...['servername', 'ALPNProtocols', 'minVersion', 'maxVersion', 'ciphers', 'ecdhCurve', 'sigalgs', 'honorCipherOrder'],
  ...['minDHSize', 'dhparam', 'secureContext', 'secureOptions', 'enableTrace', 'requestOCSP'],
  // The client's own certificate, and CAs for `caVerification: 'require'`
  ...['cert', 'key', 'pfx', 'passphrase', 'ca', 'crl', 'allowPartialTrustChain', 'clientCertEngine'],
  ...['privateKeyEngine', 'privateKeyIdentifier'],
];

/** TLS options of a client next to its policy: those of `tls.connect`, without those that have no meaning together with a pin. */
export type ClientTlsOptions = Omit<
  ConnectionOptions,
  'rejectUnauthorized' | 'checkServerIdentity' | 'session' | 'pskCallback' | 'secureProtocol'
>;

/** Options of `tls.connect` that mean something else under a pin, and why each is refused. */
const refusedOptions: Record<string, string> = {
  rejectUnauthorized:
    "the pin decides; remove it (`caVerification: 'require'` demands the ordinary CA verification too)",
  checkServerIdentity: "the pin decides; remove it (`hostnameVerification: 'require'` demands the host name too)",
  session: 'a TLS session is resumed without showing a certificate; remove it',
  pskCallback: 'a pre-shared key shows no certificate, so there is nothing to pin',
  maxCachedSessions: 'TLS sessions are not cached: a resumed one shows no certificate; remove it',
  proxyEnv: 'a proxy would make the TLS connection itself; remove it',
  proxy: 'this client cannot use a proxy; the agent, axios, fetch and undici have an option for it',
  secureProtocol: 'it can choose a version older than TLS 1.2; use minVersion and maxVersion',
};

/**
 * Separates a policy from the connection options next to it, and checks both when the configuration is made.
 *
 * @param ownKeys further options that this client knows
 * @throws CertpinError `ERR_OPTION_INVALID`
 */
export function splitOptions<Options extends GuardOptions>(
  options: Options,
  ownKeys: readonly string[],
  where: string,
): { guarded: Guarded; rest: Omit<Options, keyof GuardOptions> } {
  const guardKeys = guardKeysIn(options);
  const policy: Record<string | symbol, unknown> = ownOptions({});
  const rest: Record<string, unknown> = ownOptions({});
  checkAllOptions(options, where, [...guardKeys, ...ownKeys]);
  const given: Record<string | symbol, unknown> = ownOptions(options) as never;
  // A copy of a policy is recognised by its symbol.
  for (const key of Reflect.ownKeys(given)) {
    if (typeof key === 'symbol' || guardKeys.includes(key)) policy[key] = given[key];
    else rest[key] = given[key];
  }
  return { guarded: guardedBy(policy), rest: rest as Omit<Options, keyof GuardOptions> };
}

/** The options of a policy, and the other options next to them. */
function guardKeysIn(options: object): readonly string[] {
  return [...policyKeysIn(Object(options)), ...hostKeys, 'connectTimeoutMs'];
}

/** What the options of every client say about its connections. */
export type Guarded = Pick<PinnerConfig, 'policies' | 'connectTimeoutMs'>;

/**
 * A policy that stands alone, with the time limit that may stand beside it.
 *
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`
 */
export function readPolicy(options: GuardOptions | Policy): Guarded {
  checkTlsOptions(options, 'policy');
  return guardedBy(options);
}

function guardedBy(options: GuardOptions | Policy): Guarded {
  const { connectTimeoutMs, ...others }: GuardOptions = ownOptions(options ?? {});
  // A policy that was already made stays complete: its pins may be live.
  const isPolicyAlone = !Object.hasOwn(Object(options), 'connectTimeoutMs');
  return {
    connectTimeoutMs: readConnectTimeout(connectTimeoutMs),
    policies: samePolicies(isPolicyAlone ? options : others),
  };
}

/** @throws CertpinError `ERR_OPTION_INVALID` for options of `tls.connect` that would weaken a pin, or make it meaningless */
function checkTlsOptions(options: object, where: string, ownKeys: readonly string[] = []): void {
  if (typeof options !== 'object' || options === null) return; // This is refused as a whole.
  const own = ownOptions(options);
  refuseOptions(own, refusedOptions, (option, why) =>
    ownKeys.includes(option)
      ? undefined
      : optionInvalid(option, `${where}: \`${option}\` does not go together with a pin: ${why}`),
  );
  const { minVersion, maxVersion } = own as ConnectionOptions;
  if (isOld(minVersion)) throw tooOld('minVersion', minVersion);
  if (isOld(maxVersion)) throw tooOld('maxVersion', maxVersion);
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
  if (typeof options !== 'object' || options === null) checkAllOptions(options, where, ownKeys);
  const own: Record<string, unknown> = ownOptions({});
  // Properties that are not enumerable stay so in every copy: a pool of pg makes `ssl.key` not enumerable.
  for (const option of Object.getOwnPropertyNames(options)) own[option] = (options as typeof own)[option];
  checkAllOptions(own, where, ownKeys);
  return own as Options;
}

function checkAllOptions(options: object, where: string, ownKeys: readonly string[]): void {
  checkTlsOptions(options, where, ownKeys);
  refuseUnknownOptions(options, [...tlsOptionKeys, ...ownKeys], where);
}

/** Before TLS 1.2. */
export function isOld(version: SecureVersion | undefined): boolean {
  return version !== undefined && version !== null && version !== 'TLSv1.2' && version !== 'TLSv1.3';
}

function tooOld(option: string, version: SecureVersion | undefined): CertpinError<'ERR_OPTION_INVALID'> {
  return optionInvalid(option, `\`${option}\` must be 'TLSv1.2' or 'TLSv1.3', not '${version}'`);
}
