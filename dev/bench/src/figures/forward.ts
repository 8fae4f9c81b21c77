import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { type AgentOptions, request as httpsRequest } from 'node:https';
import { pinnedForward } from 'certpin/forward';
import { pinnedAgent } from 'certpin/https';
import { type Figure, figure, medians } from '../figure.ts';
import { alternate, inParallel, type Run } from '../measure.ts';
import type { Stage } from '../stage.ts';

const CONNECTIONS = 8;

/**
 * What the way through an end costs a client. The peer is the same client on the pinned connection itself. The server is a web server,
 * because both are plain there.
 */
export async function forwardFigures(stage: Stage): Promise<Figure[]> {
  const { port, certificatePin: pins } = await stage.web('p256');
  const end = await pinnedForward({ host: 'localhost', port }, { pins });
  const pair = (options: AgentOptions) => {
    const [plain, pinned] = [new HttpAgent(options), pinnedAgent({ pins, ...options })];
    const ours: Run = (count) =>
      inParallel(count, CONNECTIONS, () => answerOf(httpRequest({ ...end, agent: plain }).end()));
    const peer: Run = (count) =>
      inParallel(count, CONNECTIONS, () => answerOf(httpsRequest({ host: 'localhost', port, agent: pinned }).end()));
    return { ours, peer };
  };
  const open = await alternate({ ...pair({ keepAlive: false }), count: 40, rounds: stage.quick ? 7 : 40 });
  const kept = await alternate({
    ...pair({ keepAlive: true, maxSockets: CONNECTIONS }),
    ...(stage.quick ? { count: 400, rounds: 9 } : { count: 1000, rounds: 40 }),
  });
  await end.close();
  const common = { name: 'databases', peer: 'the same requests by `pinnedAgent`' };
  return [
    figure({
      ...common,
      what: 'forward: connections a second, each with a request',
      ratio: open.speed,
      details: medians(open),
    }),
    figure({ ...common, what: 'forward: requests a second', ratio: kept.speed, details: medians(kept) }),
  ];
}

function answerOf(call: ReturnType<typeof httpRequest>): Promise<void> {
  return new Promise((resolve, reject) => {
    call.once('response', (response) => response.resume().once('end', resolve)).once('error', reject);
  });
}
