import { livePins } from 'certpin';
import type { SoakClient } from './client.ts';
import { delay, type Expectation, Load, type Tally, within } from './load.ts';
import { activeResources, leftOver, type Memory, measureMemory, openSockets } from './measure.ts';
import { openStage } from './open-stage.ts';
import type { StageFigures } from './stage.ts';

export interface SoakOptions {
  readonly client: SoakClient;
  /** Connections in the pool. */
  readonly connections: number;
  /** Rounds begin until this much time has passed, in milliseconds. There are at least three. */
  readonly durationMs: number;
  /** How long each phase of a round lasts at least, in milliseconds. */
  readonly phaseMs: number;
  /** Milliseconds after which an operation hangs. */
  readonly deadlineMs: number;
  readonly onProgress?: (progress: Progress) => void;
}

export interface Progress {
  readonly client: string;
  readonly round: number;
  readonly phase: string;
  readonly operations: number;
  /** What did not hold so far, each with the number of times. */
  readonly faults: Readonly<Record<string, number>>;
}

export interface SoakResult extends Tally, Omit<StageFigures, 'connections'> {
  readonly client: string;
  readonly seconds: number;
  readonly rounds: number;
  /** Sockets of this process beyond those that it had before the pool was made. */
  readonly sockets: { readonly most: number; readonly after: number };
  /** Connections that the server's side still has after the pool was closed. */
  readonly serverConnections: number;
  /** Bytes in steady state, with open connections: the medians of the first and of the last third of the rounds. */
  readonly memory: { readonly first: Memory; readonly last: Memory };
  /** What did not hold, each with its number of occurrences. Empty: everything held. */
  readonly faults: Readonly<Record<string, number>>;
}

/** One round to warm up, without measurements, and two to compare. */
const LEAST_ROUNDS = 3;
/** By how many bytes heap or external memory may grow from the first third of the rounds to the last. */
export const MEMORY_MARGIN = 2 * 1024 * 1024;
/**
 * How many sockets may exist for each connection of the pool at any time. undici drops a failed connection from its pool. If requests wait
 * for it, undici makes it again, next to the one that takes its place. It goes after it has been idle.
 */
const SOCKETS_PER_CONNECTION = 4;
/** Milliseconds within which closed connections must be gone. */
const CLOSING_MS = 5_000;
/** Operations in progress at any time, for each connection: more than one, so that some wait in the pool's queue. */
const WORKERS_PER_CONNECTION = 1.2;

