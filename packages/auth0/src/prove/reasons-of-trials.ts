import { objectionTo } from './looks.ts';
import { type ImpostorName, impostorWords, type Moment, type ServerProof, type Trial } from './report.ts';

const momentWords: Readonly<Record<Exclude<Moment, 'at-once'>, string>> = {
  'after-reset': 'after a connection that was reset',
  'after-refusal': 'after a connection that was refused',
  'after-stall': 'after a connection on which nothing came',
  again: 'at the second login in one container',
  warm: 'at a login after one that met the genuine server, in one container',
};

/** What prevents the proof for a server, with one sentence for each reason. */
export function reasonsOf(server: ServerProof): string[] {
  const { host, port, tls, certificateSha256, trials } = server;
  // What leaked comes before what could not be examined.
  const weighed = [...trials].sort((one, other) => Number(other.bytes > 0) - Number(one.bytes > 0));
  const found = weighed
    .map((trial) => reasonOf(`${host}:${port}`, tls, trial) ?? noChanceOf(`${host}:${port}`, trial, trials))
    .filter((reason) => reason !== undefined);
  if (!tls || certificateSha256 !== null) return found;
  return [...found, `${host}:${port}: its certificate could not be read, so no impostor could imitate it`];
}

/** What prevents the proof if impostors take the place of all servers. */
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
  if (uncaught !== undefined && threwBefore) return `${got}; the exchange went on after ${uncaught.message}`;
  if (impostor === 'plaintext') return `${got}; the script goes on without TLS where the server refuses it`;
  if (moment !== 'at-once') return got;
  if (objectionTo(trial.lookedAt) === undefined) return `${got}; what it compared did not stop it`;
  return `${got}; ${trial.trusted ? 'nothing compared the certificate with a pin' : 'nothing verified the certificate'}`;
}

function placeOf(server: string, { passedOn }: Trial): string {
  return passedOn === 0 ? server : `${server}, connection ${passedOn + 1}`;
}

/** Cases in which a script may well not connect again. */
const optional: readonly Moment[] = ['after-reset', 'after-refusal', 'after-stall', 'again', 'warm'];

/** Why it proves nothing that an impostor received nothing. undefined: it does prove something. */
function doubtOf(place: string, tls: boolean, trial: Trial): string | undefined {
  const { impostor, moment, connections, undecided, disagreement, elsewhere, run, threwBefore } = trial;
  const who = moment === 'at-once' ? impostor : `${impostor}, ${moment}`;
  const failed = moment.startsWith('after-');
  if (elsewhere.length > 0)
    return `${place}: with the impostor (${who}) in its place, the script went to ${elsewhere.join(', ')}, which was not tried`;
  const success = `${place}: with the impostor (${who}) in its place, the script reported success`;
  if (run.status === 'success' && failed && connections === 0) return success;
  if (connections === 0)
    return optional.includes(moment) ? undefined : `${place}: the script did not connect to the impostor (${who})`;
  const late = run.findings.find(({ code }) => code === 'time-limit' || code === 'blocked');
  if (!tls) return `${place}: the script does not ask for TLS in a known way, and said nothing to the impostor`;
  // A key of a kind that the script does not accept is not a way in.
  if (disagreement !== null && impostor === 'renewed') return undefined;
  if (disagreement !== null)
    return `${place}: the script and the impostor (${who}) do not agree on TLS: ${disagreement}`;
  if (late !== undefined && moment !== 'after-stall') return `${place}: with the impostor (${who}), ${late.message}`;
  // For some kinds of keys, Node does not show everything that it shows for others. A check that fails because of this lets nobody in.
  const stumbled = impostor === 'renewed' && threwBefore;
  if (undecided > 0 && !stumbled) return `${place}: the script neither spoke to the impostor (${who}) nor gave it up`;
  if (run.status === 'success') return success;
  const objection = impostor === 'trusted-ca' && moment === 'at-once' ? objectionOf(place, trial) : undefined;
  if (objection !== undefined || trial.trusted !== null || withoutHandshake.includes(impostor)) return objection;
  return `${place}: the script gave the impostor (${who}) up before a TLS handshake was complete, so it is not known what it makes of that certificate`;
}

/** Impostors with which no TLS handshake is completed. */
const withoutHandshake: readonly ImpostorName[] = ['stolen-certificate', 'plaintext'];

/**
 * The impostor was called and got nothing, and no handshake was complete.
 * A time limit of the script may have ended it on a busy machine.
 */
export function isCutShort({ bytes, connections, disagreement, elsewhere, impostor, trusted }: Trial): boolean {
  if (withoutHandshake.includes(impostor) || disagreement !== null || elsewhere.length > 0) return false;
  return bytes === 0 && connections > 0 && trusted === null;
}

/** Impostors that OpenSSL accepts by every trust list that accepts trusted-ca. */
const takenAlike: readonly ImpostorName[] = [
  ...(['trusted-namesake', 'trusted-chain', 'another-name', 'asked-name', 'common-name', 'expiring'] as const),
  'renewed',
];

/**
 * The trust list should have accepted an impostor, and did not. So it says nothing about the script that this impostor received nothing.
 */
function noChanceOf(server: string, trial: Trial, trials: readonly Trial[]): string | undefined {
  const { bytes, impostor, moment, passedOn, trusted } = trial;
  if (bytes > 0 || moment !== 'at-once' || trusted !== false || !takenAlike.includes(impostor)) return undefined;
  const isTaken = trials.some((one) => one.impostor === 'trusted-ca' && one.passedOn === passedOn && one.trusted);
  if (!isTaken) return undefined;
  return `${placeOf(server, trial)}: OpenSSL refused the impostor (${impostor}) although the script's trust list takes its CA, so it is not known what the script makes of that certificate`;
}

/**
 * The impostor that the script's own trust list accepts received nothing. The reason must be what the script compared, or a list that
 * accepts only the genuine server. Anything else may have been luck.
 */
function objectionOf(place: string, { lookedAt, trusted }: Trial): string | undefined {
  if (trusted === false && lookedAt.length === 0) return undefined;
  const objection = objectionTo(lookedAt);
  return objection && `${place}: the script refused the impostor (trusted-ca), but ${objection}`;
}
