import type { Certificate, CertificateSummary } from '../core/certificate.ts';
import { CertpinError } from '../errors.ts';
import { upgradeProtocols } from '../protocols/registry.ts';
import { tunnelFor } from '../wire/tunnel.ts';
import type { Reached } from './attempt.ts';
import { detect } from './detect.ts';
import { readCertificates } from './file.ts';
import { type ProbeOptions, readProbeOptions, type Settings } from './options.ts';
import { attemptOrOther } from './other-answer.ts';
import type { Protocol } from './schemes.ts';
import { findServer } from './srv.ts';
import { parseTarget, type ServerTarget, type SocketTarget, type Target, toTarget } from './target.ts';
import { type Stop, withTimeLimit } from './time-limit.ts';

/** The result of a probe: plain JSON, as `certpin get --json` prints it. Fields are added, never renamed. */
export type ProbeReport = ProbeSuccess | ProbeFailure;

export interface ProbeSuccess {
  /** The target as it was given, without credentials. */
  readonly target: string;
  /** How the server comes to TLS, or `file`. */
  readonly protocol: Protocol | 'file';
  /** Whether certpin found out the protocol. false: an option, the scheme or the port gave it. */
  readonly detected: boolean;
  /** null for a file and a unix socket. */
  readonly host: string | null;
  readonly port: number | null;
  /** The IP address that answered. null for a file, a unix socket, and behind a proxy. */
  readonly address: string | null;
  /** The other addresses of the name, which were not asked. */
  readonly otherAddresses: readonly string[];
  /** `TLSv1.3`; null for a file. */
  readonly tlsVersion: string | null;
  readonly ok: true;
  /** The leaf. */
  readonly certificate: CertificateSummary;
  /** Every presented certificate, the leaf first. */
  readonly chain: readonly CertificateSummary[];
}

export interface ProbeFailure {
  readonly target: string;
  /** null if the target could not be read, or if neither scheme nor port gave the protocol and certpin did not find it out. */
  readonly protocol: Protocol | 'file' | null;
  readonly host: string | null;
  readonly port: number | null;
  readonly ok: false;
  readonly error: { readonly code: string; readonly message: string };
}

/** What {@link verify} takes, and how it was obtained. */
export interface Inspected extends Reached {
  readonly protocol: Protocol | 'file';
  /** Whether certpin found out the protocol. false: an option, the scheme or the port gave it. */
  readonly detected: boolean;
}

/**
 * Asks a server or a file for its certificate: connects, upgrades, makes the handshake, closes. No credential is sent. A completed
 * handshake proves that the server owns the certificate's key. It does not prove that the certificate is the right one.
 *
 * @param target its text, or what `parseTarget` has made of it
 * @returns a report; a failure is a report too, never an exception
 */
export async function probe(target: string | Target, options: ProbeOptions = {}): Promise<ProbeReport> {
  let protocol: Protocol | undefined;
  try {
    const settings = readProbeOptions(options);
    protocol = settings.protocol;
    return await probeWith(target, settings);
  } catch (error) {
    return toProbeFailure(target, error, protocol);
  }
}

/** As {@link probe}, with options that have been read. @throws an error for {@link toProbeFailure} */
export async function probeWith(target: string | Target, settings: Settings): Promise<ProbeSuccess> {
  const read = toTarget(target);
  return toProbeSuccess(read, await inspectTarget(read, settings));
}

/**
 * The report of what {@link inspect} has found, as {@link probe} gives it.
 *
 * @throws CertpinError `ERR_CONNECTION_CLOSED` if no certificate was presented; the error of `node:crypto` if it cannot be read
 */
export function toProbeSuccess(
  target: Target,
  { certificates, protocol, detected, tlsVersion, address, otherAddresses = [] }: Inspected,
): ProbeSuccess {
  const chain = certificates.map((certificate) => (certificate as Certificate).toJSON());
  const [certificate] = chain;
  if (certificate === undefined)
    throw new CertpinError('ERR_CONNECTION_CLOSED', 'the server presented no certificate', { protocol });
  return {
    ...{ target: target.label, protocol, detected, ...placeOf(target) },
    ...{ address: address ?? null, otherAddresses, tlsVersion: tlsVersion ?? null },
    ...{ ok: true, certificate, chain },
  };
}

