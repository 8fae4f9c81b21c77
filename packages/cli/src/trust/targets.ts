import { resolve } from 'node:path';
import { openPinsFile, type PinsDocument, type Placed, placeArgument, plainWords } from '@certpin/pins-file';
import { type Certificate, createPolicy, type Pin, parsePins } from 'certpin';
import type { FileTarget } from 'certpin/probe';
import { OWN_FILE, severalLeaves } from '../answers/leaves.ts';
import { toScanOptions } from '../command-line/options.ts';
import { readPinsFile } from '../command-line/pins.ts';
import { refuseConnectionString, showPath } from '../command-line/target.ts';
import { readEach, readTargetTexts } from '../command-line/target-list.ts';
import { type Failure, failureOf, printFailure, printFailures, UsageError } from '../failure.ts';
import { FileError } from '../files/file-error.ts';
import { FileReader } from '../files/file-reader.ts';
import { type ExitCode, type Io, printError, printSummary, quote } from '../io.ts';
import type { Answer } from '../scan/answer.ts';
import { type FetchOptions, fetchAnswers } from '../scan/fetch-answers.ts';
import { serversNamed } from '../scan/servers.ts';
import { bar, startProgress } from '../terminal/progress.ts';
import type { TrustFlags } from './flags.ts';
import type { PinSource } from './plan.ts';
import { TrustRun } from './run.ts';
import { type CandidatePin, pinOf, spelled } from './step.ts';

/** What `certpin trust` does if nothing is removed. Loaded only when it is needed. */
export async function trustTargets(args: readonly string[], flags: TrustFlags, io: Io): Promise<ExitCode> {
  const { file, targetsFile = [], servername, quiet } = flags;
  const options = toScanOptions(flags, 'trust');
  let document: PinsDocument | undefined;
  let targets: readonly Placed[];
  try {
    refuseConnectionString(file);
    document = openPinsFile(file); // Before any connection is made.
    const list = await readTargetTexts(targetsFile, io);
    const naming = { timeoutMs: options.timeoutMs, resolveSrv: io.resolveSrv };
    const named = await serversNamed([...args.map((text) => ({ text })), ...list], naming);
    const read = readEach(named, (text) => placeArgument(text, file, servername));
    if (read.refusals.length > 0) {
      printFailures(io, 'trust', read.refusals);
      return 2;
    }
    targets = distinct(read.results);
  } catch (error) {
    printFailure(io, { command: 'trust', label: undefined, failure: failureOf(error) });
    return 2;
  }
  if (targets.length === 0) {
    printError(io, 'there is no target in the list');
    return 2;
  }
  const isFromFile = flags.from !== undefined || flags.pinsFile !== undefined;
  if (isFromFile && targets.length > 1 && !flags.issuer) {
    throw new UsageError(
      `${flags.from === undefined ? '--pins-file' : '--from'} gives the pins of one target: name one`,
      'trust',
    );
  }
  const interrupt = new AbortController();
  const letGo = io.onInterrupt(() => interrupt.abort());
  try {
    const files = new FileReader(flags, io, targetsFile.includes('-'));
    const run = new TrustRun(document, targets, { flags, io, signal: interrupt.signal });
    if (isFromFile) {
      const source = await readSource(flags, files, interrupt.signal).catch((error) =>
        ofFile(flags.from, failureOf(error)),
      );
      await run.takeFrom(source);
    } else {
      const asking = { ...options, lookup: io.lookup, signal: interrupt.signal, files, format: undefined };
      const answers = await fetchAll(targets, { ...asking, brief: quiet === true }, io);
      if (interrupt.signal.aborted) return 130;
      await run.take(answers);
    }
    const code = await run.write();
    // `--quiet` is about what went well: a server that is not in the file is in no later check either.
    if (targetsFile.length > 0 && (!quiet || code !== 0)) printSummary(io, run.summary());
    return interrupt.signal.aborted ? 130 : code;
  } finally {
    letGo();
  }
}

/** A server that is in the list twice is asked once. */
function distinct(targets: readonly Placed[]): readonly Placed[] {
  return [...new Map(targets.map((placed) => [placed.key, placed])).values()];
}

