import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { certificateHex, credentials, type Minted, mint, publicKeyPin } from '@certpin/testkit';
import PostalMime from 'postal-mime';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { createReceivers } from '../../src/notices/create-receivers.ts';
import type { Outcome, Receiver } from '../../src/notices/receiver.ts';
import type { MailSettings } from '../../src/notices/settings.ts';
import type { Message } from '../../src/types.ts';
import { HOSTILE, message, secrets, transition } from './support.ts';

const PASSWORD = 'correct horse';

interface MailServer {
  readonly port: number;
  /** What arrived: the envelope, and the text as it came. */
  readonly mails: { readonly from: string; readonly to: readonly string[]; readonly raw: string }[];
  /** Everything that was said over TLS, or without it. */
  readonly users: string[];
}

/** A server of the package smtp-server, which is not ours. */
async function startMailServer(
  test: TestContext,
  certificate: Minted,
  options: SMTPServerOptions = {},
): Promise<MailServer> {
  const mails: MailServer['mails'] = [];
  const users: string[] = [];
  const server = new SMTPServer({
    ...credentials(certificate),
    authOptional: true,
    logger: false,
    onAuth: ({ username, password }, _, done) => {
      users.push(String(username));
      if (password === PASSWORD) done(null, { user: username });
      else done(new Error(`wrong: ${password}`));
    },
    onData: (stream, { envelope: { mailFrom, rcptTo } }, done) => {
      let raw = '';
      stream.setEncoding('latin1').on('data', (chunk) => {
        raw += chunk;
      });
      stream.on('end', () => {
        mails.push({ from: mailFrom ? mailFrom.address : '', to: rcptTo.map(({ address }) => address), raw });
        done();
      });
    },
    ...options,
  });
  server.on('error', () => undefined);
  await new Promise<void>((listening) => {
    server.listen(0, '127.0.0.1', listening);
  });
  test.after(() => new Promise<void>((closed) => server.close(closed)));
  return { port: (server.server.address() as AddressInfo).port, mails, users };
}

const make = async (settings: Partial<MailSettings>): Promise<Receiver> => {
  const [receiver] = await createReceivers(
    [
      {
        name: 'mail',
        kind: 'mail',
        host: '127.0.0.1',
        from: 'certpin@example.com',
        to: 'ops@example.com',
        ...settings,
      },
    ],
    { source: 'urn:certpin:watch:host', readSecret: secrets({ PASSWORD, WRONG: 'wrong horse' }) },
  );
  return receiver as Receiver;
};
const deliver = (receiver: Receiver, one: Message = message([transition()]), ms = 10_000): Promise<Outcome> =>
  receiver.deliver(one, 'whole', AbortSignal.timeout(ms));

describe('mail', () => {
  for (const tls of ['implicit', 'starttls'] as const) {
    const secure = tls === 'implicit';

    it(`over ${tls}, to a self-signed server with its pin, with a login`, async (test) => {
      const certificate = await mint();
      const server = await startMailServer(test, certificate, { secure, authOptional: false });
      const login = { user: 'certpin', password: { env: 'PASSWORD' } };
      for (const pin of [certificateHex(certificate), await publicKeyPin(certificate)]) {
        const one = message([transition()]);
        assert.deepEqual(await deliver(await make({ tls, port: server.port, pins: [pin], ...login }), one), {
          result: 'delivered',
          detail: 'the server has taken it',
        });
        const { from, to, raw } = server.mails.at(-1) as (typeof server.mails)[number];
        assert.deepEqual([from, to], ['certpin@example.com', ['ops@example.com']]);
        const mail = await PostalMime.parse(raw);
        assert.equal(mail.subject, 'certpin: db1.example.com:5432: drift');
        assert.equal(mail.messageId, `<${one.id}@example.com>`, 'the same at every attempt');
        assert.match(mail.text ?? '', /^- db1\.example\.com:5432: drift \(before: holds\)/m);
        assert.equal(mail.html, undefined);
      }
    });

    it(`over ${tls}: another server hears no user, no password, and no mail`, async (test) => {
      const [certificate, other] = [await mint(), await mint()];
      const server = await startMailServer(test, other, { secure });
      const login = { user: 'certpin', password: { env: 'PASSWORD' } };
      const pinned = await deliver(
        await make({ tls, port: server.port, pins: [certificateHex(certificate)], ...login }),
      );
      assert.equal(pinned.result, 'failed');
      assert.match(pinned.detail, /pin mismatch/);
      const unpinned = await deliver(await make({ tls, port: server.port, ...login }));
      assert.equal(unpinned.result, 'failed');
      assert.match(unpinned.detail, /self-signed certificate/);
      assert.deepEqual([server.users, server.mails], [[], []]);
    });
  }

  it('without TLS, on this machine alone', async (test) => {
    const server = await startMailServer(test, await mint());
    assert.equal((await deliver(await make({ tls: 'none', port: server.port }))).result, 'delivered');
  });

  for (const [code, result] of [
    [421, 'failed'],
    [450, 'failed'],
    [451, 'failed'],
    [550, 'refused'],
    [554, 'refused'],
  ] as const) {
    it(`${code} means ${result}, and what the server says is repeated to nobody`, async (test) => {
      const certificate = await mint();
      const refuse = (done: (error: Error) => void): void =>
        done(Object.assign(new Error(`${PASSWORD}\u001b[2J`), { responseCode: code }));
      const server = await startMailServer(test, certificate, { onRcptTo: (_, __, done) => refuse(done) });
      const outcome = await deliver(
        await make({ tls: 'starttls', port: server.port, pins: [certificateHex(certificate)] }),
      );
      assert.equal(outcome.result, result);
      assert.doesNotMatch(outcome.detail, /horse|\p{Cc}/u);
    });
  }

  it('a wrong password is a refusal, and does not stand in it', async (test) => {
    const certificate = await mint();
    const server = await startMailServer(test, certificate, { secure: true, authOptional: false });
    const login = { user: 'certpin', password: { env: 'WRONG' } };
    const outcome = await deliver(await make({ port: server.port, pins: [certificateHex(certificate)], ...login }));
    assert.equal(outcome.result, 'refused');
    assert.doesNotMatch(outcome.detail, /horse/);
  });

  for (const text of HOSTILE) {
    it(`a certificate adds no header, no recipient and no command: ${JSON.stringify(text.slice(0, 30))}`, async (test) => {
      const server = await startMailServer(test, await mint());
      const receiver = await make({ tls: 'none', port: server.port });
      const plain = message([transition()]);
      const one = message([transition({ label: text, reason: text, servername: text, targetId: text })]);
      await deliver(receiver, plain);
      assert.equal((await deliver(receiver, one)).result, 'delivered');
      assert.equal(server.mails.length, 2);
      const [usual, hostile] = await Promise.all(server.mails.map(({ raw }) => PostalMime.parse(raw)));
      const namesOf = (mail: typeof usual): string[] => (mail?.headers ?? []).map(({ key }) => key).sort();
      const expected = namesOf(usual);
      assert.deepEqual(
        namesOf(hostile).filter((name) => name !== 'content-transfer-encoding'),
        expected.filter((name) => name !== 'content-transfer-encoding'),
      );
      assert.deepEqual(server.mails[1]?.to, ['ops@example.com']);
      assert.equal(hostile?.bcc, undefined);
      assert.equal(hostile?.attachments.length, 0);
      assert.doesNotMatch(hostile?.subject ?? '', /\p{Cc}/u);
      for (const line of (server.mails[1]?.raw ?? '').split('\r\n'))
        assert.ok(line.length <= 998, `${line.length} characters`);
    });
  }
});

