import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type CountingServer, mint, startTlsServer } from '@certpin/testkit';
import { certpin } from '../../../cli/test/transcript.ts';
import { folderFor, type HttpReceiver, SECRET, startReceiver } from './support.ts';

async function begin(
  test: TestContext,
): Promise<{ server: HttpReceiver; config: string; env: Record<string, string> }> {
  const server = await startReceiver();
  test.after(() => server.close());
  const config = join(folderFor(test), 'certpin.watch.json');
  const receivers = [
    { name: 'ops', kind: 'webhook', url: server.url, secret: { env: 'SECRET' } },
    { name: 'chat', kind: 'slack', url: { env: 'CHAT' } },
  ];
  writeFileSync(config, JSON.stringify({ receivers }));
  return { server, config, env: { SECRET, CHAT: `${server.url}path-secret` } };
}

describe('certpin watch notify --test', () => {
  it('sends a test notice to each receiver, or to those that are named', async (test) => {
    const { server, config, env } = await begin(test);
    const all = await certpin(['watch', 'notify', '--test', '--config', config], { env });
    assert.match(all.stdout, /^delivered {2}ops: it has answered with 200 \(\d+ ms\)\ndelivered {2}chat: .*\n$/);
    assert.deepEqual([all.stderr, all.code, server.received.length], ['', 0, 2]);
    const one = await certpin(['watch', 'notify', '--test', 'chat', '--json', '--config', config], { env });
    const { durationMs, ...said } = JSON.parse(one.stdout);
    assert.deepEqual(said, { receiver: 'chat', result: 'delivered', detail: 'it has answered with 200' });
    assert.equal(typeof durationMs, 'number');
    assert.deepEqual([one.code, server.received.length], [0, 3]);
  });

  it('1: a receiver has not taken it; no secret is shown', async (test) => {
    const { server, config, env } = await begin(test);
    server.answer = (response, { path }) => response.writeHead(path === '/' ? 204 : 404).end();
    const { stdout, stderr, code } = await certpin(['watch', 'notify', '--test', '--config', config], { env });
    assert.match(stdout, /^delivered {2}ops.*\nrefused {4}chat: it has answered with 404/);
    assert.doesNotMatch(stdout + stderr, /path-secret|whsec_/);
    assert.equal(code, 1);
  });

  it('2: a secret that is not there, a name that there is not, no --test', async (test) => {
    const { config, env } = await begin(test);
    const run = (args: string[], given: Record<string, string> = env) =>
      certpin(['watch', 'notify', ...args, '--config', config], { env: given });
    const missing = await run(['--test'], { SECRET });
    assert.match(missing.stderr, /receiver chat: the variable CHAT: there is no secret in it/);
    const unknown = await run(['--test', 'pager']);
    assert.match(unknown.stderr, /no receiver is called pager; the configuration has ops, chat/);
    const bare = await run([]);
    assert.match(bare.stderr, /--test/);
    assert.deepEqual([missing.code, unknown.code, bare.code], [2, 2, 2]);
  });
});

describe('certpin watch --once', () => {
  async function watched(test: TestContext): Promise<{ target: CountingServer; folder: string }> {
    const target = await startTlsServer({ certificate: await mint() });
    test.after(() => target.close());
    const folder = folderFor(test);
    const entry = { target: `127.0.0.1:${target.port}`, pins: ['AA'.repeat(32)] };
    writeFileSync(join(folder, 'certpin.json'), JSON.stringify({ version: 2, targets: [entry] }));
    return { target, folder };
  }

  it('notifies: a drift is told once, and a receiver that is down is a warning', async (test) => {
    const { server, env } = await begin(test);
    const { folder } = await watched(test);
    const config = join(folder, 'certpin.watch.json');
    const hysteresis = { up: { drift: 1 } };
    const receivers = [{ name: 'ops', kind: 'webhook', url: server.url, secret: { env: 'SECRET' } }];
    writeFileSync(config, JSON.stringify({ hysteresis, receivers }));
    server.answer = (response) => response.writeHead(503).end();
    const run = () => certpin(['watch', '--once', '--quiet', '--config', config], { env });
    const down = await run();
    assert.match(down.stderr, /certpin: warning: notices: ops: it has answered with 503/);
    assert.equal(down.code, 1);
    server.answer = (response) => response.end();
    const until = Date.now() + 30_000;
    while (server.received.length < 2 && Date.now() < until) await run();
    const [first, second] = server.received;
    assert.equal(first?.headers['webhook-id'], second?.headers['webhook-id']);
    assert.equal(JSON.parse(second?.body ?? '{}').data.changes[0].to, 'drift');
    await run();
    assert.equal(server.received.length, 2);
  });
});
