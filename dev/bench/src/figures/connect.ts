import type { Agent } from 'node:https';
import { connect as connectTls, createSecureContext, type TLSSocket } from 'node:tls';
import { pinnedAgent } from 'certpin/https';
import { connect as connectPinned } from 'certpin/tls';
import { blockOf } from '../block.ts';
import { type Benchmark, type Figure, figure, medians } from '../figure.ts';
import { alternate, inParallel, type Run } from '../measure.ts';
import type { PinnedServer } from '../stage.ts';

/** Connections that are being made at a time. */
const WIDTH = 4;

const BARE = 'tls.connect with one shared context and no check at all';

/** What the block for https gives to a script. */
interface HttpsBlock {
  pinnedAgent(options: { pins: string }): Agent;
}

export const connect: Benchmark = {
  name: 'connect',
  about:
    'New TLS connections a second to an ECDSA P-256 server, four at a time. Each is measured from the call to the end of the handshake with its verdict.',
  run: async (stage) => {
    const server = await stage.web('p256');
    const size = stage.quick ? { count: 40, rounds: 9 } : { count: 40, rounds: 60 };
    const ours = agentHandshakes(server);
    const verified = await alternate({ ours, peer: plainHandshakes(server, { ca: server.ca }), ...size });
    const unverified = await alternate({ ours, peer: plainHandshakes(server, { rejectUnauthorized: false }), ...size });
    // What remains if nothing is checked and nothing is made twice. No client of Node's TLS can be faster.
    const secureContext = createSecureContext({ ca: [] });
    // Both sides share one context. Everything else is compared.
    const besideBare = async (what: string, ours: Run, atLeast: number): Promise<Figure> => {
      const peer = plainHandshakes(server, { rejectUnauthorized: false, secureContext });
      const measured = await alternate({ ours, peer, ...size });
      const { speed: ratio } = measured;
      const details = medians(measured);
      return figure({ name: 'connect', what, peer: BARE, ratio, target: { atLeast }, details });
    };
    const { host, port, certificatePin: pins } = server;
    const inline = handshakes(() => connectPinned({ host, port, servername: 'localhost', pins }));
    const block = agentHandshakes(server, blockOf<HttpsBlock>('https').pinnedAgent({ pins }));
    return {
      figures: [
        await besideBare('connections a second, through the agent', ours, 0.95),
        await besideBare('connections a second, `connect` with its pins', inline, 0.9),
        await besideBare("connections a second, through a pasted block's agent", block, 0.9),
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

/** What the agent does for a request without an idle connection. */
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
