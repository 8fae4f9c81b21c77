import type { RunResult } from '../run/result.ts';
import type { Arrival } from './evidence.ts';
import { objectionTo } from './looks.ts';
import type { Opening } from './opening.ts';

/** Who stands in the server's place. */
export type ImpostorName =
  | 'another-key'
  | 'self-signed'
  | 'genuine-chain'
  | 'genuine-issuer'
  | 'trusted-ca'
  | 'trusted-namesake'
  | 'trusted-chain'
  | 'another-name'
  | 'asked-name'
  | 'common-name'
  | 'expired'
  | 'expiring'
  | 'stolen-certificate'
  | 'plaintext';

/**
 * When it does. `at-once`; `after-reset`, `after-refusal`, `after-stall`: the first connection fails in this way; `again`: a second login
 * meets it, in the same container; `warm`: the first login met the genuine server.
 */
export type Moment = 'at-once' | 'after-reset' | 'after-refusal' | 'after-stall' | 'again' | 'warm';

/** What the proof came to: plain JSON. Fields are added, never renamed. */
export interface ProofReport {
  readonly script: string;
  readonly kind: RunResult['kind'];
  readonly name: string;
  readonly node: string;
  /**
   * `held`: the script worked with the genuine server, gave no impostor of the report a byte, and looked at what tells its certificate
   * from others. `leaked`: it gave one something. `unproved`: none got anything, and something is missing, which the reasons say.
   */
  readonly verdict: 'held' | 'leaked' | 'unproved';
  /** Why the verdict is not `held`, one sentence each. */
  readonly reasons: readonly string[];
  /** The run with the genuine servers, through relays that pass everything on. */
  readonly control: RunSummary;
  readonly servers: readonly ServerProof[];
  /** Impostors in the place of all servers, where there are several. */
  readonly together: readonly Trial[];
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
  readonly moment: Moment;
  /** Connections to the server that were passed on before: an attacker chooses the one that he takes. */
  readonly passedOn: number;
  /** What the script looked at in the impostor's certificate: properties and methods of Node's certificate, sorted. */
  readonly lookedAt: readonly string[];
  /** Whether OpenSSL took the impostor's certificate by the script's own trust list; null: no handshake was completed. */
  readonly trusted: boolean | null;
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
  'another-key': 'the same certificate with another key, issued by itself or by a forged CA of the same name',
  'self-signed': 'the same certificate with another key, issued by itself',
  'genuine-chain': 'the same certificate with another key, and the genuine chain behind it',
  'genuine-issuer': 'the same certificate with another key, and the genuine one behind it as if it were the issuer',
  'trusted-ca': 'the same names, issued by a CA that the script trusts',
  'trusted-namesake': 'the same names, issued by a CA that the script trusts and that has the name of the genuine one',
  'trusted-chain': 'the same names, issued by a CA that the script trusts, and the genuine chain behind it',
  'another-name': 'another name, issued by a CA that the script trusts',
  'asked-name': 'the name that the script asks for, issued by a CA that the script trusts',
  'common-name': 'the name that the script asks for as common name alone, issued by a CA that the script trusts',
  expired: 'the same names, issued by a CA that the script trusts, and expired',
  expiring: 'the same names, issued by a CA that the script trusts, which expires while the script connects',
  'stolen-certificate': 'the genuine certificate, without its key',
  plaintext: 'no TLS',
};

const momentWords: Readonly<Record<Exclude<Moment, 'at-once'>, string>> = {
  'after-reset': 'after a connection that was reset',
  'after-refusal': 'after a connection that was refused',
  'after-stall': 'after a connection on which nothing came',
  again: 'at the second login in one container',
  warm: 'at a login behind one that met the genuine server, in one container',
};

/** What keeps a server from being proved, one sentence each. */
export function reasonsOf(server: ServerProof): string[] {
  const { host, port, tls, certificateSha256, trials } = server;
  // What leaked stands before what was not found out.
  const weighed = [...trials].sort((one, other) => Number(other.bytes > 0) - Number(one.bytes > 0));
  const found = weighed
    .map((trial) => reasonOf(`${host}:${port}`, tls, trial) ?? noChanceOf(`${host}:${port}`, trial, trials))
    .filter((reason) => reason !== undefined);
  if (!tls || certificateSha256 !== null) return found;
  return [...found, `${host}:${port}: its certificate could not be read, so there was none to imitate`];
}

/** What keeps it from being proved where impostors stand in the place of all servers. */
export function reasonsTogether(trials: readonly Trial[]): string[] {
  return trials.map((trial) => reasonOf('all servers', true, trial)).filter((reason) => reason !== undefined);
}

