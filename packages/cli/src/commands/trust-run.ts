import {
  type Changes,
  changedMeanwhile,
  changePinsFile,
  changeText,
  type Entry,
  emptyText,
  type PinsDocument,
  type Placed,
} from '@certpin/pins-file';
import { type Certificate, type CertificateSummary, formatPin } from 'certpin';
import type { ProbeSuccess } from 'certpin/probe';
import { renderKeyReport } from '../answers/key-text.ts';
import { OWN_FILE, severalLeaves } from '../answers/leaves.ts';
import { renderReport } from '../answers/text.ts';
import { type Failure, failureOf, printFailure } from '../failure.ts';
import type { KeyPin } from '../files/key-pin.ts';
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
  type Candidate,
  type CandidatePin,
  type Concern,
  concernsOf,
  findStep,
  isSameStep,
  pinOf,
  type Step,
  spelled,
  type TrustMode,
  toChanges,
} from '../pins-file/trust.ts';
import { type Answer, byCertificate, type SingleAnswer } from '../scan/answer.ts';
import { createRotationWarning } from '../scan/rotating.ts';
import type { TrustFlags } from './trust-flags.ts';
import { codeOf, isDone, summarize, type TrustStatus, worse } from './trust-status.ts';

/** Pins that were read from a file. */
export interface PinSource {
  readonly path: string;
  readonly pins: readonly CandidatePin[];
  /** The certificates that it holds, the one that is meant first. */
  readonly certificates?: readonly Certificate[];
  readonly key?: KeyPin;
}

/** What `certpin trust --json` prints of a target. Fields are added, never renamed. */
type TrustReport = {
  readonly target: string;
  readonly file: string;
  readonly status: TrustStatus;
  /** Whether the file says now what was asked for. */
  readonly ok: boolean;
} & (
  | {
      /** The pin that was fetched; of several the first. */
      readonly pin: string;
      readonly pins: readonly string[];
      /** The target's pins before. */
      readonly previousPins: readonly string[];
      /** null for a key, and for pins in text. */
      readonly certificate: CertificateSummary | null;
    }
  | { readonly error: Failure }
);

/** What was agreed to, and is written with all the others. */
interface Plan {
  readonly candidate: Candidate;
  readonly mode: TrustMode;
  readonly step: Step;
  /** As they are written: more than the candidate's, where several addresses were agreed to. */
  readonly texts: string[];
}

/** What became of a target. */
interface Outcome {
  readonly placed: Placed;
  status: TrustStatus;
  readonly candidate?: Candidate | undefined;
  readonly plan?: Plan | undefined;
  error?: Failure | undefined;
  /** The address that has failed, of several. */
  readonly at?: string | undefined;
}

type Decision = Pick<Outcome, 'status' | 'candidate' | 'plan'>;

interface Around {
  readonly flags: TrustFlags;
  readonly io: Io;
  /** Ctrl-C: nobody is asked any more, and what was agreed to is written. */
  readonly signal: AbortSignal;
}

const timeIsOver: Failure = {
  code: 'ERR_CONNECT_TIMEOUT',
  message: 'the total time was over before it was asked',
};

/** One run of `certpin trust`: all is shown and asked about first, and then the file is written once. */
export class TrustRun {
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #targets: readonly Placed[];
  readonly #flags: TrustFlags;
  readonly #io: Io;
  readonly #interrupted: Promise<'interrupted'>;
  readonly #signal: AbortSignal;
  readonly #outcomes: Outcome[] = [];
  readonly #warn: ReturnType<typeof createRotationWarning>;

  constructor(document: PinsDocument | undefined, targets: readonly Placed[], { flags, io, signal }: Around) {
    this.#entries = byKey(document);
    this.#targets = targets;
    this.#flags = flags;
    this.#io = io;
    this.#signal = signal;
    this.#warn = createRotationWarning(io, flags.servername);
    this.#interrupted = new Promise((resolve) => signal.addEventListener('abort', () => resolve('interrupted')));
  }

