import type { ScriptConnection } from '../run/child-messages.ts';
import type { RunResult } from '../run/result.ts';
import { OpeningWatch } from './opening.ts';
import { passOn, type Relay } from './relay.ts';
import type { Observation, Stage } from './stage.ts';
import type { Stages } from './stages.ts';
import type { Server } from './trial.ts';

/** The run of a script with its genuine servers. */
export interface Control {
  readonly run: RunResult;
  readonly servers: readonly Server[];
  /** Connections for which there was no relay. */
  readonly unseen: number;
  readonly seen: Observation;
  /** Its container. It stays warm. */
  readonly stage: Stage;
}

/** Runs the script, and finds out which servers it talks to, and how. */
export async function runControl(stages: Stages, relays: readonly Relay[]): Promise<Control> {
  const servers = new Map<number, Server>();
  const arrivals = new Map<number, (server: Server) => void>();
  for (const relay of relays) {
    const known = new Promise<Server>((resolve) => arrivals.set(relay.port, resolve));
    // The child reports the target of a connection while the connection is on its way here.
    relay.receive = async (socket) => {
      const server = await known;
      passOn(socket, server, server.watch, (error) => {
        server.failure ??= error;
      });
    };
  }
  const stage = stages.create(
    [],
    relays.map(({ port }) => port),
    null,
  );
  let unseen = 0;
  stage.onConnection = ({ host, port, via }: ScriptConnection): void => {
    const relay = relays.find((candidate) => candidate.port === via);
    if (relay === undefined) unseen++;
    const known = relay && servers.get(relay.port);
    if (known !== undefined) known.connections++;
    if (relay === undefined || known !== undefined) return;
    const server: Server = { host, port, relay, watch: new OpeningWatch(port), connections: 1, failure: null };
    servers.set(relay.port, server);
    arrivals.get(relay.port)?.(server);
  };
  const { run, seen } = await stage.login();
  stage.onConnection = () => undefined;
  return { run, servers: [...servers.values()], unseen, seen, stage };
}
