import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { LateStream, type Mediator } from '../../src/wire/late-stream.ts';

/** A stream whose socket has come, and what its reader has got so far. */
function open(mediator?: Mediator): { socket: PassThrough; stream: LateStream; got: unknown[] } {
  const [socket, stream, got] = [new PassThrough(), new LateStream({ mediator }), [] as unknown[]];
  stream.on('data', (chunk) => got.push(chunk));
  stream.adopt(socket as unknown as Socket);
  return { socket, stream, got };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('what a late stream hands on', () => {
  it('waits while the reader pauses, and keeps its order when the reader goes on', async () => {
    const { socket, stream, got } = open();
    await turn();
    socket.emit('data', Buffer.from('a'));
    assert.equal(String(got), 'a', 'at once');
    stream.pause();
    socket.emit('data', Buffer.from('b'));
    assert.equal(String(got), 'a');
    stream.resume();
    socket.emit('data', Buffer.from('c'));
    await turn();
    assert.equal(String(got), 'a,b,c');
  });

  it('is text where the reader asks for text, whatever the pieces it came in', async () => {
    const { socket, stream, got } = open();
    stream.setEncoding('utf8');
    await turn();
    for (const byte of Buffer.from('ä')) socket.emit('data', Buffer.of(byte));
    await turn();
    assert.deepEqual(got.join(''), 'ä');
  });

  it('is a Buffer, whatever a mediator makes of it', async () => {
    const mediator: Mediator = {
      fromDriver: (bytes) => bytes,
      fromServer: () => Uint8Array.of(1),
    };
    const { socket, got } = open(mediator);
    await turn();
    socket.emit('data', Buffer.from('x'));
    await turn();
    assert.ok(Buffer.isBuffer(got[0]));
  });

  it('ends with the error of a reader that throws, and not the process', async () => {
    const { socket, stream } = open();
    await turn();
    stream.on('data', () => {
      throw new Error('of the reader');
    });
    const failed = new Promise<Error>((resolve) => stream.once('error', resolve));
    socket.emit('data', Buffer.from('x'));
    assert.equal((await failed).message, 'of the reader');
  });
});
