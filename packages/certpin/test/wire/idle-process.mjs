// One request, or one query, over a connection that is kept: the process is to end by itself. What it does stands in its argument.
import { get } from 'node:https';
import pg from 'pg';
import { pinnedAgent } from '../../src/adapters/https.ts';
import { pinnedPg } from '../../src/adapters/pg.ts';
import { pinnedFetch } from '../../src/adapters/undici.ts';

const { client, url, policy, proxy, login } = JSON.parse(process.argv[2]);

const requests = {
  agent: async () => {
    const agent = pinnedAgent({ ...policy, keepAlive: true, proxy });
    // The second one takes the connection out of the pool again: it must hold the process until it is answered.
    for (const path of ['/first', '/second']) {
      await new Promise((resolve, reject) => {
        get(`${url}${path}`, { agent }, (response) => response.resume().once('end', resolve)).once('error', reject);
      });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  },
  fetch: async () => {
    const api = pinnedFetch(policy, { proxy });
    for (const path of ['/first', '/second']) await (await api(`${url}${path}`)).text();
  },
  pg: async () => {
    const pool = new pg.Pool({ ...pinnedPg(login, policy), allowExitOnIdle: true });
    for (const text of ['select 1', 'select pg_sleep(0.1)']) await pool.query(text);
  },
};

await requests[client]();
console.log('done');
