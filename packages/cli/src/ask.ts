import { type Certificate, CertpinError } from 'certpin';
import { type Inspected, inspect, type ProbeOptions, type ProbeReport, type Target } from 'certpin/probe';
import { failureOf } from './failure.ts';
import type { FileReader } from './files/file-reader.ts';
import type { KeyPin } from './files/key-pin.ts';
import { forms } from './forms/forms.ts';
import { showTarget } from './target.ts';

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
}

/** `probe()`, and the certificates themselves, which a report has no room for; of files it reads more kinds. Nothing is thrown. */
export async function ask(text: string, { format, files, ...options }: AskOptions): Promise<Answer> {
  const { target, refusal } = showTarget(text);
  const place = target !== undefined && 'host' in target ? { host: target.host, port: target.port } : noPlace;
  const about = { target: target?.label ?? '(unreadable)', protocol: target?.protocol ?? null };
  const failed = (error: unknown): Answer => {
    const failure = failureOf(error);
    const words = { ...failure, message: failure.message.trim() || failure.code };
    return { target, report: { ...about, ...place, ok: false, error: words }, certificates: [] };
  };
  if (target === undefined) return failed(refusal);
  try {
    const reason = format === undefined ? undefined : forms[format]?.refusal?.(target);
    if (reason !== undefined) throw new CertpinError('ERR_TARGET_INVALID', reason, { reason });
    let found: Inspected;
    if (target.protocol === 'file') {
      const { certificates, key } = await files.inspect(target);
      if (key !== undefined && format !== undefined) {
        const reason = `--format ${format} is for certificates, and this is a ${key.source}: leave it out, or give -q`;
        throw new CertpinError('ERR_TARGET_INVALID', reason, { reason });
      }
      if (key !== undefined) {
        const report = {
          target: target.label,
          protocol: 'file',
          ok: true,
          certificate: null,
          chain: [],
          publicKey: key,
        } as const;
        return { target, report, certificates: [] };
      }
      found = { certificates, protocol: 'file', detected: false };
    } else {
      const protocol = options.protocol ?? (target.protocol === null ? forms[format ?? '']?.protocol : undefined);
      found = await inspect(text, { ...options, protocol });
    }
    const { protocol, detected, tlsVersion = null } = found;
    const certificates = found.certificates as readonly Certificate[];
    const chain = certificates.map((certificate) => certificate.toJSON());
    const [certificate] = chain;
    if (certificate === undefined)
      throw new CertpinError('ERR_CONNECTION_CLOSED', 'the server presented no certificate', { protocol });
    const report = {
      target: target.label,
      protocol,
      detected,
      ...place,
      tlsVersion,
      ok: true,
      certificate,
      chain,
    } as const;
    return { target, report, certificates };
  } catch (error) {
    return failed(error);
  }
}

const noPlace = { host: null, port: null };
