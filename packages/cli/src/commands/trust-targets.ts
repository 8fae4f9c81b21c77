import { resolve } from 'node:path';
import { changedMeanwhile, changePinsFile, openPinsFile, type Placed, placeArgument } from '@certpin/pins-file';
import { type CertificateSummary, formatPin, type Pin } from 'certpin';
import type { ProbeSuccess, Target } from 'certpin/probe';
import { renderKeyReport } from '../answers/key-text.ts';
import { renderReport } from '../answers/text.ts';
import { type ScanFlags, toScanOptions } from '../command-line/options.ts';
import { refuseConnectionString } from '../command-line/target.ts';
import { type Failure, failureOf, printFailure, UsageError } from '../failure.ts';
import { FileReader } from '../files/file-reader.ts';
import type { PasswordFlags } from '../files/password.ts';
import {
  type ExitCode,
  type Io,
  printable,
  printError,
  printHint,
  printJson,
  printText,
  printWarning,
  stdoutColors,
} from '../io.ts';
import {
  applyStep,
  type Candidate,
  findStep,
  isSameStep,
  readPin,
  type Step,
  type TrustMode,
} from '../pins-file/trust.ts';
import type { Answer } from '../scan/answer.ts';
import { type FetchOptions, fetchAnswers } from '../scan/fetch-answers.ts';
import { createRotationWarning } from '../scan/rotating.ts';
import { bar, startProgress } from '../terminal/progress.ts';

export interface TrustFlags extends ScanFlags, PasswordFlags {
  readonly file: string;
  readonly from?: string;
  readonly publicKey?: true;
  readonly yes?: true;
  readonly add?: true;
  readonly replace?: true;
  readonly json?: true;
}

/** What `certpin trust --json` prints of a target. Fields are added, never renamed. */
type TrustReport = {
  readonly target: string;
  readonly file: string;
  readonly status: Status;
  /** Whether the pin is in the file now. */
  readonly ok: boolean;
} & (
  | {
      /** The pin that was fetched. */
      readonly pin: string;
      /** The target's pins before. */
      readonly previousPins: readonly string[];
      /** null for a key. */
      readonly certificate: CertificateSummary | null;
    }
  | { readonly error: Failure }
);

type Status =
  | 'added'
  | 'pin-added'
  | 'pins-replaced'
  | 'already-trusted'
  /** No pin matches what was fetched, and nobody has said what to do. */
  | 'changed'
  | 'declined'
  /** There was nobody to ask. */
  | 'unconfirmed'
  | 'failed';

/** What `certpin trust` does. Loaded when it is asked for. */
export async function trustTargets(args: readonly string[], flags: TrustFlags, io: Io): Promise<ExitCode> {
  const { file, from, servername } = flags;
  const options = toScanOptions(flags, 'trust');
  if (from !== undefined && args.length > 1) throw new UsageError('--from is the file of one target', 'trust');
  const targets: Placed[] = [];
  try {
    refuseConnectionString(file);
    openPinsFile(file); // before anybody is connected to
    for (const target of args) targets.push(placeArgument(target, file, servername));
  } catch (error) {
    printFailure(io, { command: 'trust', label: undefined, failure: failureOf(error) });
    return 2;
  }
  const interrupt = new AbortController();
  const letGo = io.onInterrupt(() => interrupt.abort());
  let answers: Answer[];
  try {
    const asking = { ...options, signal: interrupt.signal, files: new FileReader(flags, io), format: undefined };
    const questions = from === undefined ? targets.map(({ target }) => target) : [fileTarget(from)];
    answers = await fetchAll(questions, asking, io);
  } finally {
    letGo();
  }
  if (interrupt.signal.aborted) return 130;
  const warn = createRotationWarning(io, servername);
  const found = new Set<Status>();
  for (const [index, placed] of targets.entries()) {
    const answer = answers[index];
    const outcome = answer === undefined ? timeIsOver : await trustOne({ placed, answer, flags, warn }, io);
    if (flags.json) printJson(io, { target: placed.label, file, ...outcome } satisfies TrustReport);
    else if (outcome.status === 'failed' && 'error' in outcome)
      printFailure(io, { command: 'trust', label: placed.label, failure: outcome.error });
    found.add(outcome.status);
  }
  if (found.has('changed') || found.has('declined')) return 1;
  return found.has('failed') || found.has('unconfirmed') ? 2 : 0;
}

