/**
 * Clients with one fault each: the proof that the soak can fail. The same program as `npm run soak`:
 * `node --expose-gc --import tsx dev/soak/test/faulty.ts --minutes 0 --client unpinned`.
 */
import { Agent } from 'node:https';
import { connect } from 'certpin/tls';
import type { SoakClient, SoakPool } from '../src/client.ts';
import { clients, post } from '../src/clients/index.ts';
import { run } from '../src/run.ts';

const https = clients.find(({ name }) => name === 'https') as SoakClient;

/** certpin's agent, with something done beside each operation. */
function beside(name: string, act: (...args: Parameters<SoakClient['open']>) => () => unknown): SoakClient {
  const open: SoakClient['open'] = (...args) => {
    const [pool, fault] = [https.open(...args), act(...args)];
    const exchange = async (): Promise<void> => {
      await pool.exchange();
      await fault();
    };
    return { ...pool, exchange };
  };
  return { ...https, name, open };
}

/** Does it once. */
function once(act: () => unknown): () => unknown {
  let done = false;
  return () => {
    if (done) return undefined;
    done = true;
    return act();
  };
}

const held: unknown[] = [];
const unverified = Object.fromEntries([['rejectUnauthorized', false]]);

const faulty: readonly SoakClient[] = [
  {
    ...https,
    name: 'unpinned',
    open: (target, _, connections): SoakPool => {
      const agent = new Agent({ keepAlive: true, maxSockets: connections, ...unverified });
      return { exchange: () => post(target, agent), close: async () => agent.destroy() };
    },
  },
  beside('leaks-sockets', ({ host, port }, pins) => {
    let operations = 0;
    return () => {
      // One of twenty: the soak is not to wait for their handshakes.
      if (operations++ % 20 === 0) held.push(connect({ host, port, pins }).on('error', () => undefined));
    };
  }),
  beside(
    'leaks-memory',
    () => () =>
      held.push(
        Array.from({ length: 2_000 }, () => ({})),
        Buffer.alloc(20_000),
      ),
  ),
  beside('hangs', () =>
    once(() => {
      console.error('an operation hangs');
      return new Promise(() => undefined);
    }),
  ),
  beside('leaves-errors-unheard', () =>
    once(() => {
      void Promise.reject(new Error('a rejection'));
      setImmediate(() => {
        throw new Error('a throw');
      });
    }),
  ),
  { ...https, name: 'for-another-node', notOnThisNode: 'it needs a newer Node' },
  {
    ...https,
    name: 'hides-the-reason',
    open: (...args) => {
      const pool = https.open(...args);
      const hide = (): never => {
        throw Object.assign(new Error('something'), { code: 'ECONNRESET' });
      };
      return { ...pool, exchange: () => pool.exchange().catch(hide) };
    },
  },
  {
    ...https,
    name: 'never-recovers',
    open: (target, pins, connections) => {
      const pool = https.open(target, pins, connections);
      let last: Error | undefined;
      const exchange = async (): Promise<void> => {
        if (last !== undefined) throw last;
        await pool.exchange().catch((error: Error) => {
          last = error;
          throw error;
        });
      };
      return { ...pool, exchange };
    },
  },
];

process.exit(await run(process.argv.slice(2), faulty));