function reasonOf(server: string, tls: boolean, trial: Trial): string | undefined {
  const { bytes, impostor, kinds, moment, run, threwBefore } = trial;
  const place = placeOf(server, trial);
  if (bytes === 0) return doubtOf(place, tls, trial);
  const what = kinds.length === 0 ? 'data' : kinds.join(', ');
  const when = moment === 'at-once' ? '' : `, ${momentWords[moment]}`;
  const got = `${place}: an impostor (${impostorWords[impostor]})${when} got ${bytes} bytes: ${what}`;
  if (!tls) return `${got}; the script does not ask for TLS`;
  const uncaught = run.findings.find(({ code }) => code.startsWith('uncaught'));
  if (uncaught !== undefined && threwBefore) return `${got}; the exchange went on behind ${uncaught.message}`;
  if (impostor === 'plaintext') return `${got}; the script goes on without TLS where the server refuses it`;
  if (moment !== 'at-once') return got;
  if (objectionTo(trial.lookedAt) === undefined) return `${got}; what it compared did not stop it`;
  return `${got}; ${trial.trusted ? 'nothing compared the certificate with a pin' : 'nothing verified the certificate'}`;
}

function placeOf(server: string, { passedOn }: Trial): string {
  return passedOn === 0 ? server : `${server}, connection ${passedOn + 1}`;
}

/** Moments at which a script may well not come again. */
const optional: readonly Moment[] = ['after-reset', 'after-refusal', 'after-stall', 'again', 'warm'];

/** Why it says nothing that an impostor got nothing; undefined where it does. */
function doubtOf(place: string, tls: boolean, trial: Trial): string | undefined {
  const { impostor, moment, connections, undecided, disagreement, elsewhere, run } = trial;
  const who = moment === 'at-once' ? impostor : `${impostor}, ${moment}`;
  const failed = moment.startsWith('after-');
  if (elsewhere.length > 0)
    return `${place}: with the impostor (${who}) in its place, the script went to ${elsewhere.join(', ')}, which was not tried`;
  const success = `${place}: with the impostor (${who}) in its place, the script said success`;
  if (run.status === 'success' && failed && connections === 0) return success;
  if (connections === 0)
    return optional.includes(moment) ? undefined : `${place}: the script did not connect to the impostor (${who})`;
  const late = run.findings.find(({ code }) => code === 'time-limit' || code === 'blocked');
  if (!tls)
    return `${place}: the script does not ask for TLS in a way that is known here, and said nothing to the impostor`;
  if (disagreement !== null)
    return `${place}: the script and the impostor (${who}) do not agree on TLS: ${disagreement}`;
  if (late !== undefined && moment !== 'after-stall') return `${place}: with the impostor (${who}), ${late.message}`;
  if (undecided > 0) return `${place}: the script neither spoke to the impostor (${who}) nor gave it up`;
  if (run.status === 'success') return success;
  const objection = impostor === 'trusted-ca' && moment === 'at-once' ? objectionOf(place, trial) : undefined;
  if (objection !== undefined || trial.trusted !== null || withoutHandshake.includes(impostor)) return objection;
  return `${place}: the script gave the impostor (${who}) up before a TLS handshake was complete, so what it makes of its certificate was not seen`;
}

/** Impostors with which no TLS handshake comes about. */
const withoutHandshake: readonly ImpostorName[] = ['stolen-certificate', 'plaintext'];

/** Impostors that OpenSSL takes by every trust list that takes trusted-ca. */
const takenAlike: readonly ImpostorName[] = [
  ...(['trusted-namesake', 'trusted-chain', 'another-name', 'asked-name', 'common-name', 'expiring'] as const),
];

/** An impostor that the trust list should have taken, and did not, got nothing for a reason that says nothing of the script. */
function noChanceOf(server: string, trial: Trial, trials: readonly Trial[]): string | undefined {
  const { bytes, impostor, moment, passedOn, trusted } = trial;
  if (bytes > 0 || moment !== 'at-once' || trusted !== false || !takenAlike.includes(impostor)) return undefined;
  const isTaken = trials.some((one) => one.impostor === 'trusted-ca' && one.passedOn === passedOn && one.trusted);
  if (!isTaken) return undefined;
  return `${placeOf(server, trial)}: OpenSSL refused the impostor (${impostor}), whose CA the script's trust list takes, so what the script makes of it was not seen`;
}

/**
 * The impostor that the script's own trust list takes got nothing: because of what the script compared, or because the list takes nobody
 * but the genuine server. Anything else may have been luck.
 */
function objectionOf(place: string, { lookedAt, trusted }: Trial): string | undefined {
  if (trusted === false && lookedAt.length === 0) return undefined;
  const objection = objectionTo(lookedAt);
  return objection && `${place}: the script refused the impostor (trusted-ca), but ${objection}`;
}
