import assert from 'node:assert/strict';
import dns from 'node:dns';
import { once } from 'node:events';
import { type AddressInfo, createServer as createNetServer } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { certificateHex, type Minted, mint, startHttpsServer, startTlsServer } from '@certpin/testkit';
import { HTTP } from 'cloudevents';
import { Webhook } from 'standardwebhooks';
import { createReceivers } from '../../src/notices/create-receivers.ts';
import type { Outcome, Receiver } from '../../src/notices/receiver.ts';
import type { ReceiverSettings } from '../../src/notices/settings.ts';
import { tryReceivers } from '../../src/notices/try-receivers.ts';
import { HOSTILE, type HttpReceiver, message, SECRET, secrets, startReceiver, transition } from './support.ts';

const source = 'urn:certpin:watch:host';
const make = async (settings: ReceiverSettings, values: Record<string, string> = { SECRET }): Promise<Receiver> => {
  const [receiver] = await createReceivers([settings], { source, readSecret: secrets(values) });
  return receiver as Receiver;
};
const secret = { env: 'SECRET' };
const limit = (ms = 5_000): AbortSignal => AbortSignal.timeout(ms);
const deliver = (receiver: Receiver, ms?: number): Promise<Outcome> =>
  receiver.deliver(message([transition()]), 'whole', limit(ms));

