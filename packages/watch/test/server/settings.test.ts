// The accident this prevents: the pages are open to a network because of a word in a file, or a watcher does not begin and nobody knows why.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { certificateHex, mint, startTlsServer } from '@certpin/testkit';
import { type ConfigFlags, readConfig } from '../../src/config/read-config.ts';
import { createLog } from '../../src/log.ts';
import { watch } from '../../src/watch.ts';
import { get } from './ask.ts';

const TOKEN = 'correct-horse-battery-staple-42';

/** A folder with a pins file of one real server, and a configuration. */
async function makeFolder(
  t: TestContext,
  config: object,
): Promise<{ readonly folder: string; readonly flags: ConfigFlags; readonly target: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'certpin-settings-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const certificate = await mint({ validToDays: 200 });
  const server = await startTlsServer({ certificate });
  t.after(server.close);
  const target = `${server.host}:${server.port}`;
  writeFileSync(
    join(folder, 'certpin.json'),
    JSON.stringify({ version: 2, targets: [{ target, pins: [certificateHex(certificate)] }] }),
  );
  writeFileSync(join(folder, 'certpin.watch.json'), JSON.stringify(config));
  return { folder, target, flags: { config: join(folder, 'certpin.watch.json') } };
}

/** Watches until the test ends. */
async function begin(t: TestContext, flags: ConfigFlags, env: Readonly<Record<string, string>> = {}) {
  const lines: Record<string, unknown>[] = [];
  let reload = (): void => undefined;
  const stop = new AbortController();
  let heard = (_url: string): void => undefined;
  const url = new Promise<string>((resolve) => {
    heard = resolve;
  });
  const log = createLog((line) => {
    const event = JSON.parse(line) as Record<string, unknown>;
    lines.push(event);
    if (event.event === 'listening') heard(String(event.url));
  });
  const onReload = (call: () => void): void => {
    reload = call;
  };
  const running = watch(readConfig(flags), { log, version: '1.2.3', stop: stop.signal, env, onReload });
  t.after(async () => {
    stop.abort();
    await running.catch(() => undefined);
  });
  const first = await Promise.race([url, running.then(() => assert.fail('it has ended'))]);
  return { url: first, lines, running, stop, reload: () => reload() };
}

test('a watcher shows what it has found, and takes the page away when it ends', { timeout: 30_000 }, async (t) => {
  const { flags, target } = await makeFolder(t, { listen: { address: '127.0.0.1:0' }, timeZone: 'Europe/Berlin' });
  const { url, stop, running } = await begin(t, flags);
  for (;;) {
    const { counts } = JSON.parse((await get(url, '/index.json')).body);
    if (counts.holds === 1) break;
    await wait(100);
  }
  while ((await get(url, '/readyz')).status !== 200) await wait(100);
  const { body } = await get(url, '/targets', { headers: { accept: 'text/html' } });
  assert.ok(body.includes(target));
  assert.match(body, /times in Europe\/Berlin/);
  stop.abort();
  await running;
  await assert.rejects(get(url, '/healthz'));
});

test('token and key stand in files and variables; a reload takes the renewed certificate, and keeps the old one where the new one is broken', async (t) => {
  const [first, second] = [await mint({ names: ['watch.example.com'] }), await mint({ names: ['watch.example.com'] })];
  const listen = {
    address: '127.0.0.1:0',
    tls: { certificate: 'server.crt', key: { file: 'server.key' } },
    token: { env: 'WATCH_TOKEN' },
  };
  const { folder, flags } = await makeFolder(t, { listen });
  const put = ({ certPem, keyPem }: { certPem: string; keyPem: string }): void => {
    writeFileSync(join(folder, 'server.crt'), certPem);
    writeFileSync(join(folder, 'server.key'), keyPem);
  };
  put(first);
  const { url, lines, reload } = await begin(t, flags, { WATCH_TOKEN: TOKEN });
  const asked = (ca: string) =>
    get(url, '/index.json', { ca, servername: 'watch.example.com', headers: { authorization: `Bearer ${TOKEN}` } });
  assert.equal((await asked(first.certPem)).status, 200);
  put(second);
  reload();
  assert.equal((await asked(second.certPem)).status, 200);
  await assert.rejects(asked(first.certPem));
  put({ certPem: first.certPem, keyPem: second.keyPem });
  reload();
  assert.equal((await asked(second.certPem)).status, 200);
  assert.ok(lines.some(({ event }) => event === 'tls-unchanged'));
  const logged = JSON.stringify(lines);
  assert.ok(!logged.includes(TOKEN) && !logged.includes('PRIVATE'), logged);
});

test('what cannot be listened at, or would be open to anybody, is one clear sentence', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  t.after(() => taken.close());
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };
  const refused: [object, RegExp][] = [
    [{ address: '0.0.0.0:9733' }, /no loopback address/],
    [{ address: '9733' }, /HOST:PORT/],
    [{ address: `127.0.0.1:${port}` }, /another program listens there/],
    [
      { address: '192.0.2.77:9733', token: { env: 'T' }, behindProxy: true, names: ['x.example'] },
      /this machine has no such address/,
    ],
    [{ token: { env: 'MISSING' } }, /MISSING: there is no secret in it/],
    [{ tls: { certificate: 'gone.crt', key: { env: 'T' } } }, /gone\.crt/],
    [{ tls: { certificate: 'certpin.json', key: { env: 'T' } } }, /certificate or key cannot be used/],
  ];
  for (const [listen, message] of refused) {
    const { flags } = await makeFolder(t, { listen });
    const stop = AbortSignal.timeout(5000);
    const host = { log: () => undefined, version: '1', stop, env: { T: TOKEN }, onReload: () => undefined };
    await assert.rejects(watch(readConfig(flags), host), (error: Error) => {
      assert.match(error.message, message);
      assert.ok(!error.message.includes(TOKEN));
      return true;
    });
  }
  const { flags } = await makeFolder(t, {});
  assert.throws(() => readConfig({ ...flags, timeZone: 'Mars/Olympus' }), /time zone/);
  assert.equal(readConfig(flags).listen.address, '127.0.0.1:9733');
  assert.equal(readConfig({ ...flags, listen: 'none' }).listen.address, 'none');
  const { flags: secret } = await makeFolder(t, { listen: { token: TOKEN } });
  assert.throws(
    () => readConfig(secret),
    (error: Error) => /\{ "file": PATH \} or \{ "env": NAME \}/.test(error.message) && !error.message.includes(TOKEN),
  );
});
