import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Webhook } from 'standardwebhooks';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { folderFor, type HttpReceiver, SECRET, startReceiver, transition } from './support.ts';

const CHILD = fileURLToPath(new URL('child.ts', import.meta.url));
/** More than a lease. */
const LATER_MS = 100_000;

describe('kill -9', () => {
  let server: HttpReceiver;
  before(async () => {
    server = await startReceiver();
  });
  after(() => server.close());

  const storeFor = (test: TestContext): string => join(folderFor(test), 'watch.sqlite');

  const put = async (path: string, label: string): Promise<void> => {
    const store = openSqliteStore(path, { watches: true });
    const one = transition({ label, key: label, at: Date.now() - 1_000 });
    await store.recordWatcher({}, [{ transition: one, receivers: ['ops'] }]);
    await store.close();
  };

  const start = (path: string, aheadMs: number) => {
    const args = ['--no-warnings', '--import', 'tsx', CHILD, path, server.url, String(aheadMs)];
    const child = spawn(process.execPath, args, {
      env: { ...process.env, SECRET },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return { child, ended: once(child, 'exit'), ready: once(child.stdout, 'data') };
  };

  const idsOf = (): (string | undefined)[] =>
    server.received.map(({ headers }) => headers['webhook-id'] as string | undefined);

  it('between sending and marking: one repeat, with the same webhook-id and body, and then silence', async (test) => {
    const path = storeFor(test);
    server.received.length = 0;
    await put(path, 'a:1');
    const first = start(path, 0);
    server.answer = () => first.child.kill('SIGKILL'); // it has arrived, and nobody will ever say so
    assert.equal((await first.ended)[1], 'SIGKILL');
    server.answer = (response) => response.end();
    // The lease of the killed one still holds.
    assert.deepEqual(await start(path, 0).ended, [0, null]);
    assert.equal(server.received.length, 1);
    assert.deepEqual(await start(path, LATER_MS).ended, [0, null]);
    assert.deepEqual(await start(path, 2 * LATER_MS).ended, [0, null]);
    const [one, repeat] = server.received;
    assert.equal(server.received.length, 2);
    assert.equal(one?.headers['webhook-id'], repeat?.headers['webhook-id']);
    assert.equal(one?.body, repeat?.body);
    for (const { headers, body } of server.received)
      new Webhook(SECRET).verify(body, headers as Record<string, string>);
  });

  it('at random moments: each notice arrives, and a repeat has the same webhook-id', async (test) => {
    const path = storeFor(test);
    server.received.length = 0;
    server.answer = (response) => void setTimeout(() => response.end(), 3);
    const rounds = 12;
    let killed = 0;
    for (let round = 0; round < rounds; round++) {
      await put(path, `t${round}:1`);
      const { child, ended, ready } = start(path, round * LATER_MS);
      await Promise.race([ready, ended]);
      await delay(Math.random() * 250);
      child.kill('SIGKILL');
      if ((await ended)[1] === 'SIGKILL') killed++;
    }
    assert.deepEqual(await start(path, rounds * LATER_MS).ended, [0, null]);
    assert.deepEqual(await start(path, (rounds + 1) * LATER_MS).ended, [0, null]);
    test.diagnostic(`${killed} of ${rounds} were killed, ${server.received.length} requests`);
    assert.ok(killed > 0, 'some were killed before they had ended');
    const bodyOf = new Map<string, string>();
    const idOf = new Map<string, string>();
    for (const [index, { body }] of server.received.entries()) {
      const id = idsOf()[index] as string;
      assert.equal(bodyOf.get(id) ?? body, body, 'the same id is the same body');
      bodyOf.set(id, body);
      for (const { target } of JSON.parse(body).data.changes) {
        assert.equal(idOf.get(target) ?? id, id, `${target} is in one message alone`);
        idOf.set(target, id);
      }
    }
    assert.deepEqual([...idOf.keys()].sort(), Array.from({ length: rounds }, (_, round) => `t${round}:1`).sort());
  });
});