/**
 * What a server or a file presents, as {@link verify} takes it: `verify(await inspect(target), policy)` answers whether a pin holds.
 *
 * @param target its text, or what `parseTarget` has made of it
 *
 * @throws CertpinError `ERR_TARGET_INVALID`, `ERR_OPTION_INVALID`, `ERR_FILE_UNREADABLE`, `ERR_CONNECT_TIMEOUT`, `ERR_CONNECTION_CLOSED`,
 * `ERR_UPGRADE_…`, `ERR_TLS_NOT_FOUND`, `ERR_PROXY_REFUSED`; Node's own errors (`ECONNREFUSED`, `ENOTFOUND`, `ENOENT`, …), those of a
 * handshake with the reason in words
 */
export async function inspect(target: string | Target, options: ProbeOptions = {}): Promise<Inspected> {
  return inspectTarget(toTarget(target), readProbeOptions(options));
}

async function inspectTarget(target: Target, settings: Settings): Promise<Inspected> {
  if (target.protocol === 'file')
    return { certificates: await readCertificates(target.path), protocol: 'file', detected: false, fromFile: true };
  const { timeoutMs, signal } = settings;
  return withTimeLimit(timeoutMs, signal, async (own) => {
    const server = 'srvName' in target ? await findServer(target, settings, own) : target;
    return inspectServer(server, settings, own);
  });
}

async function inspectServer(
  target: ServerTarget | SocketTarget,
  settings: Settings,
  signal: Stop,
): Promise<Inspected> {
  if ('socketPath' in target && tunnelFor(settings.tunnel, { path: target.socketPath }) !== undefined) {
    const message = 'a unix socket is not reached through a proxy: remove `proxy`';
    throw new CertpinError('ERR_OPTION_INVALID', message, { option: 'proxy' });
  }
  if ('socketPath' in target && settings.address !== undefined) {
    throw new CertpinError('ERR_OPTION_INVALID', 'a unix socket has no address: remove `address`', {
      option: 'address',
    });
  }
  // The server is called by the same name before TLS and in TLS.
  const host = settings.servername ?? ('host' in target ? target.host : 'localhost');
  const protocol = settings.protocol ?? target.protocol;
  if (protocol === null) {
    const found = await detect(target, settings, host, signal);
    return { ...found.peer, protocol: found.protocol, detected: true };
  }
  const machine = protocol === 'tls' ? undefined : upgradeProtocols[protocol].create(host);
  return { ...(await attemptOrOther(target, settings, { machine, signal })), protocol, detected: false };
}

/**
 * The report of a target that could not be asked, as {@link probe} gives it.
 *
 * @param given its text, or what `parseTarget` has made of it
 * @param forced the protocol that was given as an option
 */
export function toProbeFailure(given: string | Target, error: unknown, forced?: Protocol): ProbeFailure {
  const target = typeof given === 'string' ? readTarget(given) : given;
  const { code, message } = error as NodeJS.ErrnoException;
  // An AbortError has a number as its code.
  const name = typeof code === 'string' ? code : (error as Error).name === 'AbortError' ? 'ABORT_ERR' : 'ERR_UNKNOWN';
  const protocol = target?.protocol === 'file' ? 'file' : (forced ?? target?.protocol ?? null);
  return {
    // A target that cannot be read may be a mistyped connection string. It is not repeated.
    ...{ target: target?.label ?? '(unreadable)', protocol, ...placeOf(target), ok: false },
    // An AggregateError of several addresses has no message. OpenSSL's messages end in a line break.
    error: { code: name, message: String(message ?? error).trim() || name },
  };
}

function readTarget(text: string): Target | undefined {
  try {
    return parseTarget(text);
  } catch {
    return undefined;
  }
}

function placeOf(target: Target | undefined): { readonly host: string | null; readonly port: number | null } {
  return target !== undefined && 'host' in target
    ? { host: target.host, port: target.port }
    : { host: null, port: null };
}
