import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { Evidence, type KnownValue } from './evidence.ts';
import { createImpostor } from './impostor.ts';
import { dress } from './impostors.ts';
import type { Forger } from './mint.ts';
import type { Opening, OpeningWatch } from './opening.ts';
import { passOn, type Relay } from './relay.ts';
import type { ImpostorName, Moment, Trial } from './report.ts';
import type { Observation, Stage } from './stage.ts';
import { summarize } from './summary.ts';

/** A server of the script, as the control run met it. */
export interface Server {
  readonly host: string;
  readonly port: number;
  readonly relay: Relay;
  readonly watch: OpeningWatch;
  /** Of the control run. */
  connections: number;
  /** Why the first connection to it failed. Through the relay, the script saw another ending. */
  failure: NodeJS.ErrnoException | null;
}

/** A server, and what is needed to take its place. */
export interface Target {
  readonly server: Server;
  readonly opening: Opening;
  readonly chain: readonly X509Certificate[];
  /** undefined: there is no certificate to imitate. */
  readonly forger: Forger | undefined;
}

export interface Act {
  readonly impostor: ImpostorName;
  readonly moment: Moment;
  /** Connections to the server that are passed on before. */
  readonly passedOn: number;
}

export interface Cast {
  /** Where impostors are: a relay for each replaced server. */
  readonly posts: ReadonlyMap<Target, Relay>;
  readonly known: readonly KnownValue[];
  /** The certificates of all genuine servers: SHA-256, as Node writes it. */
  readonly genuine: ReadonlySet<string>;
}

/** Calls the script while impostors take the places of servers, and reports what they received. */
export async function perform(stage: Stage, act: Act, { posts, known, genuine }: Cast): Promise<Trial> {
  const evidence = new Evidence(known);
  for (const [target, relay] of posts) relay.receive = await receiverFor(act, target, evidence);
  stage.onConnection = ({ via }) => [...posts.values()].find(({ port }) => port === via)?.expect();
  const { run, seen } = await stage.login();
  const drain = (): Promise<unknown> => Promise.all([...posts.values()].map((relay) => relay.drain()));
  // The script's process still runs, so it may still send on an open connection. A stalled connection stays open without data.
  if (act.moment !== 'after-stall' && evidence.sum().bytes === 0) await drain();
  evidence.close();
  for (const thrownAt of seen.exceptions) evidence.seeException(thrownAt);
  const { impostor, moment, passedOn } = act;
  const elsewhere = seen.connections.filter(({ via }) => via === null).map(({ host, port }) => `${host}:${port}`);
  return {
    ...{ impostor, moment, passedOn, ...evidence.sum(), ...sumLooks(seen, genuine) },
    ...{ elsewhere: [...new Set(elsewhere)], run: summarize(run) },
  };
}

async function receiverFor(
  { impostor, moment, passedOn }: Act,
  { server, opening, chain, forger }: Target,
  evidence: Evidence,
): Promise<(socket: Socket) => void> {
  const costume = forger === undefined ? { credentials: undefined } : await dress(impostor, forger, chain, server.host);
  const impersonator = createImpostor({ opening, ...costume, evidence });
  const first: Partial<Record<Moment, (socket: Socket) => void>> = {
    'after-reset': (socket) => void socket.resetAndDestroy(),
    'after-stall': () => undefined,
  };
  const fail = first[moment];
  let arrived = 0;
  return (socket) => {
    const number = arrived++;
    if (number < passedOn) passOn(socket, server);
    else if (fail !== undefined && number === passedOn) fail(socket);
    else impersonator(socket);
  };
}

/** Of the certificates that no genuine server presents. */
function sumLooks({ handshakes, looks }: Observation, genuine: Cast['genuine']): Pick<Trial, 'lookedAt' | 'trusted'> {
  const isForeign = ([certificate]: readonly [string, unknown]): boolean => !genuine.has(certificate);
  const verified = [...handshakes].filter(isForeign).map(([, trusted]) => trusted);
  const lookedAt = [...looks].filter(isForeign).flatMap(([, at]) => [...at]);
  return {
    lookedAt: [...new Set(lookedAt)].sort(),
    trusted: verified.length === 0 ? null : verified.some((trusted) => trusted),
  };
}
