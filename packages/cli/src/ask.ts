import { type Certificate, type CertificateSummary, CertpinError } from 'certpin';
import {
  type Inspected,
  inspect,
  type ProbeOptions,
  type ProbeReport,
  type Protocol,
  type Target,
} from 'certpin/probe';
import type { Askers } from './askers.ts';
import { failureOf } from './failure.ts';
import type { FileReader } from './files/file-reader.ts';
import type { KeyPin } from './files/key-pin.ts';
import { forms } from './forms/forms.ts';
import { readTarget, showTarget } from './target.ts';

/** What is known of a file without a certificate: plain JSON. Fields are added, never renamed. */
export interface KeyReport {
  readonly target: string;
  readonly protocol: 'file';
  readonly ok: true;
  readonly certificate: null;
  readonly chain: readonly [];
  /** The pin of the certificate that will be made with this key. */
  readonly publicKey: KeyPin;
}

/** What became of one target. */
export interface Answer {
  /** Undefined where it could not be read. */
  readonly target?: Target | undefined;
  /** The very value of `probe()`; of a file without a certificate, what there is. */
  readonly report: ProbeReport | KeyReport;
  /** Every presented certificate, the server's own first; none where the question failed. */
  readonly certificates: readonly Certificate[];
}

export interface AskOptions extends ProbeOptions {
  /** The form that is asked for: a target that it is not for is not connected to. */
  readonly format: string | undefined;
  readonly files: FileReader;
  /** The certificates are wanted, and no word about them: the report reads them when it is asked. */
  readonly brief?: boolean | undefined;
  /** Who asks servers. Default: this thread. */
  readonly askers?: Askers | undefined;
}

/**
 * `probe()`, and the certificates themselves, which a report has no room for; of files it reads more kinds.
 *
 * @throws what is to be given to {@link failedAnswer}
 */
export async function ask(
  text: string,
  { format, files, brief = false, askers, ...options }: AskOptions,
): Promise<Answer> {
  const target = readTarget(text);
  const reason = format === undefined ? undefined : forms[format]?.refusal?.(target);
  if (reason !== undefined) throw new CertpinError('ERR_TARGET_INVALID', reason, { reason });
  if (target.protocol === 'file') {
    const { certificates, key } = await files.inspect(target, options.signal);
    return key === undefined
      ? toAnswer(target, { certificates, protocol: 'file', detected: false }, brief)
      : toKeyAnswer(target, key, format);
  }
  const protocol = options.protocol ?? (target.protocol === null ? forms[format ?? '']?.protocol : undefined);
  const { servername } = options;
  const found = await askers?.ask({ target, protocol, servername });
  return toAnswer(target, found ?? (await inspect(target, { ...options, protocol })), brief);
}

/** @throws CertpinError `ERR_CONNECTION_CLOSED` without a certificate; the error of `node:crypto` where one cannot be read */
function toAnswer(
  target: Target,
  { protocol, detected, tlsVersion = null, ...found }: Inspected,
  brief: boolean,
): Answer {
  const certificates = found.certificates as readonly Certificate[];
  if (certificates.length === 0)
    throw new CertpinError('ERR_CONNECTION_CLOSED', 'the server presented no certificate', { protocol });
  const server = { protocol, detected, ...placeOf(target), tlsVersion };
  let read: readonly CertificateSummary[] | undefined;
  const chain = (): readonly CertificateSummary[] => {
    read ??= certificates.map((certificate) => certificate.toJSON());
    return read;
  };
  if (!brief) chain();
  const report: ProbeReport = {
    ...{ target: target.label, ...server, ok: true },
    get certificate() {
      return chain()[0] as CertificateSummary;
    },
    get chain() {
      return chain();
    },
  };
  return { target, report, certificates };
}

/** @throws CertpinError `ERR_TARGET_INVALID` for a form that has no place for a key */
function toKeyAnswer(target: Target, key: KeyPin, format: string | undefined): Answer {
  if (format !== undefined) {
    const reason = `--format ${format} is for certificates, and this is a ${key.source}: leave it out, or give -q`;
    throw new CertpinError('ERR_TARGET_INVALID', reason, { reason });
  }
  const nothing = { certificate: null, chain: [] } as const;
  return {
    target,
    report: { target: target.label, protocol: 'file', ok: true, ...nothing, publicKey: key },
    certificates: [],
  };
}

/** The answer of a target that could not be asked. @param forced the protocol that was given as an option */
export function failedAnswer(text: string, error: unknown, forced: Protocol | undefined): Answer {
  const { target } = showTarget(text);
  const protocol: Target['protocol'] = target?.protocol === 'file' ? 'file' : (forced ?? target?.protocol ?? null);
  const about = { target: target?.label ?? '(unreadable)', protocol, ...placeOf(target) };
  const failure = failureOf(error);
  const words = { ...failure, message: failure.message.trim() || failure.code };
  return { target, report: { ...about, ok: false, error: words }, certificates: [] };
}

function placeOf(target: Target | undefined): { readonly host: string | null; readonly port: number | null } {
  return target !== undefined && 'host' in target
    ? { host: target.host, port: target.port }
    : { host: null, port: null };
}
