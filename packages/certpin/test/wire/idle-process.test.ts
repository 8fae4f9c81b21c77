// The accident this prevents: a script has done its work and does not end, for a connection in a pool holds the process until the server
// closes it.
import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { certificateHex, mint, runToEnd } from '@certpin/testkit';
import { startPostgres } from '@certpin/testkit/postgres';
import { startHttpProxy, startSecureFront, startSocksProxy } from '@certpin/testkit/proxy';

const program = fileURLToPath(new URL('idle-process.mjs', import.meta.url));
const certificate = await mint({ names: ['localhost'] });
const policy = { pins: certificateHex(certificate) };
const server = createServer(
  { key: certificate.keyPem, cert: certificate.chainPem, keepAliveTimeout: 60_000 },
  (request, response) => {
    setTimeout(() => response.end(request.url), 50);
  },
).listen(0);
const proxy = await startHttpProxy();
const socks = await startSocksProxy();
const front = await startSecureFront(proxy, certificate);
const postgres = await startPostgres({ certificate });
after(async () => {
  server.close();
  server.closeAllConnections();
  await Promise.all([proxy.stop(), socks.stop(), front.close(), postgres.stop()]);
});

const url = `https://localhost:${(server.address() as AddressInfo).port}`;
const { host, port, user, password, database } = postgres;
const proxies: Record<string, unknown> = {
  'without a proxy': undefined,
  'through an http: proxy': proxy.url,
  'through an https: proxy': { url: `https://localhost:${front.port}`, ...policy },
  'through a socks5: proxy': socks.url,
};

/** The process is to end long before the server ends the connection. */
async function runs(task: object): Promise<void> {
  const args = ['--import', 'tsx', program, JSON.stringify({ url, policy, ...task })];
  assert.equal(await runToEnd(args), 'done\n');
}

describe('a connection that is idle does not hold the process', () => {
  for (const [way, through] of Object.entries(proxies)) {
    for (const client of ['agent', 'fetch']) it(`${client}, ${way}`, () => runs({ client, proxy: through }));
  }

  it('a pool of pg with allowExitOnIdle', () =>
    runs({ client: 'pg', login: { host, port, user, password, database } }));
});
