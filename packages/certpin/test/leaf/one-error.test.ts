import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { type Socket, connect as tcpConnect } from 'node:net';
import { PassThrough } from 'node:stream';
import { describe, type TestContext, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { certificateHex, mint } from '@certpin/testkit';
import { watchProcess } from '@certpin/testkit/conformance-records';
import { brokenRecords, type HostilePlan, startHostileServers } from '@certpin/testkit/hostile-server';
import { handOver } from '../../src/drivers/hand-over.ts';
import { emitOneError } from '../../src/leaf/one-error.ts';
import { connect } from '../../src/tls/index.ts';
import { observe } from '../../src/tls/observe.ts';
import { guard } from '../guard.ts';

const [right, impostor] = [await mint(), await mint()];
const broken: HostilePlan = { version: 'TLSv1.3', step: 'flight', act: 'a record of an unknown type', afterMs: 0 };

/** A server that presents `certificate`, and breaks the connection as planned. */
async function serve(t: TestContext, certificate = right, plan: Partial<HostilePlan> = {}): Promise<number> {
  const servers = startHostileServers('tls', certificate);
  t.after(servers.close);
  return servers.open({ ...broken, ...plan });
}

/** Every error that the socket emits until it has closed, and a while longer. */
async function errorsOf(socket: TLSSocket): Promise<NodeJS.ErrnoException[]> {
  const errors: NodeJS.ErrnoException[] = [];
  socket.on('error', (error) => errors.push(error));
  if (!socket.closed) await once(socket, 'close').catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, 20));
  return errors;
}

const codes = (errors: readonly NodeJS.ErrnoException[]): unknown[] => errors.map(({ code }) => code);

describe('a guarded socket says one error, and it is the one that counts', () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    for (const act of Object.keys(brokenRecords) as (keyof typeof brokenRecords)[]) {
      test(`the refusal, whatever follows it: ${act}, ${version}`, async (t) => {
        const port = await serve(t, impostor, { version, act });
        const socket = connect({ host: '127.0.0.1', port, pins: certificateHex(right) });
        assert.deepEqual(codes(await errorsOf(socket)), ['ERR_PIN_MISMATCH']);
      });
    }
  }

  test('what comes behind the handshake of the right server, and then it closes', async (t) => {
    const socket = connect({ host: '127.0.0.1', port: await serve(t), pins: certificateHex(right) });
    const errors = await errorsOf(socket);
    assert.equal(errors.length, 1);
    assert.match(String(errors[0]?.code), /^ERR_SSL_/);
    assert.equal(socket.errored, errors[0]);
    assert.ok(socket.closed);
  });

  test('under the ordinary verification too', async (t) => {
    const options = { host: '127.0.0.1', port: await serve(t, impostor) };
    const errors = await errorsOf(guard({ options, policy: 'verify' }));
    assert.deepEqual(codes(errors), ['DEPTH_ZERO_SELF_SIGNED_CERT']);
  });

  test('a probe has its certificate, and nobody hears of what comes behind', async (t) => {
    const watched = watchProcess();
    const port = await serve(t);
    for (let attempt = 0; attempt < 4; attempt++) await observe({ socket: tcpConnect(port, '127.0.0.1') });
    await new Promise((resolve) => setTimeout(resolve, 20));
    watched.stop();
    assert.deepEqual(watched.events, []);
  });

  test('a client that has hung up hears of nothing', async (t) => {
    const socket = connect({ host: '127.0.0.1', port: await serve(t), pins: certificateHex(right) });
    const heard = errorsOf(socket);
    socket.once('secureConnect', () => socket.destroy());
    assert.deepEqual(await heard, []);
  });

  test('a client that hangs up with a reason of its own hears of that', async (t) => {
    const socket = connect({ host: '127.0.0.1', port: await serve(t), pins: certificateHex(right) });
    const heard = errorsOf(socket);
    const own = new Error('of the client');
    socket.once('secureConnect', () => socket.destroy(own));
    assert.deepEqual(await heard, [own]);
  });
});

describe('what is not swallowed', () => {
  test('the first error that nobody hears is thrown, as ever', async (t) => {
    const socket = connect({ host: '127.0.0.1', port: await serve(t, impostor), pins: certificateHex(right) });
    // What Node does where nobody listens: it throws out of `emit`.
    const thrown = new Promise((resolve) => {
      const { emit } = socket;
      socket.emit = function spy(this: TLSSocket, ...event: Parameters<typeof emit>): boolean {
        try {
          return emit.apply(this, event);
        } catch (error) {
          resolve(error);
          return false;
        }
      } as typeof emit;
    });
    assert.equal(((await thrown) as NodeJS.ErrnoException).code, 'ERR_PIN_MISMATCH');
  });

  test('a rejection of an asynchronous listener, where rejections are captured', async () => {
    const before = EventEmitter.captureRejections;
    EventEmitter.captureRejections = true;
    try {
      const socket = emitOneError(new PassThrough() as unknown as Socket);
      const reason = new Error('of the listener');
      socket.on('data', async () => Promise.reject(reason));
      socket.emit('data', Buffer.of(1));
      const [error] = await once(socket, 'error');
      assert.equal(error, reason);
    } finally {
      EventEmitter.captureRejections = before;
    }
  });
});

describe('a client that listens some ticks after it was given the socket', () => {
  const late = (): TLSSocket => emitOneError(new PassThrough() as unknown as TLSSocket);

  test('hears the error that came in between, and then the end, once each', async () => {
    const socket = late();
    const heard: unknown[] = [];
    handOver(socket, () => socket.emit('error', new Error('in the packet of the handshake')));
    await new Promise((resolve) => setTimeout(resolve, 20));
    socket.on('error', (error) => heard.push(error.message)).on('close', () => heard.push('close'));
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(heard, ['in the packet of the handshake', 'close']);
    assert.ok(socket.destroyed);
  });

  test('hears what comes later at once', async () => {
    const socket = late();
    handOver(socket, () => undefined);
    const heard: unknown[] = [];
    socket.on('error', (error) => heard.push(error.message));
    await new Promise((resolve) => setTimeout(resolve, 5));
    socket.emit('error', new Error('later'));
    assert.deepEqual(heard, ['later']);
    socket.emit('error', new Error('again'));
    assert.deepEqual(heard, ['later']);
  });
});
