import { createSecureContext } from 'node:tls';
import { type MapTargetsOptions, type ProbeOptions, type Protocol, protocols, scan } from 'certpin/probe';
import { type Command, Option } from 'commander';
import { failureOf, UsageError } from '../failure.ts';
import { readOptionFile } from './option-file.ts';
import { optionGroups } from './option-groups.ts';

/** The options of every command that connects. */
export interface ConnectionFlags {
  readonly timeout?: string;
  readonly servername?: string;
  readonly protocol?: Protocol;
  readonly proxy?: string;
  readonly ipv4?: true;
  readonly ipv6?: true;
  readonly cert?: string;
  readonly key?: string;
  readonly tlsMin?: string;
  readonly tlsMax?: string;
  readonly sigalgs?: string;
}

/** A name; of a file, an IP address too. */
const SERVERNAME = /^(?:[\p{L}\p{M}\p{N}._-]+|[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*)$/iu;

/** As people write them, and as Node does. */
const tlsVersions = { '1.0': 'TLSv1', '1.1': 'TLSv1.1', '1.2': 'TLSv1.2', '1.3': 'TLSv1.3' } as const;

export function addConnectionOptions(command: Command): Command {
  return command
    .optionsGroup(optionGroups.connecting)
    .option('--timeout <seconds>', 'longest time for one server; 0 for no limit (default: 10)')
    .option('--servername <name>', 'the name to send to the server (SNI), if it differs from the host')
    .addOption(new Option('--protocol <name>', 'how TLS begins (overrides URL and port)').choices(protocols))
    .option(
      '--proxy <url>',
      'go through a proxy: http://, https:// or socks5://, with user:password@ if it asks for a login',
    )
    .addOption(new Option('-4, --ipv4', 'connect to IPv4 addresses only').conflicts('ipv6'))
    .option('-6, --ipv6', 'connect to IPv6 addresses only')
    .option('--cert <file>', "the client's own certificate, PEM, for a server that demands one")
    .option('--key <file>', 'its private key, PEM, not encrypted')
    .addOption(new Option('--tls-min <version>', 'oldest version of TLS').choices(Object.keys(tlsVersions)))
    .addOption(new Option('--tls-max <version>', 'newest version of TLS').choices(Object.keys(tlsVersions)))
    .option('--sigalgs <list>', 'ask for one kind of certificate, if a port has several: rsa, ecdsa, ed25519')
    .optionsGroup(optionGroups.own);
}

/** @throws UsageError */
export function toProbeOptions(flags: ConnectionFlags, command: string): ProbeOptions {
  const { timeout, servername, protocol, proxy, ipv4, ipv6 } = flags;
  // It is sent in plaintext. A connection string in the wrong place must not be sent.
  if (servername !== undefined && !SERVERNAME.test(servername)) {
    throw new UsageError('--servername takes a host name', command);
  }
  const family = ipv4 ? 4 : ipv6 ? 6 : undefined;
  if (family !== undefined && proxy !== undefined) {
    throw new UsageError('-4 and -6 have no effect behind a proxy, which looks up the name', command);
  }
  checkProxy(proxy, command);
  return {
    timeoutMs: timeout === undefined ? undefined : toMilliseconds('--timeout', timeout, command),
    ...{ servername, protocol, proxy, family, tls: toTls(flags, command) },
  };
}

/** Checked once, and not for each target. The message repeats nothing of the URL, which may hold a login. */
function checkProxy(proxy: string | undefined, command: string): void {
  try {
    scan([], { proxy }); // This reads its options at once.
  } catch (error) {
    throw new UsageError(`--${failureOf(error).message}`, command);
  }
}

function toTls(
  { cert, key, tlsMin, tlsMax, sigalgs }: ConnectionFlags,
  command: string,
): NonNullable<ProbeOptions['tls']> {
  if ((cert === undefined) !== (key === undefined)) throw new UsageError('--cert and --key go together', command);
  if (tlsMax !== undefined && tlsMax < (tlsMin ?? '1.2')) {
    throw new UsageError('--tls-max is older than --tls-min, whose default is 1.2', command);
  }
  const versionOf = (version: string | undefined) => tlsVersions[version as keyof typeof tlsVersions];
  return {
    ...(cert === undefined || key === undefined ? {} : readIdentity(cert, key, command)),
    ...(tlsMin === undefined ? {} : { minVersion: versionOf(tlsMin) }),
    ...(tlsMax === undefined ? {} : { maxVersion: versionOf(tlsMax) }),
    ...(sigalgs === undefined ? {} : { sigalgs: toSigalgs(sigalgs, command) }),
  };
}

/** RFC 8446 §4.2.3: a server chooses among its certificates by the signatures that the client accepts. These are OpenSSL's names. */
const kindsOfKeys: Readonly<Record<string, string>> = {
  rsa: 'rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:rsa_pkcs1_sha256:rsa_pkcs1_sha384:rsa_pkcs1_sha512',
  ecdsa: 'ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512',
  ed25519: 'ed25519',
};

/** Kinds of keys, and OpenSSL's own names of signature algorithms. */
function toSigalgs(list: string, command: string): string {
  const names = list.split(/[:,]/).map((name) => kindsOfKeys[name.toLowerCase()] ?? name);
  const sigalgs = names.join(':');
  try {
    createSecureContext({ sigalgs });
    return sigalgs;
  } catch {
    const known = Object.keys(kindsOfKeys).join(', ');
    throw new UsageError(`--sigalgs takes ${known}, or names of OpenSSL, separated by commas`, command);
  }
}

function readIdentity(certFile: string, keyFile: string, command: string): { cert: Buffer; key: Buffer } {
  const identity = { cert: read('--cert', certFile, command), key: read('--key', keyFile, command) };
  try {
    createSecureContext(identity);
  } catch {
    throw new UsageError('--cert takes a certificate and --key its private key, both PEM and not encrypted', command);
  }
  return identity;
}

function read(option: string, path: string, command: string): Buffer {
  try {
    return readOptionFile({ path, option, kind: 'certificate file' });
  } catch (error) {
    throw new UsageError(failureOf(error).message, command);
  }
}

/** The options of a command that asks many targets. */
export interface ScanFlags extends ConnectionFlags {
  readonly concurrency?: string;
  readonly retries?: string;
  readonly totalTimeout?: string;
  readonly allAddresses?: true;
}

export function addScanOptions(command: Command): Command {
  return addConnectionOptions(command)
    .optionsGroup(optionGroups.connecting)
    .option('--all-addresses', 'ask the server at each address of its name (A and AAAA records), not only at one')
    .optionsGroup(optionGroups.many)
    .option('--total-timeout <seconds>', 'longest time for all targets together; 0 for no limit (default: 0)')
    .option('--concurrency <number>', 'targets that are asked at the same time (default: 8)')
    .option('--retries <number>', 'how often to ask again after a failure of the network (default: 0)')
    .optionsGroup(optionGroups.own);
}

/** The options of every command that reads files. */
export function addFileOptions(command: Command): Command {
  return command
    .optionsGroup(optionGroups.encrypted)
    .addOption(
      new Option('--password-file <file>', 'a file whose first line is the password of an encrypted file').conflicts(
        'passwordEnv',
      ),
    )
    .option('--password-env <name>', 'the environment variable that holds it (default: it is asked for)')
    .optionsGroup(optionGroups.own);
}

interface ScanSettings extends ProbeOptions, MapTargetsOptions {
  readonly concurrency: number;
  readonly retries: number;
  readonly allAddresses: boolean;
}

/** @throws UsageError */
export function toScanOptions(
  { totalTimeout = '0', concurrency = '8', retries = '0', allAddresses, ...flags }: ScanFlags,
  command: string,
): ScanSettings {
  if (allAddresses && flags.proxy !== undefined) {
    throw new UsageError('--all-addresses has no effect behind a proxy, which looks up the name', command);
  }
  return {
    ...toProbeOptions(flags, command),
    allAddresses: allAddresses === true,
    totalTimeoutMs: toMilliseconds('--total-timeout', totalTimeout, command),
    concurrency: toInteger('--concurrency', concurrency, [1, 1000], command),
    retries: toInteger('--retries', retries, [0, 10], command),
  };
}

/**
 * A number of seconds, in milliseconds.
 *
 * @throws UsageError
 */
export function readSeconds(text: string, option: string, command: string): number {
  const milliseconds = Math.ceil(Number(text) * 1000);
  if (/^\d+(?:\.\d+)?$/.test(text) && milliseconds > 0 && milliseconds <= 86_400_000) return milliseconds;
  throw new UsageError(`${option} takes a number of seconds, up to 86400`, command);
}

/** The text is not repeated: it may be anything, in the wrong place. */
function toMilliseconds(option: string, text: string, command: string): number {
  const milliseconds = Math.ceil(Number(text) * 1000);
  if (/^\d+(?:\.\d+)?$/.test(text) && milliseconds <= 86_400_000) return milliseconds;
  throw new UsageError(`${option} takes a number of seconds, up to 86400; 0 for no limit`, command);
}

function toInteger(option: string, text: string, [least, most]: [number, number], command: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  throw new UsageError(`${option} takes a number from ${least} to ${most}`, command);
}