/** A server that says what it is told to, whatever it hears. */
async function startScript(
  test: TestContext,
  talk: (socket: Socket, heard: string) => void,
  greeting = '220 x\r\n',
): Promise<{ port: number; heard: () => string }> {
  let heard = '';
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write(greeting);
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1');
      talk(socket, chunk.toString('latin1'));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  test.after(() => server.close());
  return { port: (server.address() as AddressInfo).port, heard: () => heard };
}

describe('a mail server, or somebody in between, that', () => {
  const pins = ['AA'.repeat(32)];
  const login = { user: 'certpin', password: { env: 'PASSWORD' } };

  for (const [what, answers, expected] of [
    ['has no STARTTLS', { EHLO: '250 x\r\n', STARTTLS: '502 no\r\n' }, /STARTTLS with 502/],
    ['refuses EHLO', { EHLO: '550 no\r\n' }, /EHLO with 550/],
    [
      'puts answers behind its consent',
      { EHLO: '250 x\r\n', STARTTLS: '220 go\r\n250 injected\r\n' },
      /behind its consent/,
    ],
    [
      'consents twice at once',
      { EHLO: '250 x\r\n220 go\r\n' },
      /behind its consent|TLS|time|reset|ended|closed|socket/i,
    ],
    ['says without end', { EHLO: '250-x\r\n'.repeat(10_000) }, /says too much/],
    ['says one line without end', { EHLO: '2'.repeat(50_000) }, /says too much/],
    ['speaks no TLS afterwards', { EHLO: '250 x\r\n', STARTTLS: '220 go\r\n' }, /./],
  ] as const) {
    it(`${what} hears no user and no mail`, async (test) => {
      const server = await startScript(test, (socket, said) => {
        const answer = (answers as Record<string, string>)[/^[A-Z]+/.exec(said)?.[0] ?? ''];
        if (answer === undefined) socket.end('plain text\r\n');
        else socket.write(answer);
      });
      const outcome = await deliver(
        await make({ tls: 'starttls', port: server.port, pins, ...login }),
        undefined,
        2_000,
      );
      assert.equal(outcome.result, 'failed');
      assert.match(outcome.detail, expected);
      assert.doesNotMatch(server.heard(), /AUTH|MAIL|RCPT|example\.com|certpin/);
    });
  }

  for (const [what, greeting] of [
    ['never greets', ''],
    ['greets with a refusal', '554 no\r\n'],
    ['greets in another language', 'SSH-2.0-x\r\n'],
  ] as const) {
    it(`${what} costs no more than the time of an attempt`, async (test) => {
      const server = await startScript(test, () => undefined, greeting);
      for (const tls of ['starttls', 'none'] as const) {
        const begun = performance.now();
        const outcome = await deliver(await make({ tls, port: server.port }), undefined, 500);
        assert.equal(outcome.result === 'delivered', false);
        assert.ok(performance.now() - begun < 2_000);
      }
    });
  }

  it('hangs up in the middle is a failure', async (test) => {
    const server = await startScript(test, (socket) => socket.destroy());
    for (const tls of ['starttls', 'none'] as const) {
      assert.equal((await deliver(await make({ tls, port: server.port }))).result, 'failed');
    }
  });
});