type Outcome = DistributiveOmit<TrustReport, 'target' | 'file'>;
type DistributiveOmit<Union, Key extends PropertyKey> = Union extends unknown ? Omit<Union, Key> : never;

const timeIsOver: Outcome = {
  status: 'failed',
  ok: false,
  error: { code: 'ERR_CONNECT_TIMEOUT', message: 'the total time was over before it was asked' },
};

/** The answers in the order of the questions; those that nobody waited for are missing. */
async function fetchAll(targets: readonly Target[], options: FetchOptions, io: Io): Promise<Answer[]> {
  const answers: Answer[] = [];
  const progress = startProgress(io, () => bar({ done: answers.length, failed: 0 }, targets.length));
  try {
    const each = (async function* () {
      for (const target of targets) yield { target: { target, label: target.label } };
    })();
    for await (const { index, ...answer } of fetchAnswers(each, options)) answers[index] = answer;
  } finally {
    progress.end();
  }
  return answers;
}

/** As a file, whatever else the name may mean. */
function fileTarget(path: string): Target {
  const label = path === '-' ? path : resolve(path);
  return { protocol: 'file', label, path: label };
}

interface Trusting {
  readonly placed: Placed;
  readonly answer: Answer;
  readonly flags: TrustFlags;
  readonly warn: ReturnType<typeof createRotationWarning>;
}

async function trustOne({ placed, answer, flags, warn }: Trusting, io: Io): Promise<Outcome> {
  const { found, key, failure } = answer;
  const failed = (error: Failure): Outcome => ({ status: 'failed', ok: false, error });
  if (failure !== undefined) return failed(failure);
  if (key !== undefined && flags.from === undefined) {
    const message = `it holds a ${key.source} and no certificate: name the server, and give the file with --from`;
    return failed({ code: 'ERR_FILE_UNREADABLE', message });
  }
  let pin: Pin | undefined;
  try {
    pin = readPin(answer, flags.publicKey ? 'public-key' : 'certificate');
  } catch (error) {
    return failed(failureOf(error));
  }
  if (pin === undefined) return failed({ code: 'ERR_CONNECTION_CLOSED', message: 'no certificate was presented' });
  const protocol = flags.protocol ?? (found?.detected ? found.protocol : undefined);
  const candidate: Candidate = {
    placed,
    protocol: protocol === 'file' ? undefined : protocol,
    servername: flags.servername,
    pin,
    answer,
  };
  if (!flags.json) printText(io, renderFetched(answer, placed.label, io));
  if (answer.target !== undefined) warn(answer.target, answer.certificates[0]);
  try {
    const { status, step } = await decide(candidate, flags, io);
    const ok =
      status === 'added' || status === 'pin-added' || status === 'pins-replaced' || status === 'already-trusted';
    const previousPins = step.entry?.policy.pins.map((one) => formatPin(one)) ?? [];
    return { status, ok, pin: formatPin(pin), previousPins, certificate: answer.report().certificate };
  } catch (error) {
    return failed(failureOf(error));
  }
}

function renderFetched({ key, report }: Exclude<Answer, { failure: Failure }>, target: string, io: Io): string {
  const colors = stdoutColors(io);
  return key === undefined
    ? renderReport({ ...(report() as ProbeSuccess), target }, colors, new Date())
    : renderKeyReport({ ...report(), target }, colors);
}