/** Puts one client under load while its server changes, and says what held. */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const { client, durationMs, phaseMs, deadlineMs, onProgress = () => undefined } = options;
  const connections = Math.min(options.connections, client.mostConnections ?? options.connections);
  const faults: Record<string, number> = {};
  const fault = (text: string): void => {
    faults[text] = (faults[text] ?? 0) + 1;
  };
  const unwatch = watchProcess(fault);
  const { stage, target } = await openStage(client.server);
  const { current, next } = target.pins;
  const [baseline, started] = [activeResources(), Date.now()];
  const pins = livePins([current, next]);
  const pool = client.open(target, pins, connections);
  const connectionErrors = new Set(client.connectionErrors);
  const workers = Math.ceil(connections * WORKERS_PER_CONNECTION);
  const load = new Load({ exchange: pool.exchange, workers, connectionErrors, deadlineMs, fault });
  const samples: Memory[] = [];
  let round = 0;
  let mostSockets = 0;

  const report = (phase: string): void =>
    onProgress({ client: client.name, round, phase, operations: load.tally.operations, faults: { ...faults } });
  /** The phase lasts until every worker has had an answer in it. */
  const hold = async (expectation: Expectation, phase: string): Promise<void> => {
    load.begin(expectation, phase);
    report(phase);
    await delay(phaseMs);
    await load.turnover();
    await load.turnover();
    mostSockets = Math.max(mostSockets, openSockets() - (baseline.TCPSocketWrap ?? 0));
  };
  /** What was in progress before the change has ended when this returns. */
  const change = async (expectation: Expectation, phase: string, act: () => unknown): Promise<void> => {
    load.begin(expectation, phase);
    report(phase);
    await act();
    await load.turnover();
  };

  const runRound = async (): Promise<void> => {
    await hold('works', 'the pinned server');
    await change('interrupted', 'the host fails', stage.fail);
    await hold('interrupted', 'nobody listens');
    await change('interrupted', 'the host is back', stage.recover);
    await hold('works', 'after the failure');

    // Verified connections stay open. A new connection meets the impostor.
    await change('changing', 'an impostor comes', () => stage.route('impostor'));
    await change('changing', 'the last verified connections end', () => stage.cut('reset'));
    await hold('refused', 'the impostor');
    await change('changing', 'the impostor goes', () => stage.route('next'));
    await hold('works', 'the renewed certificate');

    pins.set(next);
    await hold('works', 'only the renewed certificate is pinned');
    await change('changing', 'the pin is withdrawn', () => pins.set(current));
    await hold('refused', 'the certificate is not pinned any more');
    await change('changing', 'the pin is back', () => pins.set([current, next]));
    await hold('works', 'after the rotations');

    await change('interrupted', 'the server restarts', stage.restart);
    await hold('works', 'after the restart');
    await change('interrupted', 'the old certificate is back', async () => {
      await stage.route('current');
      await stage.cut('end');
    });
  };

  load.start();
  while (round < LEAST_ROUNDS || Date.now() - started < durationMs) {
    round++;
    await runRound();
    await hold('works', 'the end of the round');
    await load.pause();
    if (round > 1) samples.push(await measureMemory());
    load.resume();
  }
  load.begin('interrupted', 'the end');
  report('the end');
  await load.stop();
  await within(pool.close(), CLOSING_MS).catch((error: Error) => fault(`the pool does not close: ${error.message}`));

  const left = await leftOver(async () => activeResources(), baseline, CLOSING_MS);
  for (const [kind, count] of Object.entries(left)) fault(`${count} of ${kind} left after the end`);
  const atServer = async () => ({ count: (await stage.figures()).connections });
  const { count: serverConnections = 0 } = await leftOver(atServer, {}, CLOSING_MS);
  if (serverConnections > 0) fault(`${serverConnections} connections left at the server`);
  if (mostSockets > connections * SOCKETS_PER_CONNECTION) fault(`${mostSockets} sockets for a pool of ${connections}`);
  const { connections: _, ...figures } = await stage.figures();
  if (figures.impostorBytes > 0) fault(`${figures.impostorBytes} application bytes reached the impostor`);
  const third = Math.ceil(samples.length / 3);
  const memory = { first: median(samples.slice(0, third)), last: median(samples.slice(-third)) };
  for (const kind of ['heap', 'external'] as const) {
    const growth = memory.last[kind] - memory.first[kind];
    if (growth > MEMORY_MARGIN) fault(`${kind} grew by ${growth} bytes`);
  }
  await stage.stop();
  unwatch();
  return {
    client: client.name,
    seconds: Math.round((Date.now() - started) / 1000),
    rounds: round,
    ...load.tally,
    ...figures,
    sockets: { most: mostSockets, after: left.TCPSocketWrap ?? 0 },
    serverConnections,
    memory,
    faults,
  };
}

/** An uncaught error, or a warning of Node (too many listeners, for example), is a fault. */
function watchProcess(fault: (text: string) => void): () => void {
  const listeners = {
    uncaughtException: (error: Error) => fault(`uncaught: ${error?.stack ?? error}`),
    unhandledRejection: (error: Error) => fault(`unhandled rejection: ${error?.stack ?? error}`),
    warning: (warning: Error) => fault(`warning: ${warning.message}`),
  };
  for (const [event, listener] of Object.entries(listeners)) process.on(event, listener);
  return () => {
    for (const [event, listener] of Object.entries(listeners)) process.off(event, listener);
  };
}

function median(samples: readonly Memory[]): Memory {
  const middle = (read: (sample: Memory) => number): number =>
    samples.map(read).sort((one, other) => one - other)[Math.floor((samples.length - 1) / 2)] ?? 0;
  return { heap: middle((sample) => sample.heap), external: middle((sample) => sample.external) };
}