describe('a webhook', () => {
  let server: HttpReceiver;
  let webhook: Receiver;
  before(async () => {
    server = await startReceiver();
    webhook = await make({ name: 'ops', kind: 'webhook', url: `${server.url}hook?x=1`, secret });
  });
  after(() => server.close());
  beforeEach(() => {
    server.received.length = 0;
    server.answer = (response) => response.end();
  });

  it('is signed, and both foreign packages take it', async () => {
    for (const reason of ['usual', ...HOSTILE]) {
      const one = message([transition({ reason })]);
      assert.equal((await webhook.deliver(one, 'whole', limit())).result, 'delivered');
      const { headers, body, path } = server.received.at(-1) as (typeof server.received)[number];
      assert.equal(path, '/hook?x=1');
      assert.equal(headers['webhook-id'], one.id);
      new Webhook(SECRET).verify(body, headers as Record<string, string>);
      const event = HTTP.toEvent({ headers, body });
      assert.equal((event as { id: string }).id, one.id);
    }
  });

  it('the same message is the same id and body at the next attempt, with a time of its own', async () => {
    const one = message([transition()]);
    await webhook.deliver(one, 'whole', limit());
    await webhook.deliver({ ...one, attempts: 3 }, 'whole', limit());
    const [first, second] = server.received;
    assert.equal(first?.body, second?.body);
    assert.equal(first?.headers['webhook-id'], second?.headers['webhook-id']);
  });

  for (const [status, result] of [
    ...[200, 201, 202, 204].map((status) => [status, 'delivered'] as const),
    ...[301, 302, 307, 308, 400, 401, 403, 404, 410, 413, 422].map((status) => [status, 'refused'] as const),
    ...[408, 425, 429, 500, 502, 503, 504, 599].map((status) => [status, 'failed'] as const),
  ]) {
    it(`${status} means ${result}`, async () => {
      server.answer = (response) =>
        response.writeHead(status, { location: `${server.url}elsewhere` }).end('secret words');
      const outcome = await deliver(webhook);
      assert.equal(outcome.result, result);
      assert.match(outcome.detail, new RegExp(`^it has answered with ${status}`));
      assert.doesNotMatch(outcome.detail, /secret words/);
      assert.equal(server.received.length, 1, 'no redirect is followed');
    });
  }

  for (const [text, expected] of [
    ['120', 120_000],
    [new Date(Date.now() + 3_600_000).toUTCString(), 3_600_000],
    [new Date(Date.now() - 3_600_000).toUTCString(), 0],
    ['-5', undefined],
    ['1e9', undefined],
    ['soon', undefined],
    ['', undefined],
  ] as const) {
    it(`Retry-After: ${text.replace(/\d\d:.*/, '…') || '(empty)'} is ${expected ?? 'not understood'}`, async () => {
      server.answer = (response) => response.writeHead(429, { 'retry-after': text }).end();
      const outcome = await deliver(webhook);
      assert.ok(outcome.result === 'failed');
      if (expected === undefined) assert.equal(outcome.retryAfterMs, undefined);
      else assert.ok(Math.abs((outcome.retryAfterMs as number) - expected) < 3_000, String(outcome.retryAfterMs));
    });
  }

  it('an attempt ends in its time: no answer, a slow head, a head without end', async () => {
    const timers: NodeJS.Timeout[] = [];
    for (const answer of [
      () => undefined,
      (response: import('node:http').ServerResponse) => {
        timers.push(setInterval(() => response.socket?.write('HTTP/1.1 200 OK\r\nx-a: '), 50));
      },
      (response: import('node:http').ServerResponse) =>
        response.socket?.write(`HTTP/1.1 200 OK\r\n${'x-a: b\r\n'.repeat(50_000)}`),
    ]) {
      server.answer = answer;
      const begun = performance.now();
      assert.equal((await deliver(webhook, 300)).result, 'failed');
      assert.ok(performance.now() - begun < 2_000);
    }
    for (const timer of timers) clearInterval(timer);
  });

  it('a body without end behind 200 is not read', async () => {
    const endless = 500_000_000;
    let written = 0;
    let isClosed = false;
    server.answer = (response) => {
      const more = (): void => {
        if (response.destroyed || written >= endless) return;
        written += 65_536;
        response.write('x'.repeat(65_536), more);
      };
      response.writeHead(200).once('close', () => {
        isClosed = true;
      });
      more();
    };
    assert.equal((await deliver(webhook, 60_000)).result, 'delivered');
    for (let count = 0; count < 500 && !isClosed && written < endless; count++) await delay(10);
    assert.ok(isClosed, `the connection is closed (${written} bytes)`);
    assert.ok(written < endless / 10, String(written));
  });

  it('what is no HTTP, what hangs up, and nobody at all, are failures without a secret', async (test) => {
    const net = createNetServer((socket) => socket.end('SSH-2.0-x\r\n\u001b[2J')).listen(0, '127.0.0.1');
    await once(net, 'listening');
    test.after(() => net.close());
    const { port } = net.address() as AddressInfo;
    server.answer = (response) => response.destroy();
    const places = [
      `http://127.0.0.1:${port}/path-secret`,
      'http://127.0.0.1:1/path-secret',
      `${server.url}path-secret`,
    ];
    for (const url of places) {
      const outcome = await deliver(
        await make({ name: 'ops', kind: 'webhook', url: { env: 'URL' }, secret }, { SECRET, URL: url }),
      );
      assert.equal(outcome.result, 'failed');
      assert.doesNotMatch(outcome.detail, /path-secret|whsec|\p{Cc}/u);
    }
  });

  it('sends the header of its configuration, read anew each time', async () => {
    const values: Record<string, string> = { SECRET, TOKEN: 'Bearer one' };
    const settings = {
      name: 'ops',
      kind: 'webhook',
      url: server.url,
      secret,
      authorization: { env: 'TOKEN' },
    } as const;
    const receiver = await make(settings, values);
    await deliver(receiver);
    values.TOKEN = 'Bearer two';
    await deliver(receiver);
    assert.deepEqual(
      server.received.map(({ headers }) => headers.authorization),
      ['Bearer one', 'Bearer two'],
    );
  });
});