/** The answers in the order of the questions. Those that nobody waited for are missing. */
async function fetchAll(targets: readonly Placed[], options: FetchOptions, io: Io): Promise<Answer[]> {
  const answers: Answer[] = [];
  let failed = 0;
  const progress = startProgress(io, () => bar({ done: Object.keys(answers).length, failed }, targets.length));
  try {
    const each = (async function* () {
      for (const { target } of targets) yield { target: { target, label: target.label } };
    })();
    for await (const { index, seconds: _, ...answer } of fetchAnswers(each, options)) {
      answers[index] = answer;
      if (answer.failure !== undefined) failed++;
    }
  } finally {
    progress.end();
  }
  return answers;
}

/** The pins of `--from` or `--pins-file`. @throws FileError, CertpinError; Node's own error */
async function readSource(flags: TrustFlags, files: FileReader, signal: AbortSignal): Promise<PinSource> {
  const { from, pinsFile = '', issuer, publicKey } = flags;
  if (from === undefined) return readPinSource(pinsFile, issuer === true, files);
  const { certificates, leaves, key } = await files.read(fileTarget(from), signal);
  if (key !== undefined) {
    if (issuer) throw new UsageError(`--issuer needs a certificate, but the file holds a ${key.source}`, 'trust');
    return { path: from, key, pins: parsePins(key.pin).map(spelled) };
  }
  const several = severalLeaves(leaves);
  // A person who is asked sees only one of them, and with --yes nobody is asked.
  if (several !== undefined && !issuer) throw new FileError(`${several}: ${OWN_FILE}`);
  const cas = certificates.filter(({ x509 }) => x509.ca);
  if (issuer && cas.length === 0)
    throw new UsageError('--issuer needs the certificate of a CA, and this is another certificate', 'trust');
  const kind = publicKey ? 'public-key' : 'certificate';
  const toIssuerPin = (ca: (typeof cas)[number]): CandidatePin => {
    const pin = pinOf(ca, kind);
    // The whole certificate: then the server need not send it.
    return publicKey ? spelled(pin) : { pin, text: ca.x509.toString() };
  };
  const [leaf] = certificates;
  if (leaf === undefined) throw new UsageError('there is no certificate in the file', 'trust');
  const own = issuer ? cas.map(toIssuerPin) : [spelled(pinOf(leaf, kind))];
  return { path: from, certificates: issuer ? cas : certificates, pins: own };
}

/** A text with pins, or certificates. */
async function readPinSource(path: string, isIssuer: boolean, files: FileReader): Promise<PinSource> {
  const { pins, knownCertificates } = createPolicy({ pins: await readPinsFile(path, files) });
  const certificateOf = ({ kind, sha256 }: Pin): Certificate | undefined =>
    kind === 'certificate'
      ? knownCertificates.find(({ certificateSha256 }) => certificateSha256 === sha256)
      : undefined;
  const toPin = (pin: Pin): CandidatePin => {
    const whole = isIssuer ? certificateOf(pin) : undefined;
    return whole === undefined ? spelled(pin) : { pin, text: whole.x509.toString() };
  };
  const cas = knownCertificates.filter(({ x509 }) => x509.ca);
  // A problem of one of them is a problem of the file.
  return { path, certificates: cas.length > 0 ? cas : knownCertificates, pins: pins.map(toPin) };
}

/** The file of `--from` could not be read. The target has no problem. */
function ofFile(path: string | undefined, failure: Failure): Failure {
  if (path === undefined) return failure;
  const hint = failure.hint?.replaceAll('FILE', () => quote(path));
  const message = `${showPath(path, '--from')}: ${plainWords(failure)}`;
  return { code: 'ERR_FILE_UNREADABLE', message, ...(hint === undefined ? {} : { hint }) };
}

/** Read as a file, whatever else the name may mean. */
function fileTarget(path: string): FileTarget {
  const label = path === '-' ? path : resolve(path);
  return { protocol: 'file', label, path: label };
}
