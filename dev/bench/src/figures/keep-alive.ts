import { Agent, request as httpsRequest } from 'node:https';
import { pinnedAgent } from 'certpin/https';
import { pinnedDispatcher } from 'certpin/undici';
import { type Dispatcher, request, Agent as UndiciAgent } from 'undici-7';
import { type Benchmark, figure, medians } from '../figure.ts';
import { alternate, inParallel, type Run } from '../measure.ts';
import type { PinnedServer } from '../stage.ts';

const CONNECTIONS = 8;

export const keepAlive: Benchmark = {
  name: 'keep-alive',
  about:
    'Requests a second over eight connections that stay open. Our agent and dispatcher are compared with the plain ones.',
  run: async (stage) => {
    const server = await stage.web('p256');
    const size = stage.quick ? { count: 400, rounds: 9 } : { count: 1000, rounds: 40 };
    const { certificatePin: pins, ca } = server;
    const pooled = { keepAlive: true, maxSockets: CONNECTIONS };
    const agents = await alternate({
      ours: agentRequests(server, pinnedAgent({ pins, ...pooled })),
      peer: agentRequests(server, new Agent({ ca, ...pooled })),
      ...size,
    });
    const dispatchers = await alternate({
      ours: dispatcherRequests(server, pinnedDispatcher({ pins }, { Agent: UndiciAgent, connections: CONNECTIONS })),
      peer: dispatcherRequests(server, new UndiciAgent({ connect: { ca }, connections: CONNECTIONS })),
      ...size,
    });
    const target = { atLeast: 0.98 };
    const common = { name: 'keep-alive', target };
    return {
      figures: [
        figure({
          ...common,
          what: 'requests a second, agent',
          peer: 'https.Agent with `ca`',
          ratio: agents.speed,
          details: medians(agents),
        }),
        figure({
          ...common,
          what: 'requests a second, dispatcher',
          peer: "undici's Agent with `ca`",
          ratio: dispatchers.speed,
          details: medians(dispatchers),
        }),
      ],
    };
  },
};

function agentRequests({ port }: PinnedServer, agent: Agent): Run {
  const get = (): Promise<void> =>
    new Promise((resolve, reject) => {
      httpsRequest({ host: 'localhost', port, agent }, (response) => response.resume().once('end', resolve))
        .once('error', reject)
        .end();
    });
  return (count) => inParallel(count, CONNECTIONS, get);
}

function dispatcherRequests({ port }: PinnedServer, dispatcher: Dispatcher): Run {
  return (count) =>
    inParallel(count, CONNECTIONS, async () => {
      const { body } = await request(`https://localhost:${port}/`, { dispatcher });
      await body.dump();
    });
}