describe('a receiver with a self-signed certificate', () => {
  let certificate: Minted;
  before(async () => {
    certificate = await mint();
  });

  it('is refused without pins, taken with the right one, and gets not a byte with a wrong one', async (test) => {
    const server = await startHttpsServer({ certificate });
    test.after(() => server.close());
    const settings = { name: 'ops', kind: 'webhook', url: `https://localhost:${server.port}/`, secret } as const;
    const unpinned = await deliver(await make(settings));
    assert.equal(unpinned.result, 'failed');
    assert.match(unpinned.detail, /self-signed certificate/);
    assert.equal(server.received(), 0);
    assert.equal((await deliver(await make({ ...settings, pins: [certificateHex(certificate)] }))).result, 'delivered');
    assert.match(server.receivedText(), /webhook-signature: v1,/);
    server.forget();
    const other = await mint({ subject: 'CN=\u001b[2J<!channel>' });
    server.present(other);
    const wrong = await deliver(await make({ ...settings, pins: [certificateHex(certificate)] }));
    assert.equal(wrong.result, 'failed');
    assert.match(wrong.detail, /pin mismatch/);
    assert.doesNotMatch(wrong.detail, /\p{Cc}/u);
    assert.equal(server.received(), 0);
  });

  it('is held to its time where the handshake never ends', async (test) => {
    const silent = createNetServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    test.after(() => silent.close());
    const { port } = silent.address() as AddressInfo;
    const receiver = await make({
      name: 'ops',
      kind: 'webhook',
      url: `https://127.0.0.1:${port}/`,
      secret,
      pins: ['AA'.repeat(32)],
    });
    assert.deepEqual(await deliver(receiver, 300), { result: 'failed', detail: 'there was no answer in time' });
  });

  it('is refused where it speaks TLS and no HTTP', async (test) => {
    const server = await startTlsServer({ certificate });
    test.after(() => server.close());
    const settings = { name: 'ops', kind: 'webhook', url: `https://localhost:${server.port}/`, secret } as const;
    assert.equal((await deliver(await make({ ...settings, pins: [certificateHex(certificate)] }))).result, 'failed');
  });
});

describe('http: at localhost', () => {
  const kinds = ['webhook', 'slack', 'teams', 'alertmanager'] as const;
  const settingsOf = (kind: (typeof kinds)[number], url: string): ReceiverSettings => {
    if (kind === 'webhook') return { name: kind, kind, url, secret };
    return kind === 'alertmanager' ? { name: kind, kind, url } : { name: kind, kind, url: { env: 'URL' } };
  };

  for (const kind of kinds) {
    it(`${kind}: not a byte goes to another machine, whatever a resolver says`, async (test) => {
      let bytes = 0;
      const server = createNetServer((socket) => {
        socket.on('error', () => undefined);
        socket.on('data', (chunk) => {
          bytes += chunk.length;
          socket.end('HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n');
        });
      }).listen(0, '0.0.0.0');
      await once(server, 'listening');
      test.after(() => server.close());
      let address = '127.0.0.1';
      const lookup = (_: string, { all }: dns.LookupOptions, done: (...values: unknown[]) => void): void =>
        all ? done(null, [{ address, family: 4 }]) : done(null, address, 4);
      test.mock.method(dns, 'lookup', lookup as never);
      const url = `http://localhost:${(server.address() as AddressInfo).port}/`;
      const receiver = await make(settingsOf(kind, url), { SECRET, URL: url });
      assert.equal((await deliver(receiver)).result, 'delivered');
      assert.ok(bytes > 0);
      bytes = 0;
      // Another address, at which this server can be heard too.
      address = '0.0.0.0';
      const { result, detail } = await deliver(receiver);
      assert.equal(bytes, 0);
      assert.equal(result, 'failed');
      assert.equal(detail, 'localhost is 0.0.0.0 here, and not this machine: write 127.0.0.1');
      const open = await make({ ...settingsOf(kind, url), plaintext: 'accept' } as ReceiverSettings, {
        SECRET,
        URL: url,
      });
      assert.equal(
        (await deliver(open)).result,
        'delivered',
        'where plain text is accepted, the name may lead anywhere',
      );
    });
  }
});

describe('Slack and Teams', () => {
  it('get JSON at an address that is a secret', async (test) => {
    const server = await startReceiver();
    test.after(() => server.close());
    for (const kind of ['slack', 'teams'] as const) {
      const receiver = await make(
        { name: kind, kind, url: { env: 'URL' } },
        { URL: `${server.url}services/T0/B0/xyz` },
      );
      assert.equal((await deliver(receiver)).result, 'delivered');
      const { path, headers, body } = server.received.at(-1) as (typeof server.received)[number];
      assert.equal(path, '/services/T0/B0/xyz');
      assert.match(headers['content-type'] as string, /^application\/json/);
      assert.ok(JSON.parse(body));
    }
  });
});

