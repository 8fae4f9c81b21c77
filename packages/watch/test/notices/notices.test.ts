import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { readConfig, type WatchConfig } from '../../src/config/read-config.ts';
import { createReceivers } from '../../src/notices/create-receivers.ts';
import { createNotices } from '../../src/notices/notices.ts';
import type { ReceiverSettings } from '../../src/notices/settings.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import type { Store } from '../../src/store/store.ts';
import { testNotices } from '../../src/watch.ts';
import { folderFor, SECRET, secrets, startReceiver, transition } from './support.ts';

async function put(store: Store, label: string, ...receivers: string[]): Promise<void> {
  await store.recordWatcher({}, [
    { transition: transition({ label, key: label, at: Date.now() - 60_000 }), receivers },
  ]);
}

async function begin(test: TestContext, settings: readonly ReceiverSettings[]) {
  const store = openSqliteStore(join(folderFor(test), 'watch.sqlite'), { watches: true });
  test.after(() => store.close());
  const logged: string[] = [];
  const log = (event: string, fields: object = {}): unknown => logged.push(JSON.stringify({ event, ...fields }));
  const receivers = await createReceivers(settings, {
    source: 'urn:certpin:watch:host',
    readSecret: secrets({ SECRET }),
  });
  return { store, receivers, logged, log, notices: createNotices({ store, receivers, settings, log }) };
}

const until = async (isTrue: () => boolean): Promise<void> => {
  for (let count = 0; count < 500 && !isTrue(); count++) await delay(20);
  assert.ok(isTrue(), 'it took too long');
};

describe('notices', () => {
  it('are brought to each receiver, whatever the others do, and a poke wakes them', async (test) => {
    const [fast, slow] = [await startReceiver(), await startReceiver()];
    test.after(() => Promise.all([fast.close(), slow.close()]));
    slow.answer = () => undefined; // for as long as it is asked
    const { store, notices } = await begin(test, [
      { name: 'fast', kind: 'webhook', url: fast.url, secret: { env: 'SECRET' } },
      { name: 'slow', kind: 'webhook', url: slow.url, secret: { env: 'SECRET' } },
    ]);
    await put(store, 'a:1', 'fast', 'slow');
    const stop = new AbortController();
    const ended = notices.run(stop.signal);
    await until(() => fast.received.length === 1 && slow.received.length === 1);
    await put(store, 'b:1', 'fast');
    const begun = performance.now();
    notices.poke();
    await until(() => fast.received.length === 2);
    assert.ok(performance.now() - begun < 5_000);
    // The attempt under way gets its grace, and no more.
    const stopped = performance.now();
    stop.abort();
    await ended;
    assert.ok(performance.now() - stopped < 6_000, 'it ends within seconds');
    const [, waiting] = await store.outboxCounts();
    assert.deepEqual([waiting?.receiver, waiting?.waiting, waiting?.failedAttempts], ['slow', 1, 1], 'nothing is lost');
  });

  it('of a receiver that is in the configuration no more are dropped, and that is said', async (test) => {
    const server = await startReceiver();
    test.after(() => server.close());
    const { store, notices, logged } = await begin(test, [
      { name: 'new', kind: 'webhook', url: server.url, secret: { env: 'SECRET' } },
    ]);
    await put(store, 'a:1', 'old', 'new');
    await notices.flush(new AbortController().signal);
    assert.equal(server.received.length, 1);
    assert.match(logged.join('\n'), /"notices-dropped","transitions":1/);
    assert.deepEqual(
      (await store.outboxCounts()).map(({ receiver, waiting }) => [receiver, waiting]),
      [['new', 0]],
    );
  });

  it('go on after an error that nobody expected: it is told once, and so is its end', async (test) => {
    const server = await startReceiver();
    test.after(() => server.close());
    const settings = [{ name: 'ops', kind: 'webhook' as const, url: server.url, secret: { env: 'SECRET' } }];
    const { store, receivers, logged, log } = await begin(test, settings);
    let failures = 0;
    const broken: Store = {
      ...store,
      claimMessage: (claim) => {
        if (failures++ < 3) throw new TypeError('row is undefined');
        return store.claimMessage(claim);
      },
    };
    const notices = createNotices({ store: broken, receivers, settings, log });
    await put(store, 'a:1', 'ops');
    const stop = new AbortController();
    const ended = notices.run(stop.signal);
    for (let count = 1; count <= 3; count++) {
      await until(() => failures >= count); // it may have been called again by itself meanwhile
      notices.poke();
    }
    await until(() => logged.some((line) => line.includes('notice-sent')));
    stop.abort();
    await ended;
    const told = logged.filter((line) => line.includes('"notices-'));
    assert.deepEqual(told, [
      '{"event":"notices-failed","receiver":"ops","error":"TypeError: row is undefined"}',
      '{"event":"notices-go-on","receiver":"ops"}',
    ]);
  });

  it('log lines hold no secret and no text of a peer', async (test) => {
    const server = await startReceiver();
    test.after(() => server.close());
    server.answer = (response, { headers }) => response.writeHead(400, `${headers['webhook-signature']}`).end(SECRET);
    const { store, notices, logged } = await begin(test, [
      { name: 'ops', kind: 'webhook', url: `${server.url}path-secret`, secret: { env: 'SECRET' } },
    ]);
    await put(store, 'a:1', 'ops');
    await notices.flush(new AbortController().signal);
    const text = logged.join('\n');
    assert.match(text, /"notice-refused".*"it has answered with 400"/);
    assert.doesNotMatch(text, /path-secret|whsec_|v1,/);
    assert.ok(!text.includes(SECRET.slice(6)));
  });
});

