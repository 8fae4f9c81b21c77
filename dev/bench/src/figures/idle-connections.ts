/** A process that opens connections, leaves them idle, and reports how much its resident memory grew. */
import { Agent, request } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { pinnedAgent } from 'certpin/https';
import { pinnedPg } from 'certpin/pg';
import pg from 'pg';
import { inParallel } from '../measure.ts';

export interface IdleClient {
  readonly kind: 'agent' | 'pg';
  readonly pinned: boolean;
  readonly count: number;
  readonly pins: string;
  readonly ca: string;
  readonly target: { readonly host: string; readonly port: number };
}

process.once('message', async (client: IdleClient) => {
  const open = client.kind === 'agent' ? agentConnections(client) : pgConnections(client);
  // The first connections also pay for what is made only once.
  await open(10);
  const before = await residentBytes();
  await open(client.count);
  process.send?.((await residentBytes()) - before);
});

async function residentBytes(): Promise<number> {
  for (let round = 0; round < 4; round++) {
    globalThis.gc?.();
    await delay(50);
  }
  return process.memoryUsage().rss;
}

/** Connections stay open if all their requests are sent at once. */
function agentConnections({ pinned, pins, ca, target }: IdleClient): (count: number) => Promise<void> {
  return (count) => {
    const options = { keepAlive: true, maxFreeSockets: Number.POSITIVE_INFINITY, timeout: 0 };
    const agent = pinned ? pinnedAgent({ pins, ...options }) : new Agent({ ca, ...options });
    const get = (): Promise<void> =>
      new Promise((resolve, reject) => {
        request({ ...target, agent }, (response) => response.resume().once('end', resolve))
          .once('error', reject)
          .end();
      });
    return Promise.all(Array.from({ length: count }, get)).then(() => undefined);
  };
}

const kept: pg.Client[] = [];

function pgConnections({ pinned, pins, ca, target }: IdleClient): (count: number) => Promise<void> {
  const config = pinned ? pinnedPg(target, { pins }) : { ...target, ssl: { ca } };
  return (count) =>
    inParallel(count, 8, async () => {
      const client = new pg.Client(config);
      kept.push(client);
      await client.connect();
    });
}
