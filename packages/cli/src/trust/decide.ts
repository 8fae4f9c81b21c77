import type { Entry } from '@certpin/pins-file';
import { type Io, printable, printError, printHint, printText, printWarning } from '../io.ts';
import type { TrustFlags } from './flags.ts';
import type { Decision, PinSource, Plan } from './plan.ts';
import { questionFor } from './question.ts';
import type { TrustStatus } from './status.ts';
import { type Candidate, type Concern, concernsOf, findStep, pinOf, type Step, type TrustMode } from './step.ts';

/** What surrounds each decision. */
interface Around {
  readonly entries: ReadonlyMap<string, Entry>;
  /** The number of targets in this run. */
  readonly targets: number;
  readonly flags: TrustFlags;
  readonly io: Io;
  /** Set after Ctrl-C: nobody is asked any more. */
  readonly signal: AbortSignal;
}

/** Decides about each pin, by the flags or by asking. Nothing is written here. */
export class Decider {
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #targets: number;
  readonly #flags: TrustFlags;
  readonly #io: Io;
  readonly #interrupted: Promise<'interrupted'>;

  constructor({ entries, targets, flags, io, signal }: Around) {
    this.#entries = entries;
    this.#targets = targets;
    this.#flags = flags;
    this.#io = io;
    this.#interrupted = new Promise((resolve) => signal.addEventListener('abort', () => resolve('interrupted')));
  }

  /** Whether there is something to decide. */
  isOpen(candidate: Candidate): boolean {
    return findStep(this.#entries.get(candidate.placed.key), candidate, this.#mode()).kind !== 'none';
  }

  #mode(): TrustMode {
    return this.#flags.add ? 'add' : this.#flags.replace ? 'replace' : 'keep';
  }

  /**
   * Finds out what there is to do, and asks whether to do it.
   *
   * @param source where the pins are from. undefined: the server
   * @param earlier what was accepted for another address of the target
   */
  async decide(candidate: Candidate, source: PinSource | undefined, earlier?: Plan): Promise<Decision> {
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
    // An attacker in the middle would profit most from a change that nobody looks at.
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

  /** What happens to the file if one target is refused. The others of a list are still written. */
  get #unchanged(): string {
    const { file } = this.#flags;
    return this.#targets === 1 ? `${file} is as it was` : `${file} is as it was for this target`;
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
      printError(this.#io, `${label}: ${file} does not have the pin of ${source?.path}; ${this.#unchanged}`);
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
        "the server's own self-signed certificate? Add --leaf. A CA that signs the server's certificate? Add --issuer, which accepts each certificate that it signs",
      );
    } else printHint(this.#io, '--accept-expired accepts it after its end too');
    return { status, candidate };
  }

  #warnOf(concern: Concern, { placed: { label }, certificate }: Candidate, source: PinSource | undefined): void {
    if (this.#flags.json) return;
    if (concern === 'ca') {
      printWarning(
        this.#io,
        `${label}: ${source?.path} may sign other certificates and does not name the server: if it is the certificate of a CA, the server's own one would never match it`,
      );
    } else {
      const end = certificate?.toJSON().validTo.slice(0, 10);
      printWarning(this.#io, `${label}: the certificate expired on ${end}: certpin check would refuse it`);
    }
  }

  /** The addresses of a server differ, and nobody is asked about each. */
  refuseDifference(candidate: Candidate | undefined, count: number): Decision {
    const { json } = this.#flags;
    if (candidate !== undefined && !json) {
      printError(
        this.#io,
        `${candidate.placed.label}: its addresses present ${count} different certificates; ${this.#unchanged}`,
      );
      printHint(this.#io, 'without --yes, certpin asks about each');
    }
    return { status: 'differs', candidate };
  }

  #say(text: string): void {
    if (!this.#flags.json && !this.#flags.quiet) printText(this.#io, text);
  }
}

const writtenBy: Partial<Record<Step['kind'], TrustStatus>> = {
  'add-target': 'added',
  'add-pin': 'pin-added',
  'replace-pins': 'pins-replaced',
};

/** The same certificate, pinned as that of a CA. The whole certificate, because the server need not send it. */
function toIssuer(candidate: Candidate): Candidate {
  const { certificate } = candidate;
  if (certificate === undefined) return candidate;
  return {
    ...candidate,
    list: 'issuerPins',
    pins: [{ pin: pinOf(certificate, 'certificate'), text: certificate.x509.toString() }],
  };
}