/** Finds out what there is to do, asks whether to do it, and does it. */
async function decide(candidate: Candidate, flags: TrustFlags, io: Io): Promise<{ status: Status; step: Step }> {
  const { file, json, yes } = flags;
  const mode: TrustMode = flags.add ? 'add' : flags.replace ? 'replace' : 'keep';
  const { label } = candidate.placed;
  const document = openPinsFile(file);
  const step = findStep(document, candidate, mode);
  const say = (text: string): void => {
    if (!json) printText(io, text);
  };
  if (step.kind === 'none') {
    say(printable(`already trusted in ${file}: ${label}`));
    if (step.explanation !== undefined) printWarning(io, `${label}: a pin matches, but ${step.explanation}`);
    return { status: 'already-trusted', step };
  }
  if (step.isChanged && step.explanation !== undefined) say(step.explanation);
  // Whoever is in the middle would like nothing better than a change that nobody looks at.
  if (step.kind === 'changed' && (yes || json)) return { status: refuseChange(label, flags, io), step };
  if (!yes) {
    const answer = json ? undefined : await io.confirm(printable(questionFor(step, label, file)));
    if (answer === false) {
      printError(io, `${label}: not trusted; ${file} is as it was`);
      return { status: 'declined', step };
    }
    if (answer === undefined && step.kind === 'changed') return { status: refuseChange(label, flags, io), step };
    if (answer === undefined) {
      if (!json) {
        printError(io, `${label}: there is no terminal to ask on; nothing was written`);
        printHint(io, "once the server's own file or its operator says the same: --yes");
      }
      return { status: 'unconfirmed', step };
    }
  }
  const agreed: TrustMode = step.kind === 'changed' ? 'add' : mode;
  const status = await commit(file, candidate, agreed, findStep(document, candidate, agreed));
  say(printable(`${wordsOf[status]} ${file}: ${label}`));
  return { status, step };
}

type Written = 'added' | 'pin-added' | 'pins-replaced' | 'already-trusted';

const wordsOf: Record<Written, string> = {
  added: 'added to',
  'pin-added': 'pin added in',
  'pins-replaced': 'pins replaced in',
  'already-trusted': 'already trusted in',
};

const writtenBy = { 'add-target': 'added', 'add-pin': 'pin-added', 'replace-pins': 'pins-replaced' } as const;

/** Does what was agreed to, where the file still says the same of the target; what it says of others may have changed. */
async function commit(file: string, candidate: Candidate, mode: TrustMode, agreed: Step): Promise<Written> {
  let written: Written = 'already-trusted';
  await changePinsFile(file, (document) => {
    const step = findStep(document, candidate, mode);
    if (step.kind === 'none') return undefined; // somebody else has done it meanwhile
    if (!isSameStep(step, agreed) || step.kind === 'changed') throw changedMeanwhile(file);
    written = writtenBy[step.kind];
    return applyStep(document, candidate, step);
  });
  return written;
}

function refuseChange(label: string, { file, json }: TrustFlags, io: Io): 'changed' {
  if (json) return 'changed';
  printError(io, `${label}: the pin has changed; ${file} is as it was`);
  printHint(
    io,
    "once the server's own file or its operator says the same: --add puts the new pin beside the old one, --replace in its place",
  );
  return 'changed';
}

function questionFor(step: Step, label: string, file: string): string {
  if (step.kind === 'add-target') return `add ${label} with this pin to ${file}? [y/N] `;
  const known = step.entry.policy.pins.map((pin) => formatPin(pin)).join(', ');
  const what =
    step.kind === 'replace-pins'
      ? `put this pin in the place of ${known || 'none'}`
      : 'put this pin beside the known ones';
  const when = step.isChanged ? `THE PIN OF ${label} HAS CHANGED. Does its operator say so too, and ` : '';
  return when === '' ? `${label}: ${what}? [y/N] ` : `${when}shall certpin ${what}? [y/N] `;
}
