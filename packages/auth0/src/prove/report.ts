import type { RunResult } from '../run/result.ts';
import type { Arrival } from './evidence.ts';
import type { Opening } from './opening.ts';

/** Who stands in the server's place. */
export type ImpostorName = 'another-key' | 'trusted-ca' | 'stolen-certificate' | 'plaintext';

/** What the proof came to: plain JSON. Fields are added, never renamed. */
export interface ProofReport {
  readonly script: string;
  readonly kind: RunResult['kind'];
  readonly name: string;
  readonly node: string;
  /**
   * `held`: the script worked with the genuine server, and gave no impostor a byte. `leaked`: it gave one something. `unproved`: it
   * did not work with the genuine server, or an impostor was not asked, and none got anything.
   */
  readonly verdict: 'held' | 'leaked' | 'unproved';
  /** Why the verdict is not `held`, one sentence each. */
  readonly reasons: readonly string[];
  /** The run with the genuine servers, through relays that pass everything on. */
  readonly control: RunSummary;
  readonly servers: readonly ServerProof[];
  readonly durationMs: number;
}

export interface ServerProof {
  readonly host: string;
  readonly port: number;
  readonly speech: Opening['speech'];
  /** Whether the script asks for TLS. */
  readonly tls: boolean;
  /** SHA-256 of the genuine certificate; null: it could not be asked for. */
  readonly certificateSha256: string | null;
  readonly trials: readonly Trial[];
}

export interface Trial extends Arrival {
  readonly impostor: ImpostorName;
  /** Connections to the server that were passed on before: an attacker chooses the one that he takes. */
  readonly passedOn: number;
  /** Where the script connected to in this run alone, and was not examined: `host:port`. */
  readonly elsewhere: readonly string[];
  readonly run: RunSummary;
}

/** As much of a run as tells what became of it. */
export interface RunSummary {
  readonly status: RunResult['status'];
  /** The error of the script; null where it had none. */
  readonly error: { readonly name: string; readonly code: string | null; readonly message: string } | null;
  readonly findings: RunResult['findings'];
}

export function summarize({ status, outcome, findings }: RunResult): RunSummary {
  const error = outcome.type === 'callback' || outcome.type === 'exception' ? outcome.error : null;
  // A script can put anything there.
  const { name = 'Error', code = null, message = '' }: Record<string, unknown> = error ?? {};
  const texts = { name: String(name), code: code === null ? null : String(code), message: String(message).trim() };
  return { status, error: error && texts, findings };
}

export const impostorWords: Readonly<Record<ImpostorName, string>> = {
  'another-key': 'the same certificate with another key, issued by itself or by a forged CA',
  'trusted-ca': 'the same names, issued by a CA that Node trusts',
  'stolen-certificate': 'the genuine certificate, without its key',
  plaintext: 'no TLS',
};

/** What keeps a server from being proved, one sentence each. */
export function reasonsOf(server: ServerProof): string[] {
  const { host, port, tls, certificateSha256, trials } = server;
  const found = trials.map((trial) => reasonOf(server, trial)).filter((reason) => reason !== undefined);
  if (!tls || certificateSha256 !== null) return found;
  return [...found, `${host}:${port}: its certificate could not be read, so there was none to imitate`];
}

function reasonOf({ host, port, tls }: Pick<ServerProof, 'host' | 'port' | 'tls'>, trial: Trial): string | undefined {
  const place = trial.passedOn === 0 ? `${host}:${port}` : `${host}:${port}, connection ${trial.passedOn + 1}`;
  if (trial.connections === 0) return `${place}: the script did not connect to the impostor (${trial.impostor})`;
  if (trial.bytes === 0) return doubtOf(place, tls, trial);
  const what = trial.kinds.length === 0 ? 'data' : trial.kinds.join(', ');
  const got = `${place}: an impostor (${impostorWords[trial.impostor]}) got ${trial.bytes} bytes: ${what}`;
  if (!tls) return `${got}; the script does not ask for TLS`;
  const uncaught = trial.run.findings.find(({ code }) => code.startsWith('uncaught'));
  if (uncaught !== undefined && trial.threwBefore) return `${got}; the exchange went on behind ${uncaught.message}`;
  if (trial.impostor === 'plaintext') return `${got}; the script goes on without TLS where the server refuses it`;
  if (trial.impostor === 'trusted-ca') return `${got}; nothing compared the certificate with a pin`;
  return `${got}; nothing verified the certificate`;
}

/** Why it says nothing that an impostor got nothing; undefined where it does. */
function doubtOf(place: string, tls: boolean, trial: Trial): string | undefined {
  const { impostor, undecided, disagreement, elsewhere, run } = trial;
  const late = run.findings.find(({ code }) => code === 'time-limit' || code === 'blocked');
  if (!tls)
    return `${place}: the script does not ask for TLS in a way that is known here, and said nothing to the impostor`;
  if (disagreement !== null)
    return `${place}: the script and the impostor (${impostor}) do not agree on TLS: ${disagreement}`;
  if (late !== undefined) return `${place}: with the impostor (${impostor}), ${late.message}`;
  if (undecided > 0) return `${place}: the script neither spoke to the impostor (${impostor}) nor gave it up`;
  if (elsewhere.length === 0) return undefined;
  return `${place}: with the impostor (${impostor}) in its place, the script went to ${elsewhere.join(', ')}, which was not tried`;
}
