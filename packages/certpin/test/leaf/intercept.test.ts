// The judge between Node and everybody who listens: obeyed in the tick in which a handshake ends, whatever happens in it.
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { intercept, type Judge } from '../../src/leaf/intercept.ts';

/** As a socket of Node at the end of a handshake, whose moments the test chooses. */
class Handshakes extends EventEmitter {
  authorized = false;
  authorizationError: unknown = 'SELF_SIGNED_CERT';
  destroyed = false;
  readonly heard: unknown[] = [];

  destroy(error: Error): void {
    this.destroyed = true;
    this.heard.push(error.message);
  }
}

function judged(judge: Judge) {
  const socket = new Handshakes();
  socket.on('secureConnect', () => socket.heard.push('secureConnect'));
  socket.on('session', (session) => socket.heard.push(session));
  intercept(socket as unknown as TLSSocket, judge);
  return socket;
}

const refused = new Error('refused');

describe('the judge is obeyed', () => {
  test('in the tick in which the handshake ends', () => {
    const socket = judged({ refusal: () => refused });
    assert.equal(socket.emit('secureConnect'), false);
    assert.deepEqual(socket.heard, ['refused']);
    assert.deepEqual([socket.authorized, socket.authorizationError], [false, refused]);
  });

  test('where it throws: that is a refusal', () => {
    const socket = judged({
      refusal: () => {
        throw refused;
      },
    });
    socket.emit('secureConnect');
    assert.deepEqual(socket.heard, ['refused']);
    assert.equal(socket.authorized, false);
  });

  test('in every handshake, of which the first is told', () => {
    const answers = [undefined, undefined, refused];
    const told: string[] = [];
    const socket = judged({
      refusal: () => answers.shift(),
      onReleased: () => told.push('released'),
      onRefused: () => told.push('refused'),
    });
    for (let handshake = 0; handshake < 3; handshake++) socket.emit('secureConnect');
    assert.deepEqual(socket.heard, ['secureConnect', 'refused']);
    assert.deepEqual(told, ['released', 'refused']);
    assert.equal(socket.authorized, false);
  });

  test('when it is asked later', () => {
    let ask: Parameters<NonNullable<Judge['onReleased']>>[0] = () => undefined;
    const socket = judged({ refusal: () => undefined, onReleased: (given) => (ask = given) });
    socket.emit('secureConnect');
    ask(() => undefined);
    assert.equal(socket.authorized, true);
    ask(() => refused);
    assert.deepEqual(socket.heard, ['secureConnect', 'refused']);
    assert.equal(socket.authorized, false);
    socket.emit('session', 'late');
    assert.deepEqual(socket.heard, ['secureConnect', 'refused'], 'no session after it');
  });
});

describe('a session', () => {
  test('waits for the verdict, and is told once', () => {
    const socket = judged({ refusal: () => undefined });
    socket.emit('session', 'early');
    assert.deepEqual(socket.heard, []);
    socket.emit('secureConnect');
    socket.emit('session', 'later');
    socket.emit('secureConnect');
    assert.deepEqual(socket.heard, ['secureConnect', 'early', 'later']);
  });

  test('is told to nobody where the verdict is a refusal, nor after it, nor by a later handshake', () => {
    const answers = [refused, undefined];
    const socket = judged({ refusal: () => answers.shift() });
    socket.emit('session', 'before');
    socket.emit('secureConnect');
    socket.emit('session', 'after');
    assert.deepEqual(socket.heard, ['refused']);
    socket.emit('secureConnect');
    assert.ok(!socket.heard.includes('before') && !socket.heard.includes('after'), String(socket.heard));
  });
});
