import { type Certificate, CertpinError } from 'certpin';
import {
  type Inspected,
  inspect,
  type ProbeFailure,
  type ProbeOptions,
  type ProbeReport,
  type ProbeSuccess,
  type Protocol,
  type Target,
  toProbeFailure,
  toProbeSuccess,
} from 'certpin/probe';
import type { ShownTarget } from '../command-line/target.ts';
import { type Failure, failureOf } from '../failure.ts';
import type { FileReader } from '../files/file-reader.ts';
import type { KeyPin } from '../files/key-pin.ts';
import { forms } from '../forms/forms.ts';

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
export type Answer = FoundAnswer | KeyAnswer | FailedAnswer;

interface FoundAnswer {
  readonly target: Target;
  readonly found: Inspected;
  /** Every presented certificate, the server's own first. */
  readonly certificates: readonly Certificate[];
  /** Of a file that does not tell which certificate is the leaf: those that may be, two at least. */
  readonly leaves: readonly Certificate[];
  readonly key?: undefined;
  readonly failure?: undefined;
  /** The very value of `probe()`. */
  readonly report: () => ProbeSuccess;
}

/** Of a file without a certificate. */
interface KeyAnswer {
  readonly target: Target;
  readonly found?: undefined;
  readonly certificates: readonly Certificate[];
  readonly leaves?: undefined;
  readonly key: KeyPin;
  readonly failure?: undefined;
  readonly report: () => KeyReport;
}

/** Of a target that could not be asked, or not be read. */
interface FailedAnswer {
  readonly target: Target | undefined;
  readonly found?: undefined;
  readonly certificates: readonly Certificate[];
  readonly leaves?: undefined;
  readonly key?: undefined;
  readonly failure: Failure;
  readonly report: () => ProbeFailure;
}

/** What `--json` prints of an answer. */
export type AnswerReport = ProbeReport | KeyReport;

export interface AnswerOptions extends ProbeOptions {
  /** The form that is asked for: a target that it is not for is not connected to. */
  readonly format: string | undefined;
  readonly files: FileReader;
  /** The certificates are wanted, and no word about them: what stands in them is read when the report is asked for. */
  readonly brief?: boolean | undefined;
}

/**
 * As `probe()`, and the certificates themselves, which a report has no room for; of files it reads more kinds.
 *
 * @throws what is to be given to {@link failedAnswer}
 */
export async function fetchAnswer(
  { target, refusal }: ShownTarget,
  { format, files, brief = false, ...options }: AnswerOptions,
): Promise<Answer> {
  if (target === undefined) throw refusal;
  const reason = format === undefined ? undefined : forms[format]?.refusal?.(target);
  if (reason !== undefined) throw new CertpinError('ERR_TARGET_INVALID', reason, { reason });
  if (target.protocol === 'file') {
    const { certificates, leaves, key } = await files.read(target, options.signal);
    return key === undefined
      ? { ...toAnswer(target, { certificates, protocol: 'file', detected: false, fromFile: true }, brief), leaves }
      : toKeyAnswer(target, key, format);
  }
  const protocol = options.protocol ?? (target.protocol === null ? forms[format ?? '']?.protocol : undefined);
  return toAnswer(target, await inspect(target, { ...options, protocol }), brief);
}

/** @throws what `toProbeSuccess` throws; where the answer is to be brief, for a server that presents nothing */
function toAnswer(target: Target, found: Inspected, brief: boolean): FoundAnswer {
  const certificates = found.certificates as readonly Certificate[];
  if (brief && certificates.length > 0) {
    return { target, found, certificates, leaves: [], report: () => toProbeSuccess(target, found) };
  }
  const report = toProbeSuccess(target, found);
  return { target, found, certificates, leaves: [], report: () => report };
}

/** @throws CertpinError `ERR_TARGET_INVALID` for a form that has no place for a key */
function toKeyAnswer(target: Target, key: KeyPin, format: string | undefined): KeyAnswer {
  if (format !== undefined) {
    const reason = `--format ${format} is for certificates, and this is a ${key.source}: leave it out, or give -q`;
    throw new CertpinError('ERR_TARGET_INVALID', reason, { reason });
  }
  const nothing = { certificate: null, chain: [] } as const;
  const report: KeyReport = { target: target.label, protocol: 'file', ok: true, ...nothing, publicKey: key };
  return { target, certificates: [], key, report: () => report };
}

/** The answer of a target that could not be asked. @param forced the protocol that was given as an option */
export function failedAnswer({ target }: ShownTarget, error: unknown, forced: Protocol | undefined): FailedAnswer {
  const { message, ...words } = failureOf(error);
  const failure = { ...words, message: message.trim() || words.code };
  return {
    ...{ target, certificates: [], failure },
    report: () => ({ ...toProbeFailure(target ?? '', error, forced), error: failure }),
  };
}
