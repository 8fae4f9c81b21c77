import { askEachAddress } from '@certpin/pins-file';
import { type Certificate, type CertificateSummary, CertpinError } from 'certpin';
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
  readonly publicKey: Omit<KeyPin, 'publicKey'>;
}

/** The outcome for one target. */
export type Answer = SingleAnswer | (Key & Reported<KeyReport>) | SpreadAnswer;

/** The result of one question. */
export type SingleAnswer = FoundAnswer | FailedAnswer;
type FoundAnswer = Found & Reported<ProbeSuccess>;
type FailedAnswer = Failed & Reported<ProbeFailure>;

/** For a server that was asked at each address: the answer of the first one that failed, or of the first one. */
type SpreadAnswer = (Found | Failed) & {
  readonly addresses: readonly AddressAnswer[];
  readonly report: () => SpreadReport;
};

/** The outcome for one address of a server. */
export interface AddressAnswer {
  readonly address: string;
  readonly answer: SingleAnswer;
}

interface Reported<Report> {
  readonly addresses?: undefined;
  /** The same value that `probe()` returns. */
  readonly report: () => Report;
}

interface Found {
  readonly target: Target;
  readonly found: Inspected;
  /** Every presented certificate, the server's own first. */
  readonly certificates: readonly Certificate[];
  /** For a file that does not show which certificate is the leaf: all candidates, at least two. */
  readonly leaves: readonly Certificate[];
  readonly key?: undefined;
  readonly failure?: undefined;
}

/** For a file without a certificate. */
interface Key {
  readonly target: Target;
  readonly found?: undefined;
  readonly certificates: readonly Certificate[];
  readonly leaves?: undefined;
  readonly key: KeyPin;
  readonly failure?: undefined;
}

/** For a target that could not be asked, or not be read. */
interface Failed {
  readonly target: Target | undefined;
  readonly found?: undefined;
  readonly certificates: readonly Certificate[];
  readonly leaves?: undefined;
  readonly key?: undefined;
  readonly failure: Failure;
}

/** What is known of a server that was asked at each address: plain JSON. Fields are added, never renamed. */
interface SpreadReport extends Pick<ProbeReport, 'target' | 'protocol' | 'host' | 'port'> {
  /** Whether every address has answered. */
  readonly ok: boolean;
  /** Of the first one that has not answered. */
  readonly error?: Failure;
  /** The leaf if all addresses present the same one. null otherwise. */
  readonly certificate: CertificateSummary | null;
  readonly chain: readonly CertificateSummary[];
  readonly addresses: readonly AddressReport[];
}

type AddressReport = { readonly address: string } & (
  | Pick<ProbeSuccess, 'ok' | 'tlsVersion' | 'certificate' | 'chain'>
  | Pick<ProbeFailure, 'ok' | 'error'>
);

/** What `--json` prints of an answer. */
export type AnswerReport = ProbeReport | KeyReport | SpreadReport;

export interface AnswerOptions extends ProbeOptions {
  /** The requested form. A target that it does not fit is not connected to. */
  readonly format: string | undefined;
  readonly files: FileReader;
  /** Only the certificates are needed. Their content is read when the report is needed. */
  readonly brief?: boolean | undefined;
  /** The server is asked at each address of its name. */
  readonly allAddresses?: boolean | undefined;
  /** With that: how often each address is asked again. */
  readonly retries?: number | undefined;
}

/**
 * As `probe()`, but with the certificates themselves, for which a report has no room. It also reads more kinds of files.
 *
 * @throws an error for {@link failedAnswer}
 */
export async function fetchAnswer(
  { target, refusal }: ShownTarget,
  { format, files, brief = false, allAddresses, retries, ...options }: AnswerOptions,
): Promise<Answer> {
  if (target === undefined) throw refusal;
  const reason = format === undefined ? undefined : forms[format]?.refusal?.(target);
  if (reason !== undefined) throw new CertpinError('ERR_TARGET_INVALID', reason, { reason });
  if (target.protocol === 'file' && !allAddresses) {
    const { certificates, leaves, key } = await files.read(target, options.signal);
    return key === undefined
      ? { ...toAnswer(target, { certificates, protocol: 'file', detected: false, fromFile: true }, brief), leaves }
      : toKeyAnswer(target, key, format);
  }
  const protocol = options.protocol ?? (target.protocol === null ? forms[format ?? '']?.protocol : undefined);
  if (!allAddresses) return toAnswer(target, await inspect(target, { ...options, protocol }), brief);
  return toSpread(await askAddresses(target, { ...options, protocol }, { retries, brief }));
}

