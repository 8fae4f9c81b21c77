import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Transform } from 'node:stream';

/** An address that leads to one server or another, like a name or a load balancer. All bytes pass unread. */
export interface Gate {
  readonly port: number;
  /** Where new connections lead from now on; those that are open stay. */
  readonly route: (port: number) => void;
  /** Ends all connections: with a TCP reset, as if a host fails, or with a FIN. */
  readonly cut: (how: CutKind) => Promise<void>;
  /** Nobody listens any more; connections that are open stay. */
  readonly close: () => Promise<void>;
  readonly open: () => Promise<void>;
  /** Connections that are open. */
  readonly connections: () => number;
  /** Connections that were led to this port, over the whole run. */
  readonly accepted: (port: number) => number;
}

export type CutKind = 'reset' | 'end';

const host = '127.0.0.1';

/** @param delayMs the time that each piece of a client needs to the server */
export async function startGate(target: number, delayMs = 0): Promise<Gate> {
  let to = target;
  /** Each client's connection, what it leads to, and when it has gone. */
  const pairs = new Map<Socket, { readonly upstream: Socket; readonly gone: Promise<void> }>();
  const accepted = new Map<number, number>();
  const server = createServer((client) => {
    const upstream = connect(to, host);
    const gone = new Promise<void>((resolve) => {
      client.once('close', resolve);
      // Node does not reset a socket whose end is in progress, and then emits no 'close' (_destroy in lib/net.js of Node 20).
      client.on('error', ({ syscall }: NodeJS.ErrnoException) => syscall === 'reset' && resolve());
    }).then(() => {
      pairs.delete(client);
      upstream.destroy();
    });
    pairs.set(client, { upstream, gone });
    accepted.set(to, 1 + (accepted.get(to) ?? 0));
    upstream.on('error', () => client.destroy());
    const way = delayMs === 0 ? client : client.pipe(delayed(delayMs));
    // Read to its end, although nobody uses it any more.
    upstream.on('close', () => client.unpipe().resume());
    way.pipe(upstream).pipe(client);
  });
  const listen = async (port: number): Promise<void> => {
    server.listen(port, host);
    await once(server, 'listening');
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    route: (next) => {
      to = next;
    },
    cut: async (how) => {
      const closed = [...pairs.values()].map(({ gone }) => gone);
      for (const [client, { upstream }] of pairs) {
        upstream.unpipe(client);
        if (how === 'reset') client.resetAndDestroy();
        else client.end(() => client.destroy());
      }
      await Promise.all(closed);
    },
    // close() waits for the connections, which may stay open.
    close: async () => void server.close(),
    open: () => listen(port),
    connections: () => pairs.size,
    accepted: (port) => accepted.get(port) ?? 0,
  };
}

function delayed(milliseconds: number): Transform {
  return new Transform({ transform: (chunk, _, done) => void setTimeout(() => done(null, chunk), milliseconds) });
}
