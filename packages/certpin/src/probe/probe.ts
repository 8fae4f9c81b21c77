import type { Certificate, CertificateSummary } from '../core/certificate.ts';
import { CertpinError } from '../core/errors.ts';
import type { Peer } from '../core/verify.ts';
import { dial } from '../protocols/dial.ts';
import { upgradeProtocols } from '../protocols/registry.ts';
import { observe } from '../tls/guard.ts';
import { startTimeout } from '../tls/timeout.ts';
import { enclose } from './envelope.ts';
import { readCertificates } from './file.ts';
import { parseTarget, type ServerTarget, type Target } from './target.ts';

export interface ProbeOptions {
  /** Longest time for one server, in milliseconds. Default 10 000; 0: no limit. */
  readonly timeoutMs?: number | undefined;
  /** The name sent to the server (SNI), where it differs from the host. */
  readonly servername?: string | undefined;
}

/** What a probe found out: plain JSON, as `certpin get --json` prints it. Fields are added, never renamed. */
export type ProbeReport = ProbeSuccess | ProbeFailure;

export interface ProbeSuccess {
  /** The target as it was given, without credentials. */
  readonly target: string;
  readonly protocol: Target['protocol'];
  readonly ok: true;
  /** The leaf. */
  readonly certificate: CertificateSummary;
  /** Every presented certificate, the leaf first. */
  readonly chain: readonly CertificateSummary[];
}

export interface ProbeFailure {
  readonly target: string;
  /** null where the target could not be read. */
  readonly protocol: Target['protocol'] | null;
  readonly ok: false;
  readonly error: { readonly code: string; readonly message: string };
}

/**
 * Asks a server or a file for its certificate: connects, upgrades, makes the handshake, closes. No credential is sent; a completed
 * handshake proves that the server owns the certificate's key. Whether the certificate is the right one, it cannot know.
 *
 * @returns a report; a failure is a report too, never an exception
 */
export async function probe(target: string, options: ProbeOptions = {}): Promise<ProbeReport> {
  let parsed: Target | undefined;
  try {
    parsed = parseTarget(target);
    const { certificates } = await inspectTarget(parsed, options);
    const chain = certificates.map((certificate) => (certificate as Certificate).toJSON());
    const [certificate] = chain;
    if (certificate === undefined) {
      throw new CertpinError('ERR_CONNECTION_CLOSED', 'the server presented no certificate', {
        protocol: parsed.protocol,
      });
    }
    return { target: parsed.label, protocol: parsed.protocol, ok: true, certificate, chain };
  } catch (error) {
    const { code = 'ERR_UNKNOWN', message } = error as NodeJS.ErrnoException;
    return {
      // A target that cannot be read may be a mistyped connection string: it is not repeated.
      target: parsed?.label ?? '(unreadable)',
      protocol: parsed?.protocol ?? null,
      ok: false,
      // An AggregateError of several addresses has no message; OpenSSL's messages end in a line break.
      error: { code, message: message.trim() || code },
    };
  }
}

/**
 * What a server or a file presents, as {@link verify} takes it: `verify(await inspect(target), policy)` answers whether a pin holds.
 *
 * @throws CertpinError `ERR_TARGET_INVALID`, `ERR_FILE_UNREADABLE`, `ERR_CONNECT_TIMEOUT`, `ERR_CONNECTION_CLOSED`, `ERR_UPGRADE_…`;
 * Node's own errors (`ECONNREFUSED`, `ENOTFOUND`, `ENOENT`, …)
 */
export async function inspect(target: string, options: ProbeOptions = {}): Promise<Peer> {
  return inspectTarget(parseTarget(target), options);
}

async function inspectTarget(target: Target, options: ProbeOptions): Promise<Peer> {
  return target.protocol === 'file'
    ? { certificates: await readCertificates(target.path) }
    : inspectServer(target, options);
}

function inspectServer(
  { protocol, host, port }: ServerTarget,
  { timeoutMs = 10_000, servername }: ProbeOptions,
): Promise<Peer> {
  return new Promise<Peer>((resolve, reject) => {
    const upgrade = protocol === 'tls' ? undefined : upgradeProtocols[protocol].create(host);
    const raw = dial({ host, port }, upgrade, (error) => {
      if (error !== undefined) return reject(error);
      // An empty list of CAs: the chain is what the server presents, not what Node completes from its own list.
      observe({
        options: { socket: enclose(raw, upgrade?.envelope), ca: [], servername: servername ?? host },
        host,
        port,
        connectTimeoutMs: 0,
      }).then(resolve, reject);
    });
    const stop = startTimeout(timeoutMs, (error) => {
      reject(error);
      raw.destroy();
    });
    raw.once('close', stop);
  });
}
