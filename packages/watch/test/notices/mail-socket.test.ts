// The accident this prevents: the watcher is stopped, and hangs on a mail server that says nothing.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { certificateHex, credentials, mint } from '@certpin/testkit';
import { SMTPServer } from 'smtp-server';
import { type MailServer, openMailSocket } from '../../src/notices/mail-socket.ts';

async function listen(t: TestContext, talk: (socket: Socket) => void): Promise<Omit<MailServer, 'tls'>> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    talk(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port, pins: undefined };
}

for (const tls of ['implicit', 'starttls', 'none'] as const) {
  for (const pins of [undefined, ['AA'.repeat(32)]]) {
    if (tls === 'none' && pins !== undefined) continue;
    test(`${tls}, ${pins === undefined ? 'without' : 'with'} pins: what is stopped already opens no connection`, {
      timeout: 20_000,
    }, async (t) => {
      let connections = 0;
      const server = await listen(t, () => connections++);
      await assert.rejects(openMailSocket({ ...server, tls, pins }, AbortSignal.abort()), { name: 'AbortError' });
      assert.equal(connections, 0);
    });
  }
}

for (const tls of ['implicit', 'starttls'] as const) {
  test(`${tls}: a stop ends the wait for a server that says nothing`, { timeout: 20_000 }, async (t) => {
    const stop = new AbortController();
    const server = await listen(t, (socket) => {
      if (tls === 'starttls') socket.write('220 x\r\n');
      socket.once('data', () => stop.abort());
    });
    const { signal } = stop;
    await assert.rejects(openMailSocket({ ...server, tls }, signal), { message: 'there was no answer in time' });
    assert.ok(signal.aborted, 'the server was asked, and nothing else ended it');
  });
}

test('a long answer in many pieces is read whole, and leaves no listener behind', { timeout: 60_000 }, async (t) => {
  const certificate = await mint();
  const real = new SMTPServer({ ...credentials(certificate), authOptional: true, logger: false });
  real.on('error', () => undefined);
  await new Promise<void>((listening) => real.listen(0, '127.0.0.1', listening));
  t.after(() => new Promise<void>((closed) => real.close(closed)));
  const warnings: string[] = [];
  const warn = ({ message }: Error): unknown => warnings.push(message);
  process.on('warning', warn);
  t.after(() => process.off('warning', warn));
  // In between stands somebody who passes on what the server says byte by byte, until the client begins TLS.
  const server = await listen(t, (socket) => {
    socket.setNoDelay(true);
    let isTls = false;
    const { port } = real.server.address() as AddressInfo;
    const other = connect(port, '127.0.0.1');
    t.after(() => other.destroy());
    other.on('error', () => undefined);
    socket.on('data', (chunk) => {
      isTls ||= chunk[0] === 0x16;
      other.write(chunk);
    });
    const waiting: number[] = [];
    const pass = (): void => {
      const byte = waiting.shift();
      if (byte === undefined) return;
      socket.write(Buffer.of(byte), () => setImmediate(pass));
    };
    other.on('data', (chunk) => {
      if (isTls) return void socket.write(chunk);
      const isIdle = waiting.length === 0;
      waiting.push(...chunk);
      if (isIdle) pass();
    });
  });
  const { signal } = new AbortController();
  const socket = await openMailSocket({ ...server, tls: 'starttls', pins: [certificateHex(certificate)] }, signal);
  socket.destroy();
  await new Promise((turn) => setImmediate(turn));
  assert.deepEqual(warnings, []);
});