/** @throws what `toProbeSuccess` throws. If only the certificates are needed, only for a server that presents nothing */
function toAnswer(target: Target, found: Inspected, brief: boolean): FoundAnswer {
  const certificates = found.certificates as readonly Certificate[];
  if (brief && certificates.length > 0) {
    return { target, found, certificates, leaves: [], report: () => toProbeSuccess(target, found) };
  }
  const report = toProbeSuccess(target, found);
  return { target, found, certificates, leaves: [], report: () => report };
}

/** @throws what `askEachAddress` throws */
async function askAddresses(
  target: Target,
  options: ProbeOptions,
  { retries, brief }: { readonly retries: number | undefined; readonly brief: boolean },
): Promise<readonly AddressAnswer[]> {
  const ask = async (own: ProbeOptions): Promise<FoundAnswer> => toAnswer(target, await inspect(target, own), brief);
  const outcomes = await askEachAddress(target, options, retries, ask);
  return outcomes.map(({ target: address, ...outcome }) => {
    return { address, answer: outcome.ok ? outcome.answer : failedOne(target, outcome.error, options.protocol) };
  });
}

/** The answers of a server's addresses, as one answer. */
function toSpread(addresses: readonly AddressAnswer[]): SpreadAnswer {
  const failed = addresses.find(({ answer }) => answer.failure !== undefined);
  const shown = (failed ?? addresses[0])?.answer;
  if (shown === undefined) {
    const reason = 'its name has no address';
    throw new CertpinError('ERR_TARGET_INVALID', reason, { reason });
  }
  return { ...shown, addresses, report: () => spreadReport(addresses) };
}

function spreadReport(addresses: readonly AddressAnswer[]): SpreadReport {
  const reports = addresses.map(({ address, answer }) => ({ address, report: answer.report() }));
  const failed = reports.find(({ report }) => !report.ok)?.report;
  const first = (failed ?? reports[0]?.report) as ProbeReport;
  const { target, protocol, host, port } = first;
  const found = reports.map(({ report }) => report).filter((report) => report.ok);
  const [one] = found;
  const isSame = first.ok && found.every(({ certificate }) => certificate.sha256 === one?.certificate.sha256);
  return {
    ...{ target, protocol, host, port, ok: failed === undefined },
    ...(first.ok ? {} : { error: first.error }),
    ...{ certificate: (isSame && one?.certificate) || null, chain: (isSame && one?.chain) || [] },
    addresses: reports.map(({ address, report }) => {
      if (!report.ok) return { address, ok: false, error: report.error };
      const { tlsVersion, certificate, chain } = report;
      return { address, ok: true, tlsVersion, certificate, chain };
    }),
  };
}

/** The answers of addresses. Those with the same certificate are together. Addresses without an answer come last. */
export function byCertificate(
  addresses: readonly AddressAnswer[],
): readonly { readonly at: string; readonly answer: SingleAnswer }[] {
  const groups = new Map<string, { at: string[]; answer: SingleAnswer }>();
  for (const { address, answer } of addresses) {
    const key = answer.certificates[0]?.certificateSha256 ?? `failed ${address}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { at: [address], answer });
    else group.at.push(address);
  }
  const all = [...groups.values()].map(({ at, answer }) => ({ at: at.join(', '), answer }));
  return [...all.filter(({ answer }) => !answer.failure), ...all.filter(({ answer }) => answer.failure)];
}

/** @throws CertpinError `ERR_TARGET_INVALID` if the form has no place for a key */
function toKeyAnswer(target: Target, key: KeyPin, format: string | undefined): Key & Reported<KeyReport> {
  if (format !== undefined) {
    const reason = `--format ${format} is for certificates, and this is a ${key.source}: leave it out, or give -q`;
    throw new CertpinError('ERR_TARGET_INVALID', reason, { reason });
  }
  const nothing = { certificate: null, chain: [] } as const;
  const { source, algorithm, sha256, pin } = key;
  const publicKey = { source, algorithm, sha256, pin };
  const report: KeyReport = { target: target.label, protocol: 'file', ok: true, ...nothing, publicKey };
  return { target, certificates: [], key, report: () => report };
}

/** The answer for a target that could not be asked. @param forced the protocol that was given as an option */
export function failedAnswer({ target }: ShownTarget, error: unknown, forced: Protocol | undefined): FailedAnswer {
  return failedOne(target, error, forced);
}

function failedOne(target: Target | undefined, error: unknown, forced: Protocol | undefined): FailedAnswer {
  const { message, ...words } = failureOf(error);
  const failure = { ...words, message: message.trim() || words.code };
  return {
    ...{ target, certificates: [], failure },
    report: () => ({ ...toProbeFailure(target ?? '', error, forced), error: failure }),
  };
}