describe('receivers in certpin.watch.json', () => {
  const configOf = (test: TestContext, value: unknown): WatchConfig => {
    const folder = folderFor(test);
    mkdirSync(join(folder, 'secrets'));
    writeFileSync(join(folder, 'secrets', 'webhook'), `${SECRET}\n`, { mode: 0o600 });
    const path = join(folder, 'certpin.watch.json');
    writeFileSync(path, JSON.stringify(value));
    return readConfig({ config: path });
  };
  const webhook = {
    name: 'ops',
    kind: 'webhook',
    url: 'https://hooks.example.com/',
    secret: { file: 'secrets/webhook' },
  };

  it('are read, and tried', async (test) => {
    const server = await startReceiver();
    test.after(() => server.close());
    const config = configOf(test, {
      name: 'berlin-1',
      receivers: [
        { ...webhook, url: server.url },
        { name: 'chat', kind: 'slack', url: { env: 'CHAT' } },
      ],
    });
    const tried = await testNotices(config, [], { CHAT: server.url });
    assert.deepEqual(
      tried.map(({ receiver, outcome: { result } }) => [receiver, result]),
      [
        ['ops', 'delivered'],
        ['chat', 'delivered'],
      ],
    );
    const event = server.received.find(({ body }) => body.includes('specversion'));
    assert.equal(JSON.parse(event?.body ?? '{}').source, 'urn:certpin:watch:berlin-1');
    assert.equal((await testNotices(config, ['ops'], {})).length, 1);
    await assert.rejects(
      testNotices(config, ['nobody'], {}),
      /no receiver is called nobody; the configuration has ops, chat/,
    );
    await assert.rejects(testNotices({ ...config, receivers: [] }, [], {}), /the configuration has no receivers/);
  });

  const valid = [
    webhook,
    {
      ...webhook,
      secret: [{ env: 'A' }, { file: 'b' }],
      authorization: { env: 'C' },
      pins: ['AA'.repeat(32)],
      states: ['drift'],
      remarks: ['no-backup-pin'],
      remindAfterHours: 0,
    },
    { name: 'a', kind: 'teams', url: { file: 'x' } },
    { name: 'a', kind: 'alertmanager', url: 'http://localhost:9093', states: ['drift'], plaintext: 'accept' },
    {
      name: 'a',
      kind: 'mail',
      host: 'mail.example.com',
      from: 'a@b.example',
      to: 'c@d.example',
      tls: 'starttls',
      port: 587,
      user: 'u',
      password: { env: 'P' },
    },
    { name: 'a', kind: 'command', command: ['/bin/true', ''] },
  ];
  for (const receiver of valid) {
    it(`takes ${JSON.stringify(receiver).slice(0, 60)}`, (test) => {
      const { receivers } = configOf(test, { receivers: [receiver] });
      assert.equal(JSON.stringify(receivers), JSON.stringify([receiver]));
    });
  }

  for (const [what, receiver, expected] of [
    ['a secret in the file', { ...webhook, secret: SECRET }, /"receivers\.0\.secret" is where the secret stands/],
    [
      'a secret address in the file',
      { name: 'a', kind: 'slack', url: 'https://hooks.slack.com/services/x' },
      /"receivers\.0\.url" is where the secret stands/,
    ],
    [
      'a password in the file',
      { ...valid[4], password: 'correct horse' },
      /"receivers\.0\.password" is where the secret stands/,
    ],
    ['an unknown kind', { ...webhook, kind: 'pager' }, /receivers\.0/],
    ['no kind', { name: 'a' }, /receivers\.0/],
    ['a key of another kind', { ...webhook, host: 'x' }, /unknown key "host"/],
    ['a misspelt key', { ...webhook, pin: ['x'] }, /unknown key "pin"; did you mean "pins"\?/],
    [
      'a state that there is not',
      { ...webhook, states: ['broken'] },
      /"receivers\.0\.states\.0" is one of holds, rotated/,
    ],
    ['a name with a line', { ...webhook, name: 'a\nb' }, /receivers\.0\.name/],
    ['an empty command', { name: 'a', kind: 'command', command: [] }, /receivers\.0\.command/],
    ['a command as one text', { name: 'a', kind: 'command', command: 'rm -rf /' }, /receivers\.0\.command/],
    ['http: as a word', { ...webhook, plaintext: true }, /receivers\.0\.plaintext/],
  ] as const) {
    it(`refuses ${what}`, (test) => {
      assert.throws(
        () => configOf(test, { receivers: [receiver] }),
        (error: Error) => {
          assert.match(error.message, expected);
          assert.doesNotMatch(error.message, /whsec_|hooks\.slack|correct horse/);
          return true;
        },
      );
    });
  }
});
