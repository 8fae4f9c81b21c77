/** A process that measures clients whose own connections certpin sees, on a Node that announces them. */
import { Agent, request } from 'node:https';
import { connect } from 'node:tls';
import { pinnedTls } from 'certpin/driver-tls';
import { pinnedRedis } from 'certpin/redis';
import { createRedisClient } from '../../../../packages/certpin/test/drivers.ts';
import type { Figure } from '../figure.ts';
import { createStage, type Stage } from '../stage.ts';
import { compareClient } from './clients.ts';

const on = `on Node ${process.versions.node}`;

process.once('message', async ({ quick }: { quick: boolean }) => {
  const stage = createStage(quick);
  try {
    process.send?.([...(await socketFigures(stage)), ...(await redisFigures(stage))]);
  } finally {
    await stage.stop();
  }
});

/** `tls.connect`, and requests on a connection that stays. */
async function socketFigures(stage: Stage): Promise<Figure[]> {
  const { host, port, ca, certificatePin: pins } = await stage.web('p256');
  const opening = (tls: object) => () =>
    new Promise<{ ask: () => Promise<void>; close: () => void }>((resolve, reject) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1, ...tls });
      const socket = connect({ host, port, ...tls }, () =>
        resolve({
          ask: () =>
            new Promise((done, fail) => {
              request({ host, port, agent }, (response) => response.resume().once('end', done))
                .once('error', fail)
                .end();
            }),
          close: () => {
            socket.destroy();
            agent.destroy();
          },
        }),
      ).once('error', reject);
    });
  return compareClient(stage, {
    ...{ client: `driver-tls, \`tls.connect\`, ${on}`, peer: '`tls.connect` with `ca`', width: 1 },
    ours: opening(pinnedTls({ pins })),
    theirs: opening({ ca }),
  });
}

async function redisFigures(stage: Stage): Promise<Figure[]> {
  const { host, port, username, password, ca, certificatePin: pins } = await stage.redis();
  const opening = (options: Parameters<typeof createRedisClient>[0]) => async () => {
    const client = createRedisClient(options).on('error', () => undefined);
    await client.connect();
    return { ask: () => client.ping(), close: () => client.destroy() };
  };
  return compareClient(stage, {
    ...{ client: `driver-tls, node-redis, ${on}`, peer: 'node-redis with `tls: true, ca`', width: 10 },
    ours: opening(pinnedRedis({ username, password, socket: { host, port } }, { pins })),
    theirs: opening({ username, password, socket: { host, port, tls: true, ca } }),
  });
}
