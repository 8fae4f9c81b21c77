import type { Control } from './control.ts';
import type { KnownValue } from './evidence.ts';
import { impostorsFor } from './impostors.ts';
import { CONNECTIONS } from './limits.ts';
import { isCutShort } from './reasons-of-trials.ts';
import { passOn, Relay } from './relay.ts';
import type { ImpostorName, ServerProof, Trial } from './report.ts';
import type { Stages } from './stages.ts';
import { type Act, type Cast, perform, type Target } from './trial.ts';

/** Runs at a time. More runs would only wait for each other, and scripts have time limits of their own. */
const AT_A_TIME = 4;

/** Logins in a warm container until one connects: the first one may find that its connection was cut. */
const WARM_LOGINS = 3;

/** The impostor that takes the place of all servers at once, and comes after a failed connection: a script is most likely to accept it. */
const STRONGEST = 'trusted-ca';

/**
 * The impostors of a second login in one container. A script may compare names and numbers with those that it kept from the first login.
 * One impostor has a trusted CA, one has the genuine issuer's name, and one has both.
 */
const RETURNING: readonly ImpostorName[] = [STRONGEST, 'another-key', 'trusted-namesake'];

/** All servers of a script, and where it runs. */
export interface Theatre {
  readonly targets: readonly Target[];
  readonly stages: Stages;
  /** The container of the control run. */
  readonly warm: Control['stage'];
  readonly known: readonly KnownValue[];
}

/** Runs the script with impostors in the place of each of its servers, and then of all of them. */
export async function tryImpostors(
  theatre: Theatre,
): Promise<{ readonly proofs: readonly ServerProof[]; readonly together: readonly Trial[] }> {
  const { targets } = theatre;
  for (const { server } of targets) server.relay.receive = (socket) => passOn(socket, server);
  const proofs: ServerProof[] = [];
  for (const target of targets) {
    const { server, opening, chain } = target;
    const { host, port } = server;
    const trials = await tryTarget(theatre, target);
    const certificateSha256 = chain[0]?.fingerprint256.replaceAll(':', '') ?? null;
    proofs.push({ host, port, speech: opening.speech, tls: opening.tls, certificateSha256, trials });
  }
  const everywhere: readonly ImpostorName[] = targets.length > 1 ? ['another-key', STRONGEST, 'plaintext'] : [];
  const together = await Promise.all(
    everywhere.map((impostor) => tryAct(theatre, { impostor, moment: 'at-once', passedOn: 0 }, targets)),
  );
  return { proofs, together: together.flat() };
}

async function tryTarget(theatre: Theatre, target: Target): Promise<readonly Trial[]> {
  const { server, forger } = target;
  const impostors = forger === undefined ? (['plaintext'] as const) : impostorsFor(forger);
  const connections = Array.from({ length: Math.min(server.connections, CONNECTIONS) }, (_, index) => index);
  const acts: Act[] = connections.flatMap((passedOn) =>
    impostors.map((impostor) => ({ impostor, moment: 'at-once' as const, passedOn })),
  );
  const failures: Act[] = (['after-reset', 'after-refusal', 'after-stall'] as const).map((moment) => ({
    ...{ impostor: forger === undefined ? 'plaintext' : STRONGEST, moment, passedOn: 0 },
  }));
  const inAll = [...failures.reverse(), ...acts];
  const trials = await inTurns(inAll, (act) => tryAct(theatre, act, [target]));
  await repeatAlone(inAll, trials, (act) => tryAct(theatre, act, [target]));
  const inOrder = [...trials.slice(failures.length), ...trials.slice(0, failures.length).reverse()].flat();
  return forger === undefined ? inOrder : [...inOrder, ...(await tryWarm(theatre, target))];
}

/**
 * Several runs share a machine, so a script's own time limit can end one of them before its handshake. Such an act says nothing: it is performed
 * once more, with nothing beside it. A second one without a handshake is what the script does, so the others are not repeated.
 */
async function repeatAlone(
  acts: readonly Act[],
  trials: (readonly Trial[])[],
  perform: (act: Act) => Promise<readonly Trial[]>,
): Promise<void> {
  for (const [index, act] of acts.entries()) {
    if (!trials[index]?.some(isCutShort)) continue;
    const repeated = await perform(act);
    trials[index] = repeated;
    if (repeated.some(isCutShort)) return;
  }
}

/** @returns in the order of the values */
async function inTurns<Value, Result>(
  values: readonly Value[],
  work: (value: Value) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const waiting = [...values.entries()];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) results[next[0]] = await work(next[1]);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  return results;
}

/** One act in a container of its own. Some impostors then meet a second login there. */
async function tryAct(theatre: Theatre, act: Act, replaced: readonly Target[]): Promise<readonly Trial[]> {
  const { targets, stages } = theatre;
  const posts = new Map<Target, Relay>();
  for (const target of replaced) posts.set(target, await Relay.open());
  const firstVia = act.moment === 'after-refusal' ? { firstVia: await closedPort() } : {};
  const redirects = targets.map((target) => {
    const { host, port, relay } = target.server;
    const post = posts.get(target);
    return { host, port, via: (post ?? relay).port, ...(post === undefined ? {} : firstVia) };
  });
  const genuine = targets.flatMap(({ chain }) => chain.slice(0, 1)).map((leaf) => leaf.toString());
  const stage = stages.create(redirects, [], genuine, act);
  try {
    const first = await perform(stage, act, castOf(theatre, posts));
    const comesAgain = RETURNING.includes(act.impostor) && act.moment === 'at-once' && act.passedOn === 0;
    if (!comesAgain) return [first];
    return [first, await perform(stage, { ...act, moment: 'again' }, castOf(theatre, posts))];
  } finally {
    await stage.close();
    await Promise.all([...posts.values()].map((relay) => relay.close()));
  }
}

/** A port of this machine on which nobody listens. */
async function closedPort(): Promise<number> {
  const relay = await Relay.open();
  const { port } = relay;
  await relay.close();
  return port;
}

/** In the container of the control run, whose connections were cut. */
async function tryWarm(theatre: Theatre, target: Target): Promise<readonly Trial[]> {
  const { server } = target;
  const { relay } = server;
  const trials: Trial[] = [];
  for (const impostor of RETURNING) {
    const act: Act = { impostor, moment: 'warm', passedOn: 0 };
    let trial: Trial | undefined;
    for (let login = 0; login < WARM_LOGINS && (trial?.connections ?? 0) === 0; login++) {
      relay.sever();
      trial = await perform(theatre.warm, act, castOf(theatre, new Map([[target, relay]])));
    }
    if (trial !== undefined) trials.push(trial);
  }
  relay.sever();
  relay.receive = (socket) => passOn(socket, server);
  return trials;
}

function castOf({ targets, known }: Theatre, posts: Cast['posts']): Cast {
  const leaves = targets.flatMap(({ chain }) => chain.slice(0, 1));
  return { posts, known, genuine: new Set(leaves.map(({ fingerprint256 }) => fingerprint256)) };
}
