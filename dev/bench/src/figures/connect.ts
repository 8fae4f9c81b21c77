import type { Agent } from 'node:https';
import { connect as connectTls, createSecureContext, type TLSSocket } from 'node:tls';
import { pinnedAgent } from 'certpin/https';
import { type Benchmark, figure, medians } from '../figure.ts';
import { alternate, inParallel, type Run } from '../measure.ts';
import type { PinnedServer } from '../stage.ts';

/** Connections that are being made at a time. */
const WIDTH = 4;

export const connect: Benchmark = {
  name: 'connect',
  about:
    'New TLS connections a second, from the call to the end of the handshake with its verdict, four at a time, to an ECDSA P-256 server.',
  run: async (stage) => {
    const server = await stage.web('p256');
    const size = stage.quick ? { count: 40, rounds: 9 } : { count: 40, rounds: 60 };
    const ours = agentHandshakes(server);
    const verified = await alternate({ ours, peer: plainHandshakes(server, { ca: server.ca }), ...size });
    const unverified = await alternate({ ours, peer: plainHandshakes(server, { rejectUnauthorized: false }), ...size });
    // What is left when nothing is checked and nothing made twice: no client of Node's TLS can be faster.
    const secureContext = createSecureContext({ ca: [] });
    const bare = await alternate({
      ours,
      peer: plainHandshakes(server, { rejectUnauthorized: false, secureContext }),
      ...size,
    });
    return {
      figures: [
        figure({
          name: 'connect',
          what: 'connections a second',
          peer: 'tls.connect with `ca` (verified)',
          ratio: verified.speed,
          target: { atLeast: 2 },
          details: medians(verified),
        }),
        figure({
          name: 'connect',
          what: 'connections a second',
          peer: 'tls.connect with `rejectUnauthorized: false` (unverified)',
          ratio: unverified.speed,
          target: { atLeast: 1.4 },
          details: medians(unverified),
        }),
        figure({
          name: 'connect',
          what: 'connections a second',
          peer: 'tls.connect with one shared context and no check at all',
          ratio: bare.speed,
          details: medians(bare),
        }),
      ],
    };
  },
};

export function agentHandshakes(
  server: PinnedServer,
  agent: Agent = pinnedAgent({ pins: server.certificatePin }),
): Run {
  return handshakes(() => openOf(agent, server));
}

export function plainHandshakes({ host, port }: PinnedServer, options: object): Run {
  return handshakes(() => connectTls({ host, port, servername: 'localhost', ...options }));
}

/** What the agent does for a request that finds no idle connection. */
export function openOf(agent: Agent, { host, port }: PinnedServer): TLSSocket {
  const { createConnection } = agent as unknown as { createConnection(options: object): TLSSocket };
  return createConnection.call(agent, { ...agent.options, host, port, servername: 'localhost' });
}

function handshakes(open: () => TLSSocket): Run {
  const handshake = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = open();
      socket.once('error', reject);
      socket.once('secureConnect', () => {
        socket.destroy();
        resolve();
      });
    });
  return (count) => inParallel(count, WIDTH, handshake);
}