  /** What servers have presented. @param answers in the order of the targets; those that nobody waited for are missing */
  async take(answers: readonly (Answer | undefined)[]): Promise<void> {
    for (const [index, placed] of this.#targets.entries()) {
      if (this.#signal.aborted) return;
      this.#outcomes.push({ placed, ...(await this.#takeAnswer(placed, answers[index])) });
    }
  }

  /** What a file holds: nobody was asked. */
  async takeFrom(source: PinSource | Failure): Promise<void> {
    if ('message' in source) {
      for (const placed of this.#targets) this.#outcomes.push({ placed, status: 'failed', error: source });
      return;
    }
    this.#say(renderSource(source, this.#targets, this.#io));
    const list: Candidate['list'] = this.#flags.issuer ? 'issuerPins' : 'pins';
    for (const placed of this.#targets) {
      if (this.#signal.aborted) return;
      const candidate = {
        ...this.#about(placed, this.#flags.protocol),
        ...{ pins: source.pins, list, presented: undefined, certificate: source.certificates?.[0] },
      };
      this.#outcomes.push({ placed, ...(await this.#decide(candidate, source)) });
    }
  }

  async #takeAnswer(placed: Placed, answer: Answer | undefined): Promise<Omit<Outcome, 'placed'>> {
    const failed = (error: Failure): Omit<Outcome, 'placed'> => ({ status: 'failed', error });
    if (answer === undefined) return failed(timeIsOver);
    if (answer.failure !== undefined) {
      const at = answer.addresses?.find(({ answer: one }) => one.failure === answer.failure)?.address;
      return { ...failed(answer.failure), at };
    }
    if (answer.key !== undefined) {
      const message = `it holds a ${answer.key.source} and no certificate: name the server, and give the file with --from`;
      return failed({ code: 'ERR_FILE_UNREADABLE', message });
    }
    const several = severalLeaves(answer.leaves);
    // Whoever is asked sees one of them, and nobody is asked with --yes.
    if (several !== undefined) return failed({ code: 'ERR_FILE_UNREADABLE', message: `${several}: ${OWN_FILE}` });
    if (answer.target !== undefined && !this.#flags.quiet) this.#warn(answer.target, answer.certificates[0]);
    try {
      const single = answer.addresses === undefined ? [{ at: undefined, answer }] : byCertificate(answer.addresses);
      const candidates = single.map(({ at, answer: one }) => ({ at, candidate: this.#candidateOf(placed, one) }));
      for (const { at, candidate } of candidates) this.#say(renderPresented(candidate, at, this.#io));
      const pins = new Set(candidates.map(({ candidate }) => candidate.pins[0]?.pin.sha256));
      const entry = this.#entries.get(placed.key);
      const isOpen = candidates.some(({ candidate }) => findStep(entry, candidate, this.#mode()).kind !== 'none');
      if (pins.size > 1 && isOpen && (this.#flags.yes || this.#flags.json))
        return this.#refuseDifference(candidates[0]?.candidate, pins.size);
      let decision: Decision | undefined;
      for (const { candidate } of candidates) {
        if (this.#signal.aborted) break;
        decision = combine(decision, await this.#decide(candidate, undefined, decision?.plan));
      }
      return decision ?? failed({ code: 'ERR_CONNECTION_CLOSED', message: 'no certificate was presented' });
    } catch (error) {
      return failed(failureOf(error));
    }
  }

  #about(
    placed: Placed,
    protocol: TrustFlags['protocol'],
  ): Pick<Candidate, 'placed' | 'protocol' | 'servername' | 'note' | 'acceptExpired'> {
    const { servername, note, acceptExpired = false } = this.#flags;
    return { placed, protocol, servername, note, acceptExpired };
  }

  #candidateOf(placed: Placed, answer: SingleAnswer): Candidate {
    const { found, certificates } = answer;
    const detected = found?.detected && found.protocol !== 'file' ? found.protocol : undefined;
    const certificate = certificates[0] as Certificate;
    const pin = spelled(pinOf(certificate, this.#flags.publicKey ? 'public-key' : 'certificate'));
    return {
      ...this.#about(placed, this.#flags.protocol ?? detected),
      ...{ pins: [pin], list: 'pins', presented: answer, certificate },
    };
  }

  #mode(): TrustMode {
    return this.#flags.add ? 'add' : this.#flags.replace ? 'replace' : 'keep';
  }

  #refuseDifference(candidate: Candidate | undefined, count: number): Decision {
    const { json } = this.#flags;
    if (candidate !== undefined && !json) {
      printError(
        this.#io,
        `${candidate.placed.label}: its addresses present ${count} different certificates; ${this.#unchanged}`,
      );
      printHint(this.#io, 'without --yes, each is asked about');
    }
    return { status: 'differs', candidate };
  }

  /**
   * Finds out what there is to do, and asks whether to do it.
   *
   * @param source where the pins are from; undefined: the server
   * @param earlier what was agreed to of another address of the target
   */
  async #decide(candidate: Candidate, source: PinSource | undefined, earlier?: Plan): Promise<Decision> {
    const { json, yes, file, leaf = false } = this.#flags;
    const { label, key } = candidate.placed;
    const mode = this.#mode();
    const step = findStep(this.#entries.get(key), candidate, mode);
    if (step.kind === 'none') {
      if (step.explanation !== undefined && !json) {
        printWarning(this.#io, `${label}: a pin matches, but ${step.explanation}`);
      }
      return { status: 'already-trusted', candidate };
    }
    if (step.kind === 'revoked') return this.#refuse('revoked', candidate);
    if (step.isChanged && step.explanation !== undefined) this.#say(step.explanation);
    // Whoever is in the middle would like nothing better than a change that nobody looks at.
    if (step.kind === 'changed' && (yes || json)) return this.#refuseChange(candidate, source);
    const concerns = concernsOf(candidate, step, leaf);
    for (const concern of concerns) this.#warnOf(concern, candidate, source);
    if (concerns.length > 0 && (yes || json)) return this.#refuse('refused', candidate, concerns[0]);
    const asIssuer = concerns.includes('ca') && source?.pins.length === 1 ? toIssuer(candidate) : undefined;
    if (!yes) {
      const asked = { file, source, offersIssuer: asIssuer !== undefined, isBesideOther: earlier !== undefined };
      const question = questionFor(step, asIssuer ?? candidate, asked);
      const answer = json ? undefined : await Promise.race([this.#interrupted, this.#io.confirm(printable(question))]);
      if (answer === 'interrupted') return { status: 'declined', candidate };
      if (answer === false) {
        printError(this.#io, `${label}: not trusted; ${this.#unchanged}`);
        return { status: 'declined', candidate };
      }
      if (answer === undefined) return this.#refuseUnasked(candidate, step, source, concerns[0]);
    }
    const agreed = asIssuer ?? candidate;
    const texts = agreed.pins.map(({ text }) => text);
    if (earlier !== undefined) {
      earlier.texts.push(...texts.filter((text) => !earlier.texts.includes(text)));
      return { status: 'pin-added', candidate, plan: earlier };
    }
    const agreedMode = step.kind === 'changed' ? 'add' : mode;
    const plan = { candidate: agreed, mode: agreedMode, step: findStep(step.entry, agreed, agreedMode), texts };
    return { status: writtenBy[plan.step.kind] ?? 'already-trusted', candidate: agreed, plan };
  }

  /** What becomes of the file where one target is refused. The others of a list are written nevertheless. */
  get #unchanged(): string {
    const { file } = this.#flags;
    return this.#targets.length === 1 ? `${file} is as it was` : `${file} says of it what it said`;
  }

  #refuseUnasked(
    candidate: Candidate,
    step: Step,
    source: PinSource | undefined,
    concern: Concern | undefined,
  ): Decision {
    if (step.kind === 'changed') return this.#refuseChange(candidate, source);
    if (concern !== undefined) return this.#refuse('refused', candidate, concern);
    if (!this.#flags.json) {
      printError(this.#io, `${candidate.placed.label}: there is no terminal to ask on; nothing was written`);
      printHint(this.#io, "once the server's own file or its operator says the same: --yes");
    }
    return { status: 'unconfirmed', candidate };
  }

  #refuseChange(candidate: Candidate, source: PinSource | undefined): Decision {
    const { file, json } = this.#flags;
    const { label } = candidate.placed;
    if (!json && source === undefined) {
      printError(this.#io, `${label}: the pin has changed; ${this.#unchanged}`);
      const how = '--add puts the new pin beside the old one, --replace in its place';
      printHint(this.#io, `once the server's own file or its operator says the same: ${how}`);
    } else if (!json) {
      printError(this.#io, `${label}: the pin of ${source?.path} is none of those in ${file}; ${this.#unchanged}`);
      printHint(this.#io, '--add puts it beside the known ones, --replace in their place');
    }
    return { status: 'changed', candidate };
  }

  #refuse(status: 'revoked' | 'refused', candidate: Candidate, concern?: Concern): Decision {
    const { file, json } = this.#flags;
    const { label } = candidate.placed;
    if (json) return { status, candidate };
    if (status === 'revoked') {
      printError(this.#io, `${label}: this pin is revoked in ${file}, and is not added again; ${this.#unchanged}`);
      return { status, candidate };
    }
    printError(this.#io, `${label}: not trusted; ${this.#unchanged}`);
    if (concern === 'ca') {
      printHint(
        this.#io,
        "--issuer pins the CA, for what it has signed; --leaf says that it is the server's own certificate",
      );
    } else printHint(this.#io, '--accept-expired says that it is meant after its end too');
    return { status, candidate };
  }

  #warnOf(concern: Concern, { placed: { label }, certificate }: Candidate, source: PinSource | undefined): void {
    if (this.#flags.json) return;
    if (concern === 'ca') {
      printWarning(
        this.#io,
        `${label}: ${source?.path} is the certificate of a CA and does not name the server, whose own certificate would never match it`,
      );
    } else {
      const end = certificate?.toJSON().validTo.slice(0, 10);
      printWarning(this.#io, `${label}: the certificate has expired, on ${end}: certpin check would refuse it`);
    }
  }

  #say(text: string): void {
    if (!this.#flags.json && !this.#flags.quiet) printText(this.#io, text);
  }

  /** Writes what was agreed to, all of it at once, and says what became of each target. */
  async write(): Promise<ExitCode> {
    const { file, json } = this.#flags;
    const planned = this.#outcomes.filter(({ plan }) => plan !== undefined);
    let isWritten = true;
    try {
      if (planned.length > 0) await changePinsFile(file, (document) => apply(document, planned, file));
    } catch (error) {
      isWritten = false;
      const failure = failureOf(error);
      for (const outcome of planned) Object.assign(outcome, { status: 'failed', error: failure });
      // Once, however many targets it is about.
      const label = planned.length === 1 ? planned[0]?.placed.label : undefined;
      if (!json) printFailure(this.#io, { command: 'trust', label, failure });
    }
    for (const outcome of this.#outcomes) {
      if (json) printJson(this.#io, this.#report(outcome));
      else if (isWritten || outcome.plan === undefined) this.#tell(outcome);
    }
    return codeOf(this.#outcomes);
  }

  summary(): string {
    return summarize(this.#outcomes);
  }

  #tell({ placed: { label }, status, error, at, plan, candidate }: Outcome): void {
    const words = done[status];
    if (words !== undefined) this.#say(printable(`${words} ${this.#flags.file}: ${label}`));
    const other = candidate?.list === 'issuerPins' ? 'pins' : 'issuerPins';
    // Whoever has replaced a pin means that the old ones no longer count.
    if (status === 'pins-replaced' && (plan?.step.entry?.policy[other].length ?? 0) > 0) {
      printWarning(
        this.#io,
        `${label}: \`${other}\` of the target still count too; take them out of the file where they are not meant`,
      );
    } else if (error !== undefined) printFailure(this.#io, { command: 'trust', label, at, failure: error });
  }

  #report({ placed: { label: target, key }, status, candidate, error }: Outcome): TrustReport {
    const about = { target, file: this.#flags.file, status, ok: isDone(status) };
    if (candidate === undefined || error !== undefined) return { ...about, error: error ?? timeIsOver };
    const pins = candidate.pins.map(({ pin }) => formatPin(pin));
    const previousPins = this.#entries.get(key)?.policy[candidate.list].map((one) => formatPin(one)) ?? [];
    return { ...about, pin: pins[0] ?? '', pins, previousPins, certificate: candidate.certificate?.toJSON() ?? null };
  }
}

const done: Partial<Record<TrustStatus, string>> = {
  added: 'added to',
  'pin-added': 'pin added in',
  'pins-replaced': 'pins replaced in',
  'already-trusted': 'already trusted in',
};

const writtenBy: Partial<Record<Step['kind'], TrustStatus>> = {
  'add-target': 'added',
  'add-pin': 'pin-added',
  'replace-pins': 'pins-replaced',
};

/** The text of the file afterwards. What it says of others may have changed meanwhile; where it says another thing of a target, that one fails. */
function apply(document: PinsDocument | undefined, planned: readonly Outcome[], file: string): string | undefined {
  const entries = byKey(document);
  const changes: Changes[] = [];
  for (const outcome of planned) {
    const { candidate, mode, step: agreed, texts } = outcome.plan as Plan;
    const step = findStep(entries.get(candidate.placed.key), candidate, mode);
    if (step.kind === 'none')
      outcome.status = 'already-trusted'; // somebody else has done it meanwhile
    else if (isSameStep(step, agreed)) changes.push(toChanges(candidate, step, texts));
    else Object.assign(outcome, { status: 'failed', error: failureOf(changedMeanwhile(file)) });
  }
  if (changes.length === 0) return undefined;
  return changeText(document?.text ?? emptyText, {
    entries: changes.flatMap((change) => change.entries ?? []),
    add: changes.flatMap(({ add = [] }) => add),
  });
}

function byKey(document: PinsDocument | undefined): ReadonlyMap<string, Entry> {
  return new Map(document?.entries.map((entry) => [entry.key, entry]));
}

/** Of several addresses, the worst is what became of the target. */
function combine(one: Decision | undefined, other: Decision): Decision {
  if (one === undefined) return other;
  const { status, candidate } = worse(one.status, other.status) === one.status ? one : other;
  return { status, candidate, plan: one.plan ?? other.plan };
}

/** The same certificate, pinned as what it is: a CA's. Whole, because the server need not send it. */
function toIssuer(candidate: Candidate): Candidate {
  const { certificate } = candidate;
  if (certificate === undefined) return candidate;
  return {
    ...candidate,
    list: 'issuerPins',
    pins: [{ pin: pinOf(certificate, 'certificate'), text: certificate.x509.toString() }],
  };
}

interface Question {
  readonly file: string;
  readonly source: PinSource | undefined;
  /** The certificate of a CA is offered as what it is. */
  readonly offersIssuer: boolean;
  /** Another address of the target has a pin that was agreed to. */
  readonly isBesideOther: boolean;
}

function questionFor(
  step: Step,
  { placed: { label }, list, pins, certificate }: Candidate,
  { file, source, offersIssuer, isBesideOther }: Question,
): string {
  const what = `${pins.length === 1 ? 'this' : `these ${pins.length}`}${list === 'issuerPins' ? ' issuer' : ''} ${pins.length === 1 ? 'pin' : 'pins'}`;
  if (offersIssuer) {
    const name = certificate?.toJSON().subject ?? '';
    return `${label}: pin the CA ${name} in place of the server's own certificate, for what it has signed, in ${file}? [y/N] `;
  }
  if (isBesideOther) return `${label}: put ${what} beside that of the other address? [y/N] `;
  if (step.kind === 'add-target') return `add ${label} with ${what} to ${file}? [y/N] `;
  const known = step.entry.policy[list].map((pin) => formatPin(pin)).join(', ');
  const how =
    step.kind === 'replace-pins'
      ? `put ${what} in the place of ${known || 'none'}`
      : `put ${what} beside the known ones`;
  // What is read from a file says nothing of what the server presents.
  if (!step.isChanged || source !== undefined) return `${label}: ${how}? [y/N] `;
  return `THE PIN OF ${label} HAS CHANGED. Does its operator say so too, and shall certpin ${how}? [y/N] `;
}

function renderPresented({ placed: { label }, presented }: Candidate, at: string | undefined, io: Io): string {
  const report = presented?.report() as ProbeSuccess;
  const target = at === undefined ? label : `${label} at ${at}`;
  return renderReport(
    { ...report, target, ...(at === undefined ? {} : { address: null }) },
    stdoutColors(io),
    new Date(),
  );
}

/** What was read from a file, under the name of the target that it is for, where there is one. */
function renderSource({ path, pins, certificates, key }: PinSource, targets: readonly Placed[], io: Io): string {
  const colors = stdoutColors(io);
  const target = targets.length === 1 ? (targets[0]?.label ?? path) : `${targets.length} targets`;
  const chain = certificates?.map((certificate) => certificate.toJSON()) ?? [];
  const [certificate] = chain;
  const nobody = `  read from ${printable(path)}: no server was asked`;
  if (key !== undefined) {
    const report = { target, protocol: 'file', ok: true, certificate: null, chain: [], publicKey: key } as const;
    return `${renderKeyReport(report, colors)}\n${colors.dim(nobody)}`;
  }
  if (certificate === undefined) {
    const lines = pins.map(({ pin }) => `  ${formatPin(pin)} (${pin.kind})`);
    return [colors.bold(printable(target)), ...lines, colors.dim(nobody)].join('\n');
  }
  const where = { host: null, port: null, address: null, otherAddresses: [], tlsVersion: null };
  const report = { target, protocol: 'file', detected: false, ...where, ok: true, certificate, chain } as const;
  return `${renderReport(report, colors, new Date())}\n${colors.dim(nobody)}`;
}
