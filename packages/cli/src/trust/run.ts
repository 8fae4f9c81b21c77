import { changePinsFile, type Entry, type PinsDocument, type Placed } from '@certpin/pins-file';
import { type Certificate, type CertificateSummary, formatPin } from 'certpin';
import { OWN_FILE, severalLeaves } from '../answers/leaves.ts';
import { type Failure, failureOf, printFailure } from '../failure.ts';
import { type ExitCode, type Io, printable, printJson, printText, printWarning } from '../io.ts';
import { type Answer, byCertificate, type SingleAnswer } from '../scan/answer.ts';
import { createRotationWarning } from '../scan/rotating.ts';
import { Decider } from './decide.ts';
import type { TrustFlags } from './flags.ts';
import { apply, byKey, combine, type Decision, type Outcome, type PinSource } from './plan.ts';
import { renderPresented, renderSource } from './show.ts';
import { codeOf, isDone, summarize, type TrustStatus } from './status.ts';
import { type Candidate, pinOf, spelled } from './step.ts';

/** What `certpin trust --json` prints of a target. Fields are added, never renamed. */
type TrustReport = {
  readonly target: string;
  readonly file: string;
  readonly status: TrustStatus;
  /** Whether the file now says what was asked for. */
  readonly ok: boolean;
} & (
  | {
      /** The fetched pin. If there are several, the first. */
      readonly pin: string;
      readonly pins: readonly string[];
      /** The target's pins before. */
      readonly previousPins: readonly string[];
      /** null for a key, and for pins in text. */
      readonly certificate: CertificateSummary | null;
    }
  | { readonly error: Failure }
);

interface Around {
  readonly flags: TrustFlags;
  readonly io: Io;
  /** Ctrl-C: nobody is asked any more, and what was accepted is written. */
  readonly signal: AbortSignal;
}

const timeIsOver: Failure = {
  code: 'ERR_CONNECT_TIMEOUT',
  message: 'the total time was over before it was asked',
};

/** One run of `certpin trust`. First everything is shown and asked about. Then the file is written once. */
export class TrustRun {
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #targets: readonly Placed[];
  readonly #flags: TrustFlags;
  readonly #io: Io;
  readonly #signal: AbortSignal;
  readonly #decider: Decider;
  readonly #outcomes: Outcome[] = [];
  readonly #warn: ReturnType<typeof createRotationWarning>;

  constructor(document: PinsDocument | undefined, targets: readonly Placed[], { flags, io, signal }: Around) {
    this.#entries = byKey(document);
    this.#targets = targets;
    this.#flags = flags;
    this.#io = io;
    this.#signal = signal;
    this.#warn = createRotationWarning(io, flags.servername);
    this.#decider = new Decider({ entries: this.#entries, targets: targets.length, flags, io, signal });
  }

  /** What servers have presented. @param answers in the order of the targets. Targets that nobody waited for are missing */
  async take(answers: readonly (Answer | undefined)[]): Promise<void> {
    for (const [index, placed] of this.#targets.entries()) {
      if (this.#signal.aborted) return;
      this.#outcomes.push({ placed, ...(await this.#takeAnswer(placed, answers[index])) });
    }
  }

  /** The content of a file: nobody was asked. */
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
      this.#outcomes.push({ placed, ...(await this.#decider.decide(candidate, source)) });
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
    // A person who is asked sees only one of them, and with --yes nobody is asked.
    if (several !== undefined) return failed({ code: 'ERR_FILE_UNREADABLE', message: `${several}: ${OWN_FILE}` });
    if (answer.target !== undefined && !this.#flags.quiet) this.#warn(answer.target, answer.certificates[0]);
    try {
      const single = answer.addresses === undefined ? [{ at: undefined, answer }] : byCertificate(answer.addresses);
      const candidates = single.map(({ at, answer: one }) => ({ at, candidate: this.#candidateOf(placed, one) }));
      for (const { at, candidate } of candidates) this.#say(renderPresented(candidate, at, this.#io));
      const pins = new Set(candidates.map(({ candidate }) => candidate.pins[0]?.pin.sha256));
      const isOpen = candidates.some(({ candidate }) => this.#decider.isOpen(candidate));
      if (pins.size > 1 && isOpen && (this.#flags.yes || this.#flags.json))
        return this.#decider.refuseDifference(candidates[0]?.candidate, pins.size);
      let decision: Decision | undefined;
      for (const { candidate } of candidates) {
        if (this.#signal.aborted) break;
        decision = combine(decision, await this.#decider.decide(candidate, undefined, decision?.plan));
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

  #say(text: string): void {
    if (!this.#flags.json && !this.#flags.quiet) printText(this.#io, text);
  }

  /** Writes everything that was accepted at once, and reports the outcome for each target. */
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
    if (error !== undefined) printFailure(this.#io, { command: 'trust', label, at, failure: error });
    const words = done[status];
    if (words !== undefined) this.#say(printable(`${words} ${this.#flags.file}: ${label}`));
    const other = candidate?.list === 'issuerPins' ? 'pins' : 'issuerPins';
    // A person who replaces a pin means that the old ones no longer count.
    if (status === 'pins-replaced' && (plan?.step.entry?.policy[other].length ?? 0) > 0) {
      printWarning(
        this.#io,
        `${label}: \`${other}\` of the target still count too; remove them from the file if you do not want them`,
      );
    }
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