describe('createReceivers refuses', () => {
  const webhook = { name: 'ops', kind: 'webhook', url: 'https://hooks.example.com/', secret } as const;
  const values = {
    SECRET,
    BAD: 'password-1',
    URL: 'https://user:password-2@example.com/',
    PLAIN: 'http://example.com/password-3',
    TOKEN: 'a\r\nx: password-4',
  };
  const cases: readonly (readonly [string, ReceiverSettings, RegExp])[] = [
    ['a secret that is none', { ...webhook, secret: { env: 'BAD' } }, /receiver ops: secret: it is whsec_/],
    ['a secret that is not there', { ...webhook, secret: { env: 'NONE' } }, /receiver ops: NONE is not set/],
    ['no URL', { ...webhook, url: { env: 'BAD' } }, /receiver ops: url: it is https:/],
    ['another scheme', { ...webhook, url: 'file:///etc/passwd' }, /url: it is https:/],
    ['a password in the URL', { ...webhook, url: { env: 'URL' } }, /url: a password in it/],
    ['http: to another machine', { ...webhook, url: { env: 'PLAIN' } }, /url: http: can be read/],
    [
      'http: to a name that looks like this one',
      { ...webhook, url: 'http://127.0.0.1.example.com/' },
      /url: http: can be read/,
    ],
    [
      'http: with pins',
      { ...webhook, url: 'http://127.0.0.1/', pins: ['AA'.repeat(32)] },
      /url: http: has no certificate/,
    ],
    ['a pin that is none', { ...webhook, pins: ['password-5'] }, /receiver ops: /],
    ['no pin at all', { ...webhook, pins: [] }, /receiver ops: /],
    ['two lines in a header', { ...webhook, authorization: { env: 'TOKEN' } }, /authorization: it is the value/],
    ['a secret address that is none', { name: 'chat', kind: 'slack', url: { env: 'BAD' } }, /receiver chat: url/],
    ['mail to two', mail({ to: 'a@example.com, b@example.com' }), /from and to: each is one address/],
    ['mail with a second header', mail({ from: 'a@example.com\r\nBcc: b@example.com' }), /from and to/],
    ['mail with a name', mail({ to: 'Ops <ops@example.com>' }), /from and to/],
    ['mail without TLS to another machine', mail({ tls: 'none' }), /tls: without TLS/],
    ['a user without a password', mail({ user: 'ops' }), /user and password/],
    ['a pin of the mail server that is none', mail({ pins: ['password-6'] }), /receiver mail: /],
  ];
  for (const [what, settings, expected] of cases) {
    it(what, async () => {
      await assert.rejects(make(settings, values), (error: Error) => {
        assert.match(error.message, expected);
        assert.doesNotMatch(error.message, /password-\d/);
        return true;
      });
    });
  }

  it('two of one name', async () => {
    await assert.rejects(
      createReceivers([webhook, webhook], { source, readSecret: secrets(values) }),
      /two are called ops/,
    );
  });

  it('and takes http: on this machine, and elsewhere where that is accepted', async () => {
    for (const url of ['http://127.0.0.1:9/', 'http://localhost/', 'http://[::1]:80/']) await make({ ...webhook, url });
    await make({ ...webhook, url: 'http://alertmanager:9093/', plaintext: 'accept' });
  });
});

function mail(change: object): ReceiverSettings {
  return {
    name: 'mail',
    kind: 'mail',
    host: 'mail.example.com',
    from: 'a@example.com',
    to: 'b@example.com',
    ...change,
  };
}

describe('the test notice', () => {
  it('goes to each, and says what became of it', async (test) => {
    const server = await startReceiver();
    test.after(() => server.close());
    const receivers = await createReceivers(
      [
        { name: 'hook', kind: 'webhook', url: server.url, secret },
        { name: 'chat', kind: 'slack', url: { env: 'URL' } },
        { name: 'gone', kind: 'webhook', url: 'http://127.0.0.1:1/', secret },
      ],
      { source, readSecret: secrets({ SECRET, URL: server.url }) },
    );
    const tried = await tryReceivers(receivers);
    assert.deepEqual(
      tried.map(({ receiver, outcome }) => [receiver, outcome.result]),
      [
        ['hook', 'delivered'],
        ['chat', 'delivered'],
        ['gone', 'failed'],
      ],
    );
    assert.match(server.received.map(({ body }) => body).join(), /test notice/);
  });
});
