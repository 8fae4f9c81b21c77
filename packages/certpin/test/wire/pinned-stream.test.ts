import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { certificateHex, mint, startTlsServer } from '@certpin/testkit';
import { createPolicy } from '../../src/index.ts';
import { createPinner } from '../../src/tls/guard.ts';
import type { Mediator } from '../../src/wire/late-stream.ts';
import { PinnedStream } from '../../src/wire/pinned-stream.ts';
import { type Dial, openUpgraded } from '../../src/wire/upgrade.ts';

const certificate = await mint();
const policies = createPolicy({ pins: certificateHex(certificate) });
const pinner = createPinner({ policies, connectTimeoutMs: 1_000 });
const dial: Dial = ({ host, port }, ready) => connect(port, host, () => ready());
const open = openUpgraded(pinner, {}, dial);

async function serve(t: TestContext, onSocket: (socket: TLSSocket) => void) {
  const server = await startTlsServer({ certificate, onSocket });
  t.after(server.close);
  return server;
}

test('what the server sent before its end is read, however late the driver reads', { timeout: 10_000 }, async (t) => {
  const sent = Buffer.alloc(3_000_000, 'x');
  const server = await serve(t, (socket) => void socket.end(sent));
  const stream = new PinnedStream({ open }).connect(server.port, server.host);
  const events: string[] = [];
  let received = 0;
  stream.on('end', () => events.push('end')).on('error', (error) => events.push(error.message));
  stream.on('data', (chunk: Buffer) => {
    received += chunk.length;
    stream.pause();
    setTimeout(() => stream.resume(), 1);
  });
  await once(stream, 'close');
  assert.equal(received, sent.length);
  assert.deepEqual(events, ['end']);
});

test('a unix socket is refused, given as the path or as its folder and a port', async () => {
  for (const [port, host] of [
    ['/run/db.sock', undefined],
    [5432, '/run'],
    ['5432', '/run'],
  ] as const) {
    const opened: unknown[] = [];
    const spy: typeof open = (address) => ({ destroy: () => opened.push(address) });
    const [error] = await once(new PinnedStream({ open: spy }).connect(port, host), 'error');
    assert.deepEqual([error.code, opened], ['ERR_OPTION_INVALID', []]);
  }
});

test('a server that breaks off closes the stream', async (t) => {
  const server = await serve(t, (socket) => void socket.once('data', () => socket.destroy()));
  const stream = new PinnedStream({ open }).connect(server.port, server.host);
  stream.on('error', () => undefined).resume();
  stream.write('x');
  await once(stream, 'close');
});

test('what a driver wrote before the verdict arrives after it; what it wrote for another server does not', async (t) => {
  const server = await serve(t, (socket) => void socket.pipe(socket));
  const stream = new PinnedStream({ open });
  stream.setNoDelay(true).setKeepAlive(true).unref().ref();
  stream.write('early');
  stream.connect(server.port, server.host);
  assert.equal(String((await once(stream, 'data'))[0]), 'early');
  assert.equal(stream.authorized, true);
  assert.equal(stream.getPeerCertificate().fingerprint256, certificate.x509.fingerprint256);
  stream.destroy();

  server.present(await mint());
  const refused = new PinnedStream({ open });
  refused.write('early');
  refused.connect(server.port, server.host);
  assert.equal((await once(refused, 'error'))[0].code, 'ERR_PIN_MISMATCH');
  assert.deepEqual(refused.getPeerCertificate(), {});
  await wait(20);
  assert.equal(server.received(), 0);
});

test('a mediator that throws ends the stream with its error, and nothing else', async (t) => {
  const server = await serve(t, (socket) => void socket.pipe(socket));
  for (const broken of ['fromDriver', 'fromServer'] as const) {
    const mediator: Mediator = {
      fromDriver: (bytes) => bytes,
      fromServer: (bytes) => bytes,
      [broken]: () => {
        throw new Error(broken);
      },
    };
    const stream = new PinnedStream({ open, mediator }).connect(server.port, server.host);
    stream.write('hello');
    assert.equal((await once(stream, 'error'))[0].message, broken);
  }
});

test('a stream on which nothing moves says so, and knows its own end once it is verified', async (t) => {
  const server = await serve(t, () => undefined);
  const stream = new PinnedStream({ open });
  t.after(() => stream.destroy());
  const withdrawn = t.mock.fn();
  stream.setTimeout(10, withdrawn).setTimeout(0, withdrawn);
  const idle = new Promise<void>((resolve) => stream.setTimeout(10, resolve));
  assert.deepEqual(stream.address(), {});
  await once(stream.connect(server.port, server.host), 'connect');
  assert.equal(stream.address().address, '127.0.0.1');
  await idle;
  assert.equal(withdrawn.mock.callCount(), 0);
});

test('a TLS option that cannot be used is the error of this connection, and nobody else hears of it', async (t) => {
  const server = await serve(t, () => undefined);
  const unusable = openUpgraded(pinner, { key: 'no key', cert: 'no certificate' }, dial);
  const stream = new PinnedStream({ open: unusable }).connect(server.port, server.host);
  assert.match((await once(stream, 'error'))[0].message, /PEM/);
});

test('a driver that gives up before the verdict ends the attempt, whatever it has written', async (t) => {
  const server = await serve(t, (socket) => void socket.resume());
  const stream = new PinnedStream({ open });
  stream.write('early');
  stream.connect(server.port, server.host);
  assert.equal(stream.connecting, true);
  stream.end('late');
  await once(stream, 'close');
  assert.equal(stream.connecting, false);
  await wait(20);
  assert.equal(server.received(), 0);
});
